/** The server and what loads it run on a core of their own each. */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const SERVER_CORE = 0
const GENERATOR_CORE = 1

/** How the two sides are kept apart, in words; null: they are not. */
export const pinning = findOut()

/** Moves this process to the generator's core. */
export function pinGenerator(): void {
  if (pinning === null) return
  execFileSync('taskset', ['-acp', String(GENERATOR_CORE), String(process.pid)], { stdio: 'ignore' })
}

/** Node as a command that runs on the server's core from its first instruction on. */
export function nodeOnServerCore(): readonly [string, ...string[]] {
  return pinning === null ? [process.execPath] : ['taskset', '-c', String(SERVER_CORE), process.execPath]
}

/** Asked once, and early: a process that is pinned sees a single core. */
function findOut(): string | null {
  if (availableParallelism() <= GENERATOR_CORE) return null
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    return `server on core ${SERVER_CORE}, generator on core ${GENERATOR_CORE}`
  } catch {
    return null
  }
}
