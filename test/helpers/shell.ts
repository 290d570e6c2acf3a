/** Command lines as a user types them, run by `sh`; what they start ends with them. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'

const root = new URL('../..', import.meta.url).pathname

export interface ShellOptions {
  /** the root of the project unless told */
  readonly cwd?: string
  /** added to the environment; undefined takes a name out of it */
  readonly env?: NodeJS.ProcessEnv
}

export interface Background {
  /** everything printed so far, stdout and stderr */
  output(): string
  /** Waits until the output holds this. Rejects with the output when the command ends before. */
  printed(what: string | RegExp): Promise<RegExpExecArray>
  /** Resolves to the exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>
  /** Sends the signal to the command and all it started, as Ctrl-C does, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a command line that goes on, such as a server. */
export function startShell(command: string, { cwd = root, env = {} }: ShellOptions = {}): Background {
  // a process group of its own, so that a signal reaches what npm starts
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  const lookers = new Set<() => void>()
  const take = (chunk: Buffer) => {
    output += chunk.toString()
    for (const look of lookers) look()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const ended = once(child, 'close').then(() => child.exitCode)

  return {
    output: () => output,
    ended,
    printed(what) {
      const pattern =
        typeof what === 'string' ? new RegExp(what.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)) : what
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output)
          if (found) resolve(found)
        }
        lookers.add(look)
        look()
        void ended.then(() => reject(new Error(`${command} ended and never printed ${String(what)}:\n${output}`)))
      })
    },
    async stop(signal = 'SIGTERM') {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, signal)
      await ended
    },
  }
}

/** Runs a command line to its end and returns its stdout. Rejects with its stderr when it fails. */
export function runShell(command: string, { cwd = root, env = {} }: ShellOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], { cwd, env: { ...process.env, ...env } }, (error, stdout) => {
      if (error) reject(error)
      else resolve(stdout)
    })
  })
}
