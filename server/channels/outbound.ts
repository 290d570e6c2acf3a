/** HTTP on its way out: time and size limits, proxies, no redirects, no secrets in errors. */
import { Agent, type Dispatcher, errors, ProxyAgent } from 'undici'
import type { Outcome } from './channel.ts'

const CONNECT_MS = 5_000
const WHOLE_MS = 15_000
const MAX_ANSWER_BYTES = 64 * 1024
const CONNECTIONS_PER_ORIGIN = 16

export interface Proxy {
  readonly host: string
  readonly port: number
  readonly auth?: { readonly username: string; readonly password: string } | undefined
  readonly protocol?: 'http' | 'https' | undefined
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly proxy?: Proxy | undefined
}

/** `retryAfterMs` is the Retry-After header in ms from now, whichever of its two forms was sent. */
export type OutboundAnswer =
  | {
      readonly ok: true
      readonly status: number
      readonly body: string
      readonly retryAfterMs: number | null
    }
  | { readonly ok: false; readonly detail: string; readonly maybeDelivered: boolean }

export interface Outbound {
  /** One request, 5 s to connect and 15 s in all. Never throws: a network error is an answer. */
  request(request: OutboundRequest): Promise<OutboundAnswer>
  close(): Promise<void>
}

/** @param now ms since epoch, to read a Retry-After date */
export function createOutbound(now: () => number): Outbound {
  const options = { connect: { timeout: CONNECT_MS }, connections: CONNECTIONS_PER_ORIGIN }
  const direct = new Agent(options)
  const proxies = new Map<string, ProxyAgent>()

  function through(proxy: Proxy | undefined): Dispatcher {
    if (!proxy) return direct
    const uri = `${proxy.protocol ?? 'http'}://${proxy.host}:${proxy.port}`
    const credentials = proxy.auth && `${proxy.auth.username}:${proxy.auth.password}`
    const key = `${uri} ${credentials ?? ''}`
    let agent = proxies.get(key)
    if (!agent) {
      const token = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
      agent = new ProxyAgent({ uri, proxyTunnel: false, ...options, ...(token ? { token } : {}) })
      proxies.set(key, agent)
    }
    return agent
  }

  return {
    async request({ method, url, headers, body, proxy }) {
      const limit = AbortSignal.timeout(WHOLE_MS)
      try {
        const target = new URL(url)
        const answer = await through(proxy).request({
          origin: target.origin,
          path: target.pathname + target.search,
          method,
          headers,
          body: body ?? null,
          signal: limit,
        })
        const after = answer.headers['retry-after']
        return {
          ok: true,
          status: answer.statusCode,
          body: await readLimited(answer.body),
          retryAfterMs: typeof after === 'string' ? retryAfterMs(after, now()) : null,
        }
      } catch (error) {
        return { ok: false, detail: describe(error), maybeDelivered: !neverSent(error) }
      }
    },
    async close() {
      await Promise.all([direct.destroy(), ...[...proxies.values()].map((proxy) => proxy.destroy())])
    },
  }
}

/** What an HTTP answer means where 2xx is success: the classes of channels.md section 5. */
export function outcomeOfStatus(answer: OutboundAnswer, success: Outcome): Outcome {
  if (!answer.ok) {
    return { kind: 'retry', detail: answer.detail, maybeDelivered: answer.maybeDelivered }
  }
  if (answer.status >= 200 && answer.status < 300) return success
  const detail = `HTTP ${answer.status}`
  if (answer.status === 410) return { kind: 'failed', detail }
  return answer.retryAfterMs === null
    ? { kind: 'retry', detail }
    : { kind: 'retry', detail, retryAfterMs: answer.retryAfterMs }
}

async function readLimited(body: Dispatcher.ResponseData['body']): Promise<string> {
  let text = ''
  for await (const chunk of body.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > MAX_ANSWER_BYTES) break
  }
  return text.slice(0, MAX_ANSWER_BYTES)
}

function retryAfterMs(header: string, now: number): number | null {
  const seconds = Number(header)
  if (header.trim() !== '' && Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

/** Codes and class names only: messages of network errors may carry the URL. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error.name === 'TimeoutError') return `no answer within ${WHOLE_MS / 1000} s`
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function neverSent(error: unknown): boolean {
  if (error instanceof errors.ConnectTimeoutError) return true
  const code = error instanceof Error && 'code' in error ? error.code : null
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EHOSTUNREACH'
}
