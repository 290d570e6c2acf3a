import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const repo = new URL('../..', import.meta.url).pathname
/** `f_type` of statfs(2) */
const kinds = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlay'],
])

export interface Scratch {
  readonly path: string
  /** kind of its file system */
  readonly kind: string
}

/**
 * A directory on a real disk that is gone when this process ends: in the system's place for temporary files,
 * or in `data/` of the repository where that place lies in memory. An fsync in memory would cost nothing.
 */
export function makeScratch(): Scratch {
  for (const parent of [tmpdir(), join(repo, 'data')]) {
    mkdirSync(parent, { recursive: true })
    const kind = kindOf(parent)
    if (kind === 'tmpfs' || kind === 'ramfs') continue
    const path = mkdtempSync(join(parent, 'carillon-bench-'))
    process.once('exit', () => rmSync(path, { recursive: true, force: true }))
    return { path, kind }
  }
  throw new Error(`no disk: ${tmpdir()} and the repository both lie in memory; set TMPDIR`)
}

function kindOf(path: string): string {
  const { type } = statfsSync(path)
  return kinds.get(type) ?? `file system 0x${type.toString(16)}`
}
