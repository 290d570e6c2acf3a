/** What it means that a vendor did not take a message: its own code first, then the HTTP status. */
import type { Outcome } from './channel.ts'
import type { OutboundAnswer } from './outbound.ts'

/** The vendor's code and words, of an answer that has them. */
export interface Said {
  readonly code: string
  readonly text: string
}

/** Codes that pass, with the ms to wait; 0: as long as the hub likes. Every other code stays as it is. */
export type Passing = ReadonlyMap<string, number>

export type Answered = Extract<OutboundAnswer, { ok: true }>

/** RFC 9110 section 15: too slow, too early, too many; and all of 5xx */
const PASSING_STATUS = new Set([408, 425, 429])

/**
 * The outcome of an answer that is no success.
 * @param said null: the answer is not the vendor's, or makes no sense
 * @param unread what a 2xx means that makes no sense: `retry` where sending twice does no harm
 */
export function refusal(
  { status, body, retryAfterMs }: Answered,
  said: Said | null,
  passing: Passing,
  unread: 'failed' | 'retry' = 'failed',
): Outcome {
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
