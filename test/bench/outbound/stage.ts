/** A hub on core 0, and a vendor of chat robots on core 1 that answers in 20 ms, or never. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type HubProcess, spawnHub } from '../../helpers/process.ts'
import { openPusher } from '../generator/pusher.ts'
import { pinning } from '../processes.ts'

const ANSWER_MS = 20
const FLAGS = ['--max-semi-space-size=32']
const hub = new URL('../../../dist/server/main.js', import.meta.url).pathname
/** Number of the push, as its title carries it. */
const NUMBER = /n=(\d+)/

export interface Vendor {
  readonly url: string
  /** when each push arrived, by its number, in ms */
  readonly arrivals: Map<number, number>
  /** arrivals of a push that had arrived before */
  readonly repeats: () => number
  /** Resolves when so many pushes have arrived. */
  arrived(count: number): Promise<void>
}

/** `/hang…` never answers; all else is a success after 20 ms. */
export async function startVendor(): Promise<Vendor> {
  const arrivals = new Map<number, number>()
  let repeats = 0
  let waiting: { readonly count: number; readonly go: () => void } | null = null

  function take(request: IncomingMessage, response: ServerResponse): void {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      if (request.url?.startsWith('/hang')) return
      const n = Number(NUMBER.exec(body)?.[1] ?? -1)
      if (arrivals.has(n)) repeats += 1
      else arrivals.set(n, performance.now())
      if (waiting && arrivals.size >= waiting.count) waiting.go()
      setTimeout(() => response.end('{"code":0,"errcode":0}'), ANSWER_MS)
    })
  }

  const server = createServer(take)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the vendor has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    arrivals,
    repeats: () => repeats,
    arrived: (count) =>
      new Promise((go) => {
        waiting = { count, go }
        if (arrivals.size >= count) go()
      }),
  }
}

/** So many recipients with a robot each that works (`r0` …), and as many with one that hangs (`h0` …). */
export async function startHub(
  dir: string,
  vendor: Vendor,
  robots: number,
  queue: object,
  flags: readonly string[] = [],
): Promise<HubProcess> {
  const one = (prefix: string, n: number, platforms: object) => [`${prefix}${n}`, { platforms }] as const
  const recipients = Array.from({ length: robots }, (_, n) => [
    one('r', n, { feishu: { webhooks: [{ url: `${vendor.url}/hook/${n}`, secret: 'bench' }] } }),
    one('h', n, { dingtalk: { webhooks: [{ url: `${vendor.url}/hang?access_token=${n}` }] } }),
  ]).flat()
  const config = {
    token: 'bench',
    http: { host: '127.0.0.1', port: 0 },
    websocket: { verifyToken: false },
    queue,
    recipients: Object.fromEntries(recipients),
  }
  const file = join(dir, 'config.json')
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  const { child, listening } = spawnHub(['--config', file, '--data', mkdtempSync(join(dir, 'data-'))], {}, [
    ...FLAGS,
    ...flags,
    hub,
  ])
  process.once('exit', () => void child.kill('SIGKILL'))
  const started = await listening
  if (pinning() !== null) {
    execFileSync('taskset', ['-acp', '0', String(child.pid)], { stdio: 'ignore' })
    execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'ignore' })
  }
  return started
}

export interface Sender {
  /** Pushes to an alias; resolves with the ms that the answer took. */
  push(alias: string, n: number): Promise<number>
}

/** Keep-alive connections, each with one push at a time. */
export async function openSender(port: number): Promise<Sender> {
  const idle: ((request: string, done: () => void) => void)[] = []

  async function open(): Promise<(request: string, done: () => void) => void> {
    let answered = (): void => {}
    const pusher = await openPusher(
      port,
      (status, body) => {
        if (status !== 200) throw new Error(`a push was answered ${status}: ${body}`)
        answered()
      },
      () => {
        const place = idle.indexOf(send)
        if (place < 0) throw new Error('the hub closed a connection in use')
        idle.splice(place, 1)
      },
    )
    const send = (request: string, done: () => void): void => {
      answered = () => {
        idle.push(send)
        done()
      }
      pusher.write(request)
    }
    return send
  }

  return {
    async push(alias, n) {
      const startedAt = performance.now()
      const send = idle.pop() ?? (await open())
      await new Promise<void>((done) => send(requestOf(alias, n), done))
      return performance.now() - startedAt
    },
  }
}

function requestOf(alias: string, n: number): string {
  const content = { title: `disk full n=${n}`, msg: 'the disk of db1 is at 95 %' }
  const body = JSON.stringify({ recipient_alias: alias, type: 'error', strategy: 'failover', style: 'card', content })
  return `POST /api/v1/push HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** Calls `send` so many times a second for so long, whatever becomes of the calls; resolves when all have. */
export async function atRate(perSecond: number, seconds: number, send: (n: number) => Promise<void>): Promise<void> {
  const calls: Promise<void>[] = []
  const startedAt = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passed = (performance.now() - startedAt) / 1_000
      const due = Math.floor(Math.min(passed, seconds) * perSecond)
      while (calls.length < due) calls.push(send(calls.length))
      if (passed < seconds) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  await Promise.all(calls)
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
