/** The clock: signatures of webhooks and robots, links and tokens are worthless when it is wrong. */
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fault, type Finding, ok, warning } from './finding.ts'

const AHEAD_MS = 60_000

/** @param now ms since epoch */
export async function time(data: string, now: number): Promise<readonly Finding[]> {
  const newest = await newestIn(data)
  if (newest > now + AHEAD_MS) {
    const ahead = Math.round((newest - now) / 1_000)
    return [fault('clock', `it is ${ahead} s behind the newest file in ${data}: it was set back, or is wrong`)]
  }
  const isSynchronized = await synchronized()
  if (isSynchronized === false) return [warning('clock', 'it is not kept right by a time server')]
  return [ok('clock', `${new Date(now).toISOString()}${isSynchronized ? ', kept right by a time server' : ''}`)]
}

/** ms since epoch; 0 where there is nothing */
async function newestIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs))
  return Math.max(0, ...times)
}

/** Null where the system does not tell. */
async function synchronized(): Promise<boolean | null> {
  try {
    const { stdout } = await promisify(execFile)('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
    return stdout.trim() === 'yes'
  } catch {
    return null
  }
}
