/** The built program with a folder of its own, and somebody who pushes beside whatever is done to it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { connect } from '../helpers/client.ts'
import { type HubProcess, spawnHub } from '../helpers/process.ts'

export const PROGRAM_TOKEN = 'a-token-of-16-characters-or-more'

/** pushes that a p99 is told from */
const ENOUGH = 200

export interface Program extends HubProcess {
  readonly cwd: string
  /** MiB that it takes now */
  memory(): number
  /** how many files and sockets it has open now */
  files(): number
}

/**
 * Starts it on 127.0.0.1 and ends it with the test.
 * @param config YAML behind the host, the port and the token
 * @param limits what `prlimit` is told before the program
 */
export async function startProgram(config: string, limits: readonly string[] = []): Promise<Program> {
  const cwd = mkdtempSync(join(tmpdir(), 'carillon-abuse-'))
  writeFileSync(join(cwd, 'config.yaml'), `token: ${PROGRAM_TOKEN}\n${config}`, { mode: 0o600 })
  const command = limits.length === 0 ? undefined : (['prlimit', ...limits, process.execPath] as const)
  // a small heap, so that memory says what is kept and not what was not collected yet
  const env = { NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=128' }
  const { child, listening } = spawnHub(['--host', '127.0.0.1', '--port', '0'], env, undefined, cwd, command)
  onTestFinished(async () => {
    await (await listening).stop('SIGKILL')
    rmSync(cwd, { recursive: true })
  })
  const status = () => readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return {
    ...(await listening),
    cwd,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(status())?.[1]) / 1024,
    files: () => readdirSync(`/proc/${child.pid}/fd`).length,
  }
}

/** What pushes met with. */
export interface Fate {
  /** ms from the request to the answer, which waits for the receiver's ack: 99 of 100 took less */
  readonly p99: number
  /** ms that this process was late itself: the machine may be busy with other things */
  readonly late: number
}

/** Pushes to a client that acks, some hundred times a second, until told to stop. Throws when one does not arrive. */
export async function pushBeside({ url }: Pick<Program, 'url'>): Promise<{ stop(): Promise<Fate> }> {
  const name = `healthy-${performance.now()}`
  const client = await connect(url.replace('http', 'ws'))
  client.send('AUTH', { token: PROGRAM_TOKEN, name, window: 10 })
  await client.next('AUTH')
  const delays = monitorEventLoopDelay({ resolution: 10 })
  delays.enable()
  const times: number[] = []
  let stopped = false

  async function acknowledge(): Promise<void> {
    for (;;) client.ack((await client.message()).mid)
  }
  async function pushAll(): Promise<void> {
    while (!stopped || times.length < ENOUGH) {
      const began = performance.now()
      const answer = await fetch(`${url}/${name}.send?text=x`, { headers: { authorization: PROGRAM_TOKEN } })
      const text = await answer.text()
      if (text !== `{"cmd":"MESSAGE_REPLY","data":{"${name}":"ok"}}`) throw new Error(`a healthy push got ${text}`)
      times.push(performance.now() - began)
      await pause(10)
    }
  }
  void acknowledge()
  const pushing = Promise.all([pushAll(), pushAll(), pushAll()])
  pushing.catch(() => {})
  return {
    async stop() {
      stopped = true
      await pushing
      client.socket.terminate()
      delays.disable()
      const rising = times.toSorted((a, b) => a - b)
      return { p99: rising[Math.ceil(rising.length * 0.99) - 1] ?? 0, late: delays.percentile(99) / 1e6 }
    },
  }
}

/** What a flood did. */
export interface Damage extends Fate {
  /** MiB that the hub takes more than before */
  readonly grew: number
  /** ms that pushes beside it may take */
  readonly bearable: number
}

/** Runs a flood while somebody else pushes. */
export async function during(program: Program, flood: () => Promise<void>): Promise<Damage> {
  const usual = await (await pushBeside(program)).stop()
  const before = program.memory()
  const beside = await pushBeside(program)
  await flood()
  const { p99, late } = await beside.stop()
  return { grew: program.memory() - before, p99, late, bearable: Math.max(100, 5 * usual.p99, 5 * late) }
}
