/** What it means how a request went. */
import type { Outcome } from '../channel.ts'
import type { OutboundAnswer } from './outbound.ts'

/** The vendor's code and words, of an answer that has them. */
export interface Said {
  readonly code: string
  readonly text: string
}

/** Codes that pass, with the ms to wait; 0: as long as the hub likes. Every other code stays as it is. */
export type Passing = ReadonlyMap<string, number>

export type Answered = Extract<OutboundAnswer, { ok: true }>
export type Refusal = Extract<Outcome, { kind: 'failed' | 'retry' }>

/** RFC 9110 section 15: too slow, too early, too many; and all of 5xx */
const PASSING_STATUS = new Set([408, 425, 429])
/** The request itself is at fault or nobody is there any more: the same bytes will never do better. */
const PERMANENT_STATUS = new Set([410, 413, 414, 431])

/** The outcome of a request that nobody answered. */
export function unanswered({ detail, maybeDelivered, blocked }: Exclude<OutboundAnswer, Answered>): Outcome {
  if (blocked) return { kind: 'failed', detail }
  return { kind: maybeDelivered ? 'unknown' : 'retry', detail }
}

/** The outcome where any 2xx is success and the other side is a program that may be mended any time. */
export function outcomeOfStatus(answer: OutboundAnswer, success: Outcome): Outcome {
  if (!answer.ok) return unanswered(answer)
  const { status, retryAfterMs } = answer
  if (status >= 200 && status < 300) return success
  const detail = `HTTP ${status}`
  if (PERMANENT_STATUS.has(status)) return { kind: 'failed', detail }
  return { kind: 'retry', detail, ...(retryAfterMs === null ? {} : { retryAfterMs }) }
}

/**
 * The outcome of a vendor's answer that is no success: its own code first, then the HTTP status.
 * @param said null: the answer is not the vendor's, or makes no sense
 * @param unread what a 2xx means that makes no sense: `retry` where sending twice does no harm
 */
export function refusal(
  { status, body, retryAfterMs }: Answered,
  said: Said | null,
  passing: Passing,
  unread: 'failed' | 'retry' = 'failed',
): Refusal {
  const detail = said ? `${said.code} ${said.text}`.trim() : `HTTP ${status}`
  if (!said && status >= 200 && status < 300) {
    return { kind: unread, detail: `${detail}, but the answer makes no sense`, answer: body }
  }
  const known = said ? passing.get(said.code) : undefined
  if (known === undefined && !PASSING_STATUS.has(status) && status < 500)
    return { kind: 'failed', detail, answer: body }
  const wait = retryAfterMs ?? (known || null)
  return { kind: 'retry', detail, answer: body, ...(wait === null ? {} : { retryAfterMs: wait }) }
}
