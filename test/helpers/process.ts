/** The hub as its user runs it: the built program in a process of its own. Needs `npm run build`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const main = new URL('../../dist/server/main.js', import.meta.url).pathname

export interface HubProcess {
  readonly child: ChildProcess
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** everything printed so far, stdout and stderr */
  output(): string
  /** Sends the signal (SIGTERM unless told) and waits for the end; returns the exit code or null. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** A hub that was started and may not listen yet. */
export interface HubSpawn {
  readonly child: ChildProcess
  /** Rejects with what it printed if it ends before it listens. */
  readonly listening: Promise<HubProcess>
  output(): string
}

/** Starts `dist/server/main.js ARGS` in `cwd` and waits until it listens. Throws with its output if it ends before. */
export async function startProcess(args: string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Promise<HubProcess> {
  return spawnHub(args, env, [main], cwd).listening
}

/** Starts it and does not wait. `program` is what node runs in place of the built hub, the last argument how node is called. */
export function spawnHub(
  args: string[],
  env: NodeJS.ProcessEnv = {},
  program: readonly string[] = [main],
  cwd?: string,
  [command, ...before]: readonly [string, ...string[]] = [process.execPath],
): HubSpawn {
  const flags = process.env['HUB_NODE_FLAGS']?.split(' ') ?? []
  const child = spawn(command, [...before, ...flags, ...program, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = once(child, 'exit')

  const url = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed += `${line}\n`
      const found = /"msg":"listening".*"url":"(http[^"]+)"|"url":"(http[^"]+)".*"msg":"listening"/.exec(line)
      if (found) resolve(found[1] ?? found[2] ?? '')
    })
    void ended.then(() => reject(new Error(`the hub ended before it listened:\n${printed}`)))
  })

  const listening = url.then((found): HubProcess => ({
    child,
    url: found,
    port: Number(new URL(found).port),
    output: () => printed,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      await ended
      return child.exitCode
    },
  }))
  return { child, listening, output: () => printed }
}
