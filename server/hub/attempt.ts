/**
 * The plan runner: moves deliveries over outbound endpoints. Work is claimed with a lease; the attempt is
 * written before the call and its outcome after it, so a crash leaves a trace and never a gap.
 *
 *   round: each endpoint of the step once → back-off → next round …        permanent failures leave the step
 *   step:  until the delivery got as far as the step asks, or nothing is left to try → wait → next step
 */
import type { Endpoint, Io, Outcome } from '../channels/channel.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { hasArrived, isFinal, type State } from '../protocol/states.ts'
import type { Attempt, Claimed, Delivery, Store } from '../store/store.ts'
import { messageFrame } from './frame.ts'
import type { Plans, Step } from './plan.ts'
import type { Replies } from './reply.ts'
import { event, type Event, type Settle } from './settle.ts'

const MAX_IN_FLIGHT = 64
/** longer than any channel takes for one round */
const LEASE_MS = 120_000
/** after a start, so that sessions can come back before overdue steps ring elsewhere */
const GRACE_MS = 5_000
const JITTER = 0.2

export interface Runner {
  /** Starts claiming; overdue work waits a moment for sessions to come back. */
  start(): Promise<void>
  /** There may be new work due now. */
  wake(): void
  /** Claims nothing more and waits for what is in flight. */
  stop(): Promise<void>
}

export interface RunnerOptions {
  readonly store: Store
  readonly plans: Plans
  readonly settle: Settle
  readonly replies: Replies
  readonly clock: Clock
  readonly log: Log
  readonly io: Io
  /** whether the recipient's sessions are owed what endpoints got or refused */
  readonly connects: (recipient: string) => boolean
  readonly random?: () => number
}

/** The outcome of an endpoint in a step: what it said last, and how often it was tried. */
interface Tried {
  readonly tries: number
  readonly last: string | null
}

export function createRunner(options: RunnerOptions): Runner {
  const { store, plans, settle, replies, clock, log, io, connects, random = Math.random } = options
  const inFlight = new Set<Promise<void>>()
  let running = false
  let claiming = false
  let again = false
  let cancelTimer: (() => void) | null = null

  function wake(): void {
    if (!running) return
    if (claiming) {
      again = true
      return
    }
    claiming = true
    claimAll()
      .catch((error: unknown) => log.error({ err: error }, 'due work could not be claimed'))
      .finally(() => {
        claiming = false
        if (again) {
          again = false
          wake()
        }
      })
  }

  async function claimAll(): Promise<void> {
    cancelTimer?.()
    cancelTimer = null
    while (running && inFlight.size < MAX_IN_FLIGHT) {
      const claimed = await store.claim(clock.now(), MAX_IN_FLIGHT - inFlight.size, LEASE_MS)
      if (claimed.length === 0) break
      for (const work of claimed) start(work)
    }
    if (!running || inFlight.size >= MAX_IN_FLIGHT) return
    const dueAt = await store.nextDue()
    if (dueAt !== null && running) cancelTimer = clock.after(Math.max(1, dueAt - clock.now()), wake)
  }

  function start(work: Claimed): void {
    const { mid, recipient } = work.delivery
    const done = advance(work)
      .catch((error: unknown) => log.error({ err: error, mid, recipient }, 'a delivery could not be moved on'))
      .finally(() => {
        inFlight.delete(done)
        replies.attemptEnded(mid, recipient)
        wake()
      })
    inFlight.add(done)
  }

  /** What is to be done with a delivery that fell due. */
  async function advance(work: Claimed): Promise<void> {
    const { message, delivery, earlier } = work
    const now = clock.now()
    const plan = plans.of(delivery.recipient, message.strategy)
    const step = plan[delivery.step]

    if (isFinal(delivery.state)) return finish(work)
    if (message.expiresAt !== null && message.expiresAt <= now) return expire(work)
    if (!step) return rest(work, plan.length)
    if (earlier && step.endpoints.some((endpoint) => endpoint.capabilities.ordered)) {
      return move(work, delivery.step, Math.max(earlier.dueAt, now + 1))
    }
    return round(work, step)
  }

  async function round(work: Claimed, step: Step): Promise<void> {
    const { delivery, attempts } = work
    const pending = step.endpoints.filter((endpoint) => !isDone(triedOf(endpoint, attempts, delivery.step)))
    const outcomes = step.mode === 'all' ? await tryAll(work, pending) : await tryUntilOne(work, pending)

    const worked = [...outcomes.values()].some((outcome) => isSuccess(outcome.kind))
    const retries = [...outcomes].filter(([, outcome]) => outcome.kind === 'retry')
    if (retries.length > 0 && !(step.mode === 'first' && worked)) {
      const delays = retries.map(([endpoint, outcome]) => retryDelay(work, endpoint, outcome))
      return move(work, delivery.step, clock.now() + Math.min(...delays))
    }
    return leave(work, step, worked)
  }

  function tryAll(work: Claimed, endpoints: readonly Endpoint[]): Promise<Map<Endpoint, Outcome>> {
    return Promise.all(
      endpoints.map(async (endpoint): Promise<[Endpoint, Outcome]> => [endpoint, await attempt(work, endpoint)]),
    ).then((entries) => new Map(entries))
  }

  async function tryUntilOne(work: Claimed, endpoints: readonly Endpoint[]): Promise<Map<Endpoint, Outcome>> {
    const outcomes = new Map<Endpoint, Outcome>()
    for (const endpoint of endpoints) {
      const outcome = await attempt(work, endpoint)
      outcomes.set(endpoint, outcome)
      if (isSuccess(outcome.kind)) break
    }
    return outcomes
  }

  /** One try on one endpoint: written before the call, its outcome and new state after it, in one write. */
  async function attempt(work: Claimed, endpoint: Endpoint): Promise<Outcome> {
    const { message, delivery, attempts } = work
    const { mid, recipient } = delivery
    const before = triedOf(endpoint, attempts, delivery.step)
    const begun: Attempt = {
      n: nextNumber(attempts, endpoint, plans.of(recipient, message.strategy)[delivery.step]),
      step: delivery.step,
      endpoint: endpoint.id,
      channel: endpoint.channel,
      startedAt: clock.now(),
      endedAt: null,
      outcome: null,
      detail: null,
      maybeDuplicate: before.last === UNKNOWN,
    }
    await store.write([{ op: 'attempt', mid, recipient, attempt: begun }], 'sync')
    const outcome = await endpoint.send(messageFrame(message), io)
    const ended: Attempt = {
      ...begun,
      endedAt: clock.now(),
      outcome: outcome.kind,
      detail: 'detail' in outcome ? outcome.detail : null,
    }
    await settle.now(raised(delivery, endpoint, outcome), [{ op: 'attempt', mid, recipient, attempt: ended }])
    report(delivery, ended)
    return outcome
  }

  function raised(delivery: Delivery, endpoint: Endpoint, { kind }: Outcome): Event[] {
    if (!isSuccess(kind)) return []
    const closes = kind === 'delivered' && !connects(delivery.recipient)
    return [event(delivery.mid, delivery.recipient, kind, { via: endpoint.channel, closes })]
  }

  function report({ mid, recipient }: Delivery, { endpoint, outcome, detail, startedAt, endedAt }: Attempt): void {
    const facts = { mid, recipient, endpoint, outcome, detail, ms: (endedAt ?? startedAt) - startedAt }
    if (outcome !== null && isSuccess(outcome)) log.info(facts, '消息推送成功')
    else log.warn(facts, '消息推送失败')
  }

  /** The step has nothing more to try: is the plan at its end, or does the next step follow after a wait? */
  async function leave(work: Claimed, step: Step, worked: boolean): Promise<void> {
    const { delivery } = work
    const plan = plans.of(delivery.recipient, work.message.strategy)
    const tried = work.attempts.some((made) => made.outcome !== null && isSuccess(made.outcome))
    const next = delivery.step + 1
    const reached = worked && step.until === 'accepted'
    if (!reached && next < plan.length) return move(work, next, clock.now() + step.wait)
    if (worked || tried || connects(delivery.recipient)) return rest(work, plan.length)
    return fail(work, plan.length)
  }

  /** Nothing goes out any more; what expires must still be told so. */
  function rest(work: Claimed, step: number): Promise<void> {
    const { expiresAt } = work.message
    return move(work, step, hasArrived(work.delivery.state) ? null : expiresAt)
  }

  function finish(work: Claimed): Promise<void> {
    return move(work, work.delivery.step, null)
  }

  /** A crash before this is on disk only repeats the decision: the outcome it rests on is durable. */
  async function move({ delivery, fence }: Claimed, step: number, dueAt: number | null): Promise<void> {
    const { mid, recipient } = delivery
    await store.write([{ op: 'step', mid, recipient, step, dueAt, fence }], 'lazy')
  }

  function expire(work: Claimed): Promise<void> {
    return end(work, work.delivery.step, 'expired', 'expired')
  }

  function fail(work: Claimed, step: number): Promise<void> {
    return end(work, step, 'failed', 'exhausted')
  }

  function end({ delivery, fence }: Claimed, step: number, state: State, reason: string): Promise<void> {
    const { mid, recipient } = delivery
    const ended = event(mid, recipient, state, { reason, closes: true })
    return settle.now([ended], [{ op: 'step', mid, recipient, step, dueAt: null, fence }])
  }

  function retryDelay({ attempts, delivery }: Claimed, endpoint: Endpoint, outcome: Outcome): number {
    const { tries } = triedOf(endpoint, attempts, delivery.step)
    const { firstMs, maxMs } = endpoint.backoff
    const delay = Math.min(maxMs, firstMs * 2 ** Math.min(tries, 30)) * (1 + JITTER * random())
    const atLeast = outcome.kind === 'retry' ? (outcome.retryAfterMs ?? 0) : 0
    return Math.max(atLeast, delay)
  }

  return {
    async start() {
      const dueAt = await store.nextDue()
      running = true
      if (dueAt !== null && dueAt <= clock.now()) cancelTimer = clock.after(GRACE_MS, wake)
      else wake()
    },
    wake,
    async stop() {
      running = false
      cancelTimer?.()
      await Promise.all(inFlight)
    },
  }
}

/** An attempt that never ended: the process went in the middle of it. */
const UNKNOWN = 'unknown'

function triedOf(endpoint: Endpoint, attempts: readonly Attempt[], step: number): Tried {
  const mine = attempts.filter((made) => made.endpoint === endpoint.id && made.step === step)
  const last = mine.at(-1)
  if (!last) return { tries: 0, last: null }
  const unknown = endpoint.capabilities.onUnknown === 'skip' ? 'failed' : UNKNOWN
  return { tries: mine.length, last: last.endedAt === null ? unknown : last.outcome }
}

function isDone({ last }: Tried): boolean {
  return last !== null && (isSuccess(last) || last === 'failed')
}

function isSuccess(outcome: string): outcome is 'delivered' | 'accepted' {
  return outcome === 'delivered' || outcome === 'accepted'
}

/** Endpoints of a step are tried side by side, so each takes the number of its place. */
function nextNumber(attempts: readonly Attempt[], endpoint: Endpoint, step: Step | undefined): number {
  const last = attempts.reduce((highest, made) => Math.max(highest, made.n), 0)
  return last + 1 + (step?.endpoints.indexOf(endpoint) ?? 0)
}
