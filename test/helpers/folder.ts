import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../server/ground/log.ts'

/** A new empty folder, and how to remove it. */
export async function temporaryFolder(): Promise<{ readonly dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'carillon-'))
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

export const silentLog = createLog('silent')
