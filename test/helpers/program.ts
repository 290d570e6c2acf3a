/** The built command line, run to its end. Needs `npm run build`. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'

export const carillon = join(import.meta.dirname, '../../dist/clients/cli/carillon.js')

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly cwd?: string
  /** added to the environment; undefined takes a name out of it */
  readonly env?: NodeJS.ProcessEnv
  /** what is piped in; nothing unless told */
  readonly stdin?: string
  /** what node runs instead of the command line */
  readonly program?: string
}

/** Runs `carillon ARGS` and waits for its end. */
export function runProgram(
  args: readonly string[],
  { cwd, env = {}, stdin = '', program = carillon }: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { cwd, env: { ...process.env, ...env } },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(stdin)
  })
}
