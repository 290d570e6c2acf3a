/** HTTP on its way out: time and size limits, no redirects, no secrets in errors. */
import type { LookupFunction } from 'node:net'
import { type Dispatcher, errors } from 'undici'
import type { Clock } from '../../ground/clock.ts'
import { objectionTo } from '../../ground/network.ts'
import { Blocked } from './guard.ts'
import { createRoutes, type Proxy } from './routes.ts'

const MAX_ANSWER_BYTES = 64 * 1024
const BLOCKED = { ok: false, detail: 'blocked', maybeDelivered: false, blocked: true } as const
/** who asks for more has a fault of its own, say an epoch time where seconds are meant */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000

export interface OutboundRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /**
   * the operator wrote this address: it may be one of this machine or network. Where somebody else did, only
   * http(s) without user info to public addresses is called; through a proxy, which looks up names by itself,
   * only the name or literal address can be judged
   */
  readonly trusted: boolean
  /** where that is shorter than for all others */
  readonly timeoutMs?: number
  readonly proxy?: Proxy | undefined
}

export type OutboundAnswer =
  | {
      readonly ok: true
      readonly status: number
      /** at most 64 KiB; cut short where the answer broke off or time was up */
      readonly body: string
      /** the Retry-After header in ms from now, whichever of its two forms was sent */
      readonly retryAfterMs: number | null
    }
  /** No status came. `maybeDelivered`: the request may have arrived all the same. `blocked`: it is never sent. */
  | {
      readonly ok: false
      readonly detail: string
      readonly maybeDelivered: boolean
      readonly blocked?: true
    }

export interface Outbound {
  /** One request, 5 s to connect. Never throws: a network error is an answer. */
  request(request: OutboundRequest): Promise<OutboundAnswer>
  /** Cuts what is in flight. */
  close(): Promise<void>
}

/**
 * @param timeoutMs for a whole request, its answer included
 * @param lookup how names become addresses, the system's way unless told
 */
export function createOutbound(
  clock: Clock,
  timeoutMs: number,
  { lookup }: { lookup?: LookupFunction } = {},
): Outbound {
  const routes = createRoutes(lookup)

  return {
    async request({ method, url, headers, body, trusted, proxy, timeoutMs: own = timeoutMs }) {
      const limit = timeLimit(clock, Math.min(own, timeoutMs))
      try {
        const target = new URL(url)
        if (!trusted && objectionTo(target) !== null) throw new Blocked()
        const route = routes.to(target, proxy, trusted)
        const asked = route.dispatcher.request({
          origin: route.origin,
          path: route.path,
          method,
          headers: { ...headers, ...route.headers },
          body: body ?? null,
          signal: limit.signal,
        })
        const answer = await Promise.race([asked, limit.reached])
        const [after] = [answer.headers['retry-after']].flat()
        return {
          ok: true,
          status: answer.statusCode,
          body: await readLimited(answer.body),
          retryAfterMs: after === undefined ? null : readRetryAfter(after, clock.now()),
        }
      } catch (error) {
        if (error instanceof Blocked) return BLOCKED
        return { ok: false, detail: describe(error), maybeDelivered: !neverSent(error) }
      } finally {
        limit.cancel()
      }
    },
    close: () => routes.close(),
  }
}

/** The signal alone is not enough: a request that still waits for a connection does not listen to it. */
function timeLimit(clock: Clock, timeoutMs: number) {
  const control = new AbortController()
  const { signal } = control
  const cancel = clock.after(timeoutMs, () => control.abort(new TimeUp(`no answer within ${timeoutMs / 1000} s`)))
  const reached = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return { signal, reached, cancel }
}

/** The status stands, however the answer ends: what was read until then is all there is. */
async function readLimited(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) break
      chunks.push(chunk)
      size += chunk.length
      if (size >= MAX_ANSWER_BYTES) break
    }
  } catch {
    // reset, malformed or too slow
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString()
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3), in ms from now; null when it is neither. */
function readRetryAfter(header: string, now: number): number | null {
  const text = header.trim()
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return !/^(\d+$|[A-Z])/.test(text) || Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS)
}

class TimeUp extends Error {}

/** Codes and class names only: messages of network errors may carry the URL. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error instanceof TimeUp) return error.message
  const refusal = refusalOfProxy(error)
  if (refusal !== null) return `the proxy answered HTTP ${refusal}`
  return codeOf(error) ?? error.name
}

function neverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof errors.ConnectTimeoutError || error instanceof errors.InvalidArgumentError) return true
  if (refusalOfProxy(error) !== null) return true
  const code = codeOf(error)
  return code !== null && NEVER_SENT.test(code)
}

/** Nobody was there, or it was not the one its certificate should name. */
const NEVER_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ERR_INVALID_URL|ERR_TLS_\w+|CERT_\w+|\w+_CERT(IFICATE)?\w*|UNABLE_TO_\w+)$/

/** The proxy's word for a tunnel it did not open. */
function refusalOfProxy(error: Error): string | null {
  if (!(error instanceof errors.RequestAbortedError)) return null
  return /^Proxy response \((\d+)\)/.exec(error.message)?.[1] ?? null
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null
}
