/**
 * What is done with a delivery that fell due: the rules of a plan.
 *
 *   round: each endpoint of the step once → back-off → next round …        permanent failures leave the step
 *   step:  until the delivery got as far as the step asks, or nothing is left to try → wait → next step
 *
 * A step ends by what its endpoints did. What the recipient's sessions did ends the plan: an ack or confirm
 * that reaches `until` stops further steps and, in mode `first`, further rounds. In mode `all` every endpoint
 * still gets the message.
 */
import type { Endpoint } from '../channels/channel.ts'
import { hasArrived, isFinal, type State } from '../protocol/states.ts'
import type { Attempt, Claimed, Step as StepOp } from '../store/store.ts'
import { attempt, type AttemptOptions } from './attempt.ts'
import { isReached, type Plan, type Plans, type Step } from './plan.ts'
import { event } from './settle.ts'
import { isSuccess, roundAfter, triesOf } from './tries.ts'

export interface AdvanceOptions extends AttemptOptions {
  readonly plans: Plans
}

/**
 * Does what is due now and schedules what comes next.
 * @param work its fence may be renewed while this runs
 * @throws what the store throws: the delivery comes back when its lease ends
 */
export async function advance(options: AdvanceOptions, work: Claimed): Promise<void> {
  const { message, delivery } = work
  const plan = options.plans.of(delivery.recipient, message.strategy)
  const step = plan[delivery.step]

  if (isFinal(delivery.state)) return move(options, work, { step: delivery.step, dueAt: null })
  if (message.expiresAt !== null && message.expiresAt <= options.clock.now()) return end(options, work, 'expired')
  if (!step || isOver(plan, work)) return rest(options, work, plan)

  const attempts = [...work.attempts, ...(await round(options, work, step))]
  const next = roundAfter(step, attempts, delivery.step)
  const state = (await options.store.delivery(delivery.mid, delivery.recipient))?.state ?? delivery.state
  if (isFinal(state)) return move(options, work, { step: delivery.step, dueAt: null })
  if (next === null || (step.mode === 'first' && isReached(step.until, state))) {
    return leave(options, work, plan, step, state)
  }
  return move(options, work, {
    step: delivery.step,
    dueAt: Math.min(next.at, expiryOf(work, state) ?? Infinity),
    holds: next.ordered,
  })
}

/** The delivery got where it should while it waited for this step, or for another round of it. */
function isOver(plan: Plan, { delivery, attempts }: Claimed): boolean {
  const step = plan[delivery.step]
  const before = plan[delivery.step - 1]
  if (before && isReached(before.until, delivery.state)) return true
  const begun = attempts.some((made) => made.step === delivery.step)
  return begun && step?.mode === 'first' && isReached(step.until, delivery.state)
}

/** Tries once what may be tried now; returns the attempts made. */
async function round(options: AdvanceOptions, work: Claimed, step: Step): Promise<readonly Attempt[]> {
  const now = options.clock.now()
  const due = step.endpoints.filter((endpoint) => {
    const tries = triesOf(endpoint, work.attempts, work.delivery.step)
    return tries.kind === 'due' && tries.at <= now
  })
  const last = work.attempts.reduce((highest, made) => Math.max(highest, made.n), 0)
  const tryOn = (endpoint: Endpoint, place: number) => attempt(options, work, endpoint, last + 1 + place)
  if (step.mode === 'all') return allOf(due.map(tryOn))
  if (roundAfter(step, work.attempts, work.delivery.step) === null) return []

  const made: Attempt[] = []
  for (const [place, endpoint] of due.entries()) {
    const ended = await tryOn(endpoint, place)
    made.push(ended)
    if (ended.outcome !== null && isSuccess(ended.outcome)) break
  }
  return made
}

/** Waits for all of them, also when one throws: none goes on behind the runner's back. */
async function allOf(attempts: readonly Promise<Attempt>[]): Promise<readonly Attempt[]> {
  await Promise.allSettled(attempts)
  return Promise.all(attempts)
}

/** The step has nothing more to try: the plan ends, or its next step follows after a wait. */
function leave(options: AdvanceOptions, work: Claimed, plan: Plan, step: Step, state: State): Promise<void> {
  const next = work.delivery.step + 1
  if (!isReached(step.until, state) && next < plan.length) {
    return move(options, work, { step: next, dueAt: options.clock.now() + step.wait })
  }
  if (isReached('accepted', state) || options.connects(work.delivery.recipient)) {
    return rest(options, work, plan, state)
  }
  return end(options, work, 'failed', plan.length)
}

/** Nothing goes out any more; what expires must still be told so. */
function rest(options: AdvanceOptions, work: Claimed, plan: Plan, state = work.delivery.state): Promise<void> {
  return move(options, work, { step: plan.length, dueAt: expiryOf(work, state) })
}

function expiryOf({ message }: Claimed, state: State): number | null {
  return hasArrived(state) ? null : message.expiresAt
}

async function end(
  options: AdvanceOptions,
  work: Claimed,
  state: 'expired' | 'failed',
  step = work.delivery.step,
): Promise<void> {
  const { mid, recipient } = work.delivery
  const reason = state === 'failed' ? 'exhausted' : state
  const ended = event(mid, recipient, state, { reason, closes: true })
  await options.persist(() => options.settle.now([ended], [stepOf(work, { step, dueAt: null })]))
}

/** A crash before this is on disk only repeats the decision: the outcome it rests on is durable. */
async function move({ store, persist }: AdvanceOptions, work: Claimed, to: Move): Promise<void> {
  await persist(() => store.write([stepOf(work, to)], 'lazy'))
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
