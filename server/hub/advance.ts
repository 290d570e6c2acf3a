/**
 * What is done with a delivery that fell due: the rules of a plan.
 *
 *   round: each endpoint of a track once, up to the first success → back-off → next round …
 *          permanent failures leave the step, endpoints without a free place in their rate are passed over
 *   step:  until the delivery got as far as the step asks, or nothing is left to try → wait → next step
 *   end:   nothing took it: failed, and the last line of defence is told, in one write
 *
 * A step ends by what its endpoints did. What the recipient's sessions did ends the plan: an ack or confirm
 * that reaches `until` stops further steps and, where one success is enough, further rounds.
 */
import type { Endpoint } from '../channels/channel.ts'
import { isSuccess } from '../channels/outcome.ts'
import { hasArrived, isFinal, type State } from '../protocol/states.ts'
import type { RecipientId } from '../protocol/address.ts'
import type { Attempt, Claimed, Step as StepOp } from '../store/store.ts'
import type { Alarm, AlarmReason } from './alarm.ts'
import { attempt, type AttemptOptions } from './attempt.ts'
import { isReached, type Plan, type Step, type Track } from './plan.ts'
import { event, type Event } from './settle.ts'
import { hasWorked, roundAfter, triesOf } from './tries.ts'

/** A step whose next round is further away than this is left, if there is another. */
const PATIENCE_MS = 30_000

export interface AdvanceOptions extends AttemptOptions {
  readonly alarm: Alarm
  readonly isLive: (recipient: RecipientId) => boolean
  /** whether a person has a way to say that they saw it; if not, an ack has to do */
  readonly canConfirm: (recipient: RecipientId) => boolean
}

/**
 * Does what is due now and schedules what comes next.
 * @param work its fence may be renewed while this runs
 * @returns whether what comes next is due at once
 * @throws what the store throws: the delivery comes back when its lease ends
 */
export async function advance(options: AdvanceOptions, work: Claimed): Promise<boolean> {
  const { message, delivery } = work
  const plan = options.plans.of(delivery.recipient, message.strategy)
  const step = goal(options, plan, delivery.recipient, delivery.step)
  const before = goal(options, plan, delivery.recipient, delivery.step - 1)

  if (isFinal(delivery.state)) return move(options, work, { step: delivery.step, dueAt: null })
  if (message.expiresAt !== null && message.expiresAt <= options.clock.now()) return end(options, work, 'expired')
  if (isOver(work, step, before)) return rest(options, work, plan)
  if (!step) return before && before.wait > 0 ? unconfirmed(options, work, plan) : rest(options, work, plan)

  const made = await round(options, work, step)
  const attempts = [...work.attempts, ...made]
  const { traffic } = options
  const freeAt = (endpoint: Endpoint) => (made.length === 0 ? traffic.promise(endpoint) : traffic.freeAt(endpoint))
  const next = roundAfter(step, attempts, delivery.step, freeAt)
  const state = (await options.store.delivery(delivery.mid, delivery.recipient))?.state ?? delivery.state
  if (isFinal(state)) return move(options, work, { step: delivery.step, dueAt: null })

  const hasNext = delivery.step + 1 < plan.length
  const isTooLate = next !== null && hasNext && next.at > options.due.now() + PATIENCE_MS
  if (next === null || isTooLate || (isOne(step) && isReached(step.until, state))) {
    return leave(options, work, plan, step, attempts, state)
  }
  return move(options, work, {
    step: delivery.step,
    dueAt: Math.min(next.at, expiryOf(options, work, state) ?? Infinity),
    holds: next.ordered,
  })
}

/** The step of a plan, with what it can ask for: where nobody can confirm, an ack is the most there is. */
function goal({ canConfirm }: AdvanceOptions, plan: Plan, recipient: RecipientId, n: number): Step | undefined {
  const step = plan[n]
  if (step?.until !== 'confirmed' || canConfirm(recipient)) return step
  return { ...step, until: 'delivered' }
}

/** The delivery got where it should while it waited for this step, or for another round of it. */
function isOver({ delivery, attempts }: Claimed, step: Step | undefined, before: Step | undefined): boolean {
  if (before && isReached(before.until, delivery.state)) return true
  const begun = attempts.some((made) => made.step === delivery.step)
  return begun && step !== undefined && isOne(step) && isReached(step.until, delivery.state)
}

/** One success anywhere is all that the step wants. */
function isOne({ tracks: [track, another] }: Step): boolean {
  return track?.mode === 'first' && !another
}

/** Tries once what may be tried now; returns the attempts made. */
async function round(options: AdvanceOptions, work: Claimed, step: Step): Promise<readonly Attempt[]> {
  const n = work.delivery.step
  let last = work.attempts.reduce((highest, made) => Math.max(highest, made.n), 0)
  const tryOn = (endpoint: Endpoint) => attempt(options, work, step, endpoint, (last += 1))
  const runs = step.tracks
    .filter((track) => !hasWorked(track, work.attempts, n))
    .map((track) => runTrack(options, work, track, tryOn))
  return (await allOf(runs)).flat()
}

async function runTrack(
  { traffic, due }: AdvanceOptions,
  work: Claimed,
  { endpoints, mode }: Track,
  tryOn: (endpoint: Endpoint) => Promise<Attempt>,
): Promise<readonly Attempt[]> {
  const now = due.now()
  const ready = endpoints.filter((endpoint) => {
    const tries = triesOf(endpoint, work.attempts, work.delivery.step)
    return tries.kind === 'due' && tries.at <= now
  })
  /** what has no place in its rate is passed over, and not counted as a try */
  const take = (endpoint: Endpoint): boolean => {
    if (traffic.freeAt(endpoint) > due.now()) return false
    traffic.take(endpoint)
    return true
  }
  if (mode === 'all') return allOf(ready.filter(take).map(tryOn))

  const made: Attempt[] = []
  for (const endpoint of ready) {
    if (!take(endpoint)) continue
    const ended = await tryOn(endpoint)
    made.push(ended)
    if (ended.outcome !== null && isSuccess(ended.outcome)) break
  }
  return made
}

/** Waits for all of them, also when one throws: none goes on behind the runner's back. */
async function allOf<T>(runs: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(runs)
  return Promise.all(runs)
}

/** The step has nothing more to try: the plan ends, or its next step follows, after a wait if somebody may still answer. */
function leave(
  options: AdvanceOptions,
  work: Claimed,
  plan: Plan,
  step: Step,
  attempts: readonly Attempt[],
  state: State,
): Promise<boolean> {
  const { recipient } = work.delivery
  const next = work.delivery.step + 1
  const waits = step.wait > 0 && mayAnswer(options, work, step, attempts)
  if (!isReached(step.until, state) && (next < plan.length || waits)) {
    return move(options, work, { step: next, dueAt: options.due.now() + (waits ? step.wait : 0) })
  }
  if (isReached('accepted', state)) {
    const isEnough = step.until === 'accepted' || isReached(step.until, state)
    return rest(options, work, plan, state, isEnough ? null : 'unconfirmed')
  }
  if (options.connects(recipient)) return rest(options, work, plan, state, 'exhausted')
  return end(options, work, 'failed', plan.length)
}

/** An endpoint of the step took it, or it is for sessions and there are some. */
function mayAnswer({ isLive }: AdvanceOptions, work: Claimed, step: Step, attempts: readonly Attempt[]): boolean {
  if (step.tracks.length === 0) return isLive(work.delivery.recipient)
  return attempts.some((made) => made.step === work.delivery.step && made.outcome !== null && isSuccess(made.outcome))
}

/** The last rung's time is over and nobody confirmed. */
function unconfirmed(options: AdvanceOptions, work: Claimed, plan: Plan): Promise<boolean> {
  const { state, recipient } = work.delivery
  const isReachedAtAll = isReached('accepted', state)
  if (isReachedAtAll || options.connects(recipient)) return rest(options, work, plan, state, 'unconfirmed')
  return end(options, work, 'failed', plan.length)
}

/** Nothing goes out any more; what expires must still be told so, and what nobody took is not kept quiet. */
async function rest(
  options: AdvanceOptions,
  work: Claimed,
  plan: Plan,
  state = work.delivery.state,
  alarm: AlarmReason | null = null,
): Promise<boolean> {
  const { mid, recipient, open } = work.delivery
  const to: Move = { step: plan.length, dueAt: expiryOf(options, work, state) }
  const closes = open && !options.connects(recipient) && isReached('accepted', state)
  if (!closes && alarm === null) return move(options, work, to)
  const closed = event(mid, recipient, state, { closes: true })
  return settle(options, work, closes ? [closed] : [], to, alarm)
}

function expiryOf({ due }: AdvanceOptions, { message }: Claimed, state: State): number | null {
  return hasArrived(state) || message.expiresAt === null ? null : due.of(message.expiresAt)
}

function end(
  options: AdvanceOptions,
  work: Claimed,
  state: 'expired' | 'failed',
  step = work.delivery.step,
): Promise<boolean> {
  const { mid, recipient } = work.delivery
  const reason = state === 'failed' ? 'exhausted' : state
  const ended = event(mid, recipient, state, { reason, closes: true })
  return settle(options, work, [ended], { step, dueAt: null }, state === 'failed' ? 'exhausted' : null)
}

/** The states, the move and the notification about them become durable together, or not at all. */
async function settle(
  options: AdvanceOptions,
  work: Claimed,
  events: readonly Event[],
  to: Move,
  why: AlarmReason | null,
): Promise<boolean> {
  const { alarm, persist } = options
  const notification = why === null ? null : alarm.about(work, why)
  const ops = notification ? [stepOf(work, to), notification] : [stepOf(work, to)]
  const accepted = await persist(() => options.settle.now(events, ops))
  const [told] = accepted ?? []
  if (notification && told) alarm.announce(notification, told)
  return false
}

/** A crash before this is on disk only repeats the decision: the outcome it rests on is durable. */
async function move({ store, due, persist }: AdvanceOptions, work: Claimed, to: Move): Promise<boolean> {
  await persist(() => store.write([stepOf(work, to)], 'lazy'))
  return to.dueAt !== null && to.dueAt <= due.now()
}

interface Move {
  readonly step: number
  readonly dueAt: number | null
  /** the recipient's later deliveries wait for this one */
  readonly holds?: boolean
}

function stepOf({ delivery, fence }: Claimed, { step, dueAt, holds = false }: Move): StepOp {
  const { mid, recipient } = delivery
  return { op: 'step', mid, recipient, step, dueAt, holds, fence }
}
