/**
 * One try of a delivery on one endpoint. It is written before the call and its outcome after it, so a crash
 * leaves a trace and never a gap.
 */
import type { Endpoint, Io, Sent } from '../channels/channel.ts'
import { isSuccess } from '../channels/outcome.ts'
import type { Clock } from '../ground/clock.ts'
import type { Log } from '../ground/log.ts'
import { type RecipientId, wireName } from '../protocol/address.ts'
import type { Mid } from '../protocol/states.ts'
import type { Attempt, Claimed, Delivery, Store } from '../store/store.ts'
import { contentOf } from './content.ts'
import type { ChannelMeters, Meters } from './meters.ts'
import type { DueClock } from './due.ts'
import type { Plans, Step } from './plan.ts'
import { event, type Event, type Settle } from './settle.ts'
import type { Traffic } from './traffic.ts'
import { countOf, retryAt, triesOf } from './tries.ts'
import { count } from '../ground/tally.ts'

const RESTS: Sent = { kind: 'retry', detail: 'it failed too often and rests for a while' }

export interface AttemptOptions {
  readonly store: Store
  readonly settle: Settle
  readonly plans: Plans
  readonly traffic: Traffic
  readonly clock: Clock
  readonly due: DueClock
  readonly log: Log
  readonly meters: Meters
  readonly io: Io
  /** whether the recipient's sessions are owed what endpoints got or refused */
  readonly connects: (recipient: RecipientId) => boolean
  /** the link by which a person confirms; null where the hub has no public address */
  readonly confirmUrl: ((mid: Mid, recipient: RecipientId, channel: string) => string) | null
  readonly random?: () => number
  /** Does a write until the store takes it. Throws when it never will, or the hub stops. */
  readonly persist: <T>(write: () => Promise<T>) => Promise<T>
}

/**
 * Tries once, when there is a place for it. The outcome and the state it means are durable when this resolves.
 * @param n number of the attempt in its delivery
 * @throws what the store throws: nothing was sent, or the attempt stays on record as one without an outcome
 */
export async function attempt(
  options: AttemptOptions,
  work: Claimed,
  step: Step,
  endpoint: Endpoint,
  n: number,
): Promise<Attempt> {
  const { settle, traffic, clock, persist } = options
  const { mid, recipient } = work.delivery
  const meter = options.meters.channel(endpoint.channel)
  const leave = await placeFor(traffic, endpoint, meter)
  const tries = triesOf(endpoint, work.attempts, work.delivery.step)
  const begun: Attempt = {
    n,
    step: work.delivery.step,
    endpoint: endpoint.id,
    channel: endpoint.channel,
    startedAt: clock.now(),
    endedAt: null,
    outcome: null,
    detail: null,
    maybeDuplicate: tries.kind === 'due' && tries.repeats,
  }
  let outcome = RESTS
  try {
    if (traffic.isResting(endpoint)) {
      count(meter.outcomes, 'rests')
    } else {
      const sent = event(mid, recipient, 'sent', { via: endpoint.channel, closes: false })
      await persist(() => settle.now([sent], [{ op: 'attempt', mid, recipient, attempt: begun }]))
      const sentAt = clock.elapsed()
      outcome = await send(options, work, step, endpoint, tries.kind === 'due' ? tries.skip : 0)
      meter.seconds.add((clock.elapsed() - sentAt) / 1_000)
      count(meter.outcomes, outcome.kind)
      traffic.ended(endpoint, outcome)
    }
  } finally {
    leave()
  }
  return record(options, work, step, endpoint, begun, outcome)
}

/** Waits for a place; returns how to leave it. */
async function placeFor(traffic: Traffic, endpoint: Endpoint, meter: ChannelMeters): Promise<() => void> {
  meter.waiting += 1
  const leave = await traffic.enter(endpoint).finally(() => (meter.waiting -= 1))
  meter.sending += 1
  return () => {
    meter.sending -= 1
    leave()
  }
}

async function record(
  { settle, plans, clock, due, log, connects, random = Math.random, persist }: AttemptOptions,
  { delivery, attempts }: Claimed,
  step: Step,
  endpoint: Endpoint,
  begun: Attempt,
  outcome: Sent,
): Promise<Attempt> {
  const { mid, recipient } = delivery
  const tries = countOf(endpoint, attempts, delivery.step)
  const again = retryAt(outcome, endpoint.backoff, tries, due.now(), random())
  const ended: Attempt = {
    ...begun,
    endedAt: clock.now(),
    outcome: outcome.kind,
    detail: outcome.detail ?? null,
    ...(again === null ? {} : { retryAt: again }),
    ...(outcome.parts === undefined ? {} : { parts: outcome.parts }),
    ...('answer' in outcome && outcome.answer !== undefined ? { answer: outcome.answer } : {}),
  }
  report(log, delivery, plans.reach(recipient)?.name, ended)
  const events = raised(delivery, step, endpoint, outcome, connects(recipient))
  await persist(() => settle.now(events, [{ op: 'attempt', mid, recipient, attempt: ended }]))
  return ended
}

/** A channel never throws; one that does has a fault, and its words may hold a secret. */
async function send(
  { io, log, plans, confirmUrl }: AttemptOptions,
  { message, delivery: { recipient } }: Claimed,
  { until }: Step,
  endpoint: Endpoint,
  skip: number,
): Promise<Sent> {
  const name = plans.reach(recipient)?.name ?? wireName(recipient)
  const link = (until === 'confirmed' && confirmUrl?.(message.mid, recipient, endpoint.channel)) || null
  try {
    return await endpoint.send(contentOf(message, name, link), io, skip)
  } catch (error) {
    const detail = error instanceof Error ? error.name : 'unknown error'
    log.error({ mid: message.mid, endpoint: endpoint.id, detail }, 'a channel threw')
    return { kind: 'unknown', detail }
  }
}

/**
 * What an endpoint has is no longer owed, but to sessions of a recipient that opens some, and to whoever is
 * still to confirm.
 */
function raised(
  { mid, recipient }: Delivery,
  { until }: Step,
  { channel }: Endpoint,
  { kind }: Sent,
  connects: boolean,
): Event[] {
  if (!isSuccess(kind)) return []
  return [event(mid, recipient, kind, { via: channel, closes: !connects && until !== 'confirmed' })]
}

/** The words of PushServer, so that whoever watches its log can watch ours. */
function report(log: Log, { mid, recipient }: Delivery, name: string | undefined, ended: Attempt): void {
  const { channel, endpoint, outcome, detail, startedAt, endedAt } = ended
  const took = (endedAt ?? startedAt) - startedAt
  const facts = { platform: channel, recipient: wireName(recipient), name, mid, endpoint, outcome, ms: took }
  const isMail = channel === 'email'
  if (outcome !== null && isSuccess(outcome)) log.info(facts, isMail ? '邮件发送成功' : '消息推送成功')
  else log.error({ ...facts, error: detail }, isMail ? '邮件发送失败' : '消息推送失败')
}
