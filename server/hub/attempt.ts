/**
 * One try of a delivery on one endpoint. It is written before the call and its outcome after it, so a crash
 * leaves a trace and never a gap.
 */
import { type Endpoint, type Io, type Outcome } from '../channels/channel.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Attempt, Claimed, Delivery, Store } from '../store/store.ts'
import { messageFrame } from './frame.ts'
import { event, type Event, type Settle } from './settle.ts'
import { countOf, isSuccess, retryAt, triesOf } from './tries.ts'

export interface AttemptOptions {
  readonly store: Store
  readonly settle: Settle
  readonly clock: Clock
  readonly log: Log
  readonly io: Io
  /** whether the recipient's sessions are owed what endpoints got or refused */
  readonly connects: (recipient: string) => boolean
  readonly random?: () => number
  /** Does a write until the store takes it. Throws when it never will, or the hub stops. */
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
}

/**
 * Tries once. The outcome and the state it means are durable when this resolves.
 * @param n number of the attempt in its delivery
 * @throws what the store throws: nothing was sent, or the attempt stays on record as one without an outcome
 */
export async function attempt(options: AttemptOptions, work: Claimed, endpoint: Endpoint, n: number): Promise<Attempt> {
  const { settle, clock, log, persist, random = Math.random } = options
  const { mid, recipient, step } = work.delivery
  const tries = triesOf(endpoint, work.attempts, step)
  const begun: Attempt = {
    n,
    step,
    endpoint: endpoint.id,
    channel: endpoint.channel,
    startedAt: clock.now(),
    endedAt: null,
    outcome: null,
    detail: null,
    maybeDuplicate: tries.kind === 'due' && tries.repeats,
  }
  const sent = event(mid, recipient, 'sent', { via: endpoint.channel, closes: false })
  await persist(() => settle.now([sent], [{ op: 'attempt', mid, recipient, attempt: begun }]))

  const outcome = await send(options, work, endpoint)
  const now = clock.now()
  const again = retryAt(outcome, endpoint.backoff, countOf(endpoint, work.attempts, step), now, random())
  const ended: Attempt = {
    ...begun,
    endedAt: now,
    outcome: outcome.kind,
    detail: 'detail' in outcome ? outcome.detail : null,
    ...(again === null ? {} : { retryAt: again }),
  }
  report(log, work.delivery, ended)
  const events = raised(work.delivery, endpoint, outcome, options.connects(recipient))
  await persist(() => settle.now(events, [{ op: 'attempt', mid, recipient, attempt: ended }]))
  return ended
}

/** A channel never throws; one that does has a fault, and its words may hold a secret. */
async function send({ io, log }: AttemptOptions, { message }: Claimed, endpoint: Endpoint): Promise<Outcome> {
  try {
    return await endpoint.send(messageFrame(message), io)
  } catch (error) {
    const detail = error instanceof Error ? error.name : 'unknown error'
    log.error({ mid: message.mid, endpoint: endpoint.id, detail }, 'a channel threw')
    return { kind: 'unknown', detail }
  }
}

/** What an endpoint has is no longer owed, but to sessions of a recipient that opens some. */
function raised({ mid, recipient }: Delivery, { channel }: Endpoint, { kind }: Outcome, connects: boolean): Event[] {
  if (!isSuccess(kind)) return []
  return [event(mid, recipient, kind, { via: channel, closes: kind === 'delivered' && !connects })]
}

function report(log: Log, { mid, recipient }: Delivery, ended: Attempt): void {
  const { endpoint, outcome, detail, startedAt, endedAt } = ended
  const facts = { mid, recipient, endpoint, outcome, detail, ms: (endedAt ?? startedAt) - startedAt }
  if (outcome !== null && isSuccess(outcome)) log.info(facts, '消息推送成功')
  else log.warn(facts, '消息推送失败')
}
