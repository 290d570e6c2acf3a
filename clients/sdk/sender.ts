import { systemClock } from './clock.ts'
import { CarillonError } from './error.ts'
import { errorName, pushData, readInfo, readReply } from './packets.ts'
import { hubUrl } from './url.ts'
import { randomKey, withPatience } from './retry.ts'
import type { Pusher, Receipt, SenderOptions } from './types.ts'

const TIMEOUT_MS = 30_000

/**
 * Pushes by HTTP, without a connection.
 * @param url of the hub: `http:`, `https:`, `ws:` or `wss:`
 * @throws TypeError when the URL is none
 */
export function createSender(url: string, options: SenderOptions = {}): Pusher {
  const { token, timeoutMs = TIMEOUT_MS, fetch = globalThis.fetch } = options
  const { clock = systemClock, random = Math.random } = options
  const href = hubUrl(url, 'http')

  async function post(body: string, key: string | undefined): Promise<Receipt> {
    const headers = new Headers({ 'content-type': 'application/json' })
    if (token) headers.set('authorization', `Bearer ${token}`)
    if (key) headers.set('idempotency-key', key)
    const limit = new AbortController()
    const cancel = clock.after(timeoutMs, () => limit.abort(new Error(`no answer within ${timeoutMs} ms`)))
    try {
      const response = await fetch(href, { method: 'POST', headers, body, signal: limit.signal })
      return receiptOf(response.status, response.headers, await response.text())
    } catch (error) {
      throw error instanceof CarillonError ? error : new CarillonError('unreachable', `${href}: ${reasonOf(error)}`)
    } finally {
      cancel()
    }
  }

  return {
    async push(push, { key, retryForMs = 0 } = {}) {
      const idem = key ?? (retryForMs > 0 ? randomKey() : undefined)
      const body = JSON.stringify({ cmd: 'MESSAGE', data: pushData(push, undefined) })
      const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))
      return withPatience(() => post(body, idem), { forMs: retryForMs, clock, random, pause })
    },
  }
}

/** @throws CarillonError */
function receiptOf(status: number, headers: { get(name: string): string | null }, body: string): Receipt {
  const receipt = status === 200 ? readReply(body, headers.get('x-message-id') ?? '') : null
  if (receipt) return receipt
  const code = errorName(headers.get('x-error')) ?? 'unexpected'
  const retryAfter = Number(headers.get('retry-after') ?? NaN)
  throw new CarillonError(code, readInfo(body) || `the answer is ${status} and not one of a hub`, {
    status,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
  })
}

/** Node's fetch says why only in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}
