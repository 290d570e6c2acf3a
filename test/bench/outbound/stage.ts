/** A vendor of chat robots that answers in 20 ms, or never, and what sends to them through a hub. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createPool, postRequest } from '../generator/pusher.ts'

const ANSWER_MS = 20
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

/** A config with so many recipients with a robot each that works (`r0` …), and as many with one that hangs (`h0` …). */
export function configOf(vendor: Vendor, robots: number, queue: object): object {
  const one = (prefix: string, n: number, platforms: object) => [`${prefix}${n}`, { platforms }] as const
  const recipients = Array.from({ length: robots }, (_, n) => [
    one('r', n, { feishu: { webhooks: [{ url: `${vendor.url}/hook/${n}`, secret: 'bench' }] } }),
    one('h', n, { dingtalk: { webhooks: [{ url: `${vendor.url}/hang?access_token=${n}` }] } }),
  ]).flat()
  return { queue, recipients: Object.fromEntries(recipients) }
}

/** Pushes to an alias; resolves with the ms that the answer took. */
export type Send = (alias: string, n: number) => Promise<number>

export function createSender(port: number): Send {
  const pool = createPool(port)
  return async (alias, n) => {
    const content = { title: `disk full n=${n}`, msg: 'the disk of db1 is at 95 %' }
    const task = { recipient_alias: alias, type: 'error', strategy: 'failover', style: 'card', content }
    const { status, body, ms } = await pool.request(postRequest('/api/v1/push', task))
    if (status !== 200) throw new Error(`a push was answered ${status}: ${body}`)
    return ms
  }
}
