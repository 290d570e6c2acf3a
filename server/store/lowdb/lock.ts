/** One process per data folder. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreLocked } from '../store.ts'

export const LOCK_FILE = 'LOCK'

const LOCK_FD = 3
const FILE_MODE = 0o600
/** exit code of flock when another process has the lock */
const TAKEN = 1
/** field of /proc/PID/stat, counted from the one after the name in brackets */
const START_TICKS = 19

/** A process, told from a later one with the same pid. */
interface Owner {
  readonly pid: number
  /** empty where the system does not tell */
  readonly start: string
}

/**
 * `flock` where there is one: the kernel ends it with the process, whatever ends that. Elsewhere, and on
 * volumes that know no locks, a file with the pid and the start of the process that it names.
 * @returns how to let go
 * @throws StoreLocked naming the process that has it
 */
export function lockFolder(dir: string): () => void {
  const path = lockPath(dir)
  const owner = readOwner(path)
  const fd = openSync(path, 'a', FILE_MODE)
  const flock = spawnSync('flock', ['-n', String(LOCK_FD)], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  const isLocked = flock.status === TAKEN || (flock.status !== 0 && isAlive(owner))
  if (isLocked) {
    closeSync(fd)
    throw new StoreLocked(
      `${dir} is in use${owner === null ? '' : ` by process ${owner.pid}`}: one hub per data folder`,
    )
  }
  try {
    writeFileSync(path, `${process.pid}\n${startOf(process.pid)}\n`, { mode: FILE_MODE })
  } catch (error) {
    // on a full disk: where flock holds the lock, who has it is only said in messages
    if (flock.status !== 0) throw error
  }
  return () => {
    if (flock.status === 0) ftruncateSync(fd)
    else unlinkSync(path)
    closeSync(fd)
  }
}

/** The other process that has the lock; null: none, as far as can be told without asking for it. */
export function holderOf(dir: string): number | null {
  const owner = readOwner(lockPath(dir))
  return owner && owner.pid !== process.pid && isAlive(owner) ? owner.pid : null
}

function lockPath(dir: string): string {
  return join(dir, LOCK_FILE)
}

function readOwner(path: string): Owner | null {
  try {
    const [pid = '', start = ''] = readFileSync(path, 'utf8').split('\n')
    return Number.isInteger(Number(pid)) && Number(pid) > 0 ? { pid: Number(pid), start } : null
  } catch {
    return null
  }
}

function isAlive(owner: Owner | null): boolean {
  if (owner === null) return false
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  // in a container every hub has the same pid: where no start tells them apart it is the one before
  return owner.start === '' ? owner.pid !== process.pid : owner.start === startOf(owner.pid)
}

/** When a process began, in whatever words the system has for it. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TICKS] ?? ''}`
  } catch {
    const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    })
    return ps.status === 0 ? ps.stdout.trim() : ''
  }
}
