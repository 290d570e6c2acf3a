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

/** Starts `dist/server/main.js ARGS` and waits until it listens. Throws with its output if it ends before. */
export async function startProcess(args: string[], env: NodeJS.ProcessEnv = {}): Promise<HubProcess> {
  const child = spawn(process.execPath, [...(process.env['HUB_NODE_FLAGS']?.split(' ') ?? []), main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = once(child, 'exit')

  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed += `${line}\n`
      const found = /"msg":"listening".*"url":"(http[^"]+)"|"url":"(http[^"]+)".*"msg":"listening"/.exec(line)
      if (found) resolve(found[1] ?? found[2] ?? '')
    })
    void ended.then(() => reject(new Error(`the hub ended before it listened:\n${printed}`)))
  })

  return {
    child,
    url,
    port: Number(new URL(url).port),
    output: () => printed,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      await ended
      return child.exitCode
    },
  }
}
