/** One process per data folder. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreLocked } from '../store.ts'

const LOCK_FD = 3
const FILE_MODE = 0o600

/**
 * `flock` where there is one: the kernel ends it with the process, whatever ends that. Elsewhere a file with
 * the pid and the start of the process that it names.
 * @returns how to let go
 * @throws StoreLocked naming the process that has it
 */
export function lockFolder(dir: string): () => void {
  const path = join(dir, 'LOCK')
  const before = readPid(path)
  const fd = openSync(path, 'a', FILE_MODE)
  const flock = spawnSync('flock', ['-n', String(LOCK_FD)], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  const isLocked = flock.error ? isAlive(before) : flock.status !== 0
  if (isLocked) {
    closeSync(fd)
    throw new StoreLocked(`${dir} is in use${before === null ? '' : ` by process ${before}`}: one hub per data folder`)
  }
  writeFileSync(path, `${process.pid}\n`, { mode: FILE_MODE })
  return () => {
    if (flock.error) unlinkSync(path)
    closeSync(fd)
  }
}

function readPid(path: string): number | null {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || null
  } catch {
    return null
  }
}

function isAlive(pid: number | null): boolean {
  if (pid === null || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
