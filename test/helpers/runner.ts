/** The plan runner on a memory store and a standing clock, with endpoints that do as they are told. */
import { Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Endpoint, Outcome } from '../../server/channels/channel.ts'
import { createOutbound, type Outbound } from '../../server/channels/outbound.ts'
import type { AdvanceOptions } from '../../server/hub/advance.ts'
import { type Plan, type Step } from '../../server/hub/plan.ts'
import { createReplies, QUEUED, type Replies, type Standings } from '../../server/hub/reply.ts'
import { createRunner, type Runner } from '../../server/hub/runner.ts'
import { createSettle, type Settle } from '../../server/hub/settle.ts'
import { createLog } from '../../server/log.ts'
import type { RecipientId } from '../../server/protocol/address.ts'
import type { MessageFrame } from '../../server/protocol/packets.ts'
import type { Mid } from '../../server/protocol/states.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import type { Delivery, LazyOp, Op, Store, Written } from '../../server/store/store.ts'
import { testClock, type TestClock } from './clock.ts'

export const ALICE = 'alice@user'
export const HUB_TOKEN = 'canary-hub-token'

export interface Rig {
  readonly clock: TestClock
  readonly store: Store
  readonly replies: Replies
  readonly settle: Settle
  readonly runner: Runner
  readonly outbound: Outbound
  readonly options: Omit<AdvanceOptions, 'persist'>
  /** by recipient; may be changed at any time */
  readonly plans: Map<RecipientId, Plan>
  /** recipients that open sessions */
  readonly connecting: Set<RecipientId>
  /** lines of the log */
  readonly lines: string[]
  /** A push as far as the runner is concerned. */
  push(to?: RecipientId | readonly RecipientId[], more?: { text?: string; expiresAt?: number }): Promise<Mid>
  delivery(mid: Mid, recipient?: RecipientId): Promise<Delivery>
  /** Lets everything settle that needs no time. */
  calm(): Promise<void>
  /** Resolves when `check` holds; looks again at each change of the store. */
  until(check: () => Promise<boolean>): Promise<void>
}

/** @param wrap puts something between the hub and its store */
export async function startRig(wrap: (store: Store) => Store = (store) => store, clock = testClock()): Promise<Rig> {
  const store = wrap(createMemoryStore({ clock }))
  await store.open()
  return rigOver(store, clock)
}

/** A rig whose runner runs. */
export async function running(wrap?: (store: Store) => Store): Promise<Rig> {
  const rig = await startRig(wrap)
  await rig.runner.start()
  return rig
}

/** The next life of a hub on the same store. The runner of the one before claims nothing more. */
export async function restart(rig: Rig): Promise<Rig> {
  void rig.runner.stop()
  const next = rigOver(rig.store, rig.clock)
  for (const [recipient, plan] of rig.plans) next.plans.set(recipient, plan)
  await next.runner.start()
  return next
}

/** A runner that has not started, over a store that is there already. Stops when the test is over. */
function rigOver(store: Store, clock: TestClock): Rig {
  const lines: string[] = []
  const sink = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const log = createLog('trace', sink)
  const replies = createReplies(clock)
  const settle = createSettle({ store, replies, clock, log })
  const outbound = createOutbound(clock)
  const plans = new Map<RecipientId, Plan>()
  const connecting = new Set<RecipientId>()
  const options = {
    store,
    settle,
    clock,
    log,
    io: { http: outbound, now: () => clock.now(), hubToken: HUB_TOKEN },
    plans: { of: (recipient: RecipientId) => plans.get(recipient) ?? [] },
    connects: (recipient: RecipientId) => connecting.has(recipient),
    random: () => 0,
  }
  const runner = createRunner({ ...options, replies })
  onTestFinished(async () => {
    await outbound.close()
    await runner.stop()
  })

  return {
    clock,
    store,
    replies,
    settle,
    runner,
    outbound,
    options,
    plans,
    connecting,
    lines,
    async push(to = ALICE, { text = 'hello', expiresAt } = {}) {
      const recipients = typeof to === 'string' ? [to] : to
      const written = await store.write(
        [
          {
            op: 'accept',
            message: {
              at: clock.now(),
              from: { method: 'http', name: '' },
              to: [recipients[0] ?? ''],
              body: { text, desp: '', extra: {} },
              blobs: [],
              strategy: null,
              expiresAt: expiresAt ?? null,
            },
            recipients,
            planned: recipients.filter((recipient) => (plans.get(recipient) ?? []).length > 0),
          },
        ],
        'sync',
      )
      const mid = written.ok ? (written.mids[0]?.mid ?? '') : ''
      const standings: Standings = new Map(recipients.map((recipient) => [recipient, QUEUED]))
      replies.open(mid, standings)
      for (const recipient of recipients) if (plans.has(recipient)) replies.attemptOwes(mid, recipient)
      runner.wake()
      return mid
    },
    async delivery(mid, recipient = ALICE) {
      const found = await store.delivery(mid, recipient)
      if (!found) throw new Error(`there is no delivery of ${mid} to ${recipient}`)
      return found
    },
    calm: () => clock.advance(0),
    until: (check) => until(store, check),
  }
}

/** A store that calls `look` before each write; what it throws is what becomes of the write. */
export function watched(store: Store, look: (ops: readonly Op[]) => void): Store {
  function write(ops: readonly Op[], how: 'sync'): Promise<Written>
  function write(ops: readonly LazyOp[], how: 'lazy'): Promise<Written>
  async function write(...[ops, how]: [readonly Op[], 'sync'] | [readonly LazyOp[], 'lazy']): Promise<Written> {
    look(ops)
    return how === 'sync' ? store.write(ops, how) : store.write(ops, how)
  }
  return { ...store, write }
}

function until(store: Store, check: () => Promise<boolean>): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      check().then((holds) => {
        if (!holds) return
        stop()
        resolve()
      }, reject)
    }
    const stop = store.onChange(look)
    look()
  })
}

/** Says what it was told to, in turn, and the last of it again and again. */
export interface Scripted extends Endpoint {
  readonly sent: MessageFrame[]
  /** outcomes to come, or promises of them */
  script: (Outcome | Promise<Outcome>)[]
}

export const DELIVERED: Outcome = { kind: 'delivered' }
export const ACCEPTED: Outcome = { kind: 'accepted' }
export const RETRY: Outcome = { kind: 'retry', detail: 'HTTP 500' }
export const FAILED: Outcome = { kind: 'failed', detail: 'HTTP 410' }

export function scripted(
  id: string,
  script: (Outcome | Promise<Outcome>)[] = [DELIVERED],
  more: Partial<Endpoint['capabilities']> = {},
): Scripted {
  const sent: MessageFrame[] = []
  const endpoint: Scripted = {
    id: `test:${id}`,
    channel: 'test',
    capabilities: { ordered: true, onUnknown: 'retry', ...more },
    backoff: { firstMs: 1_000, maxMs: 60_000 },
    sent,
    script,
    async send(message) {
      sent.push(message)
      const [next] = endpoint.script
      if (endpoint.script.length > 1) void endpoint.script.shift()
      if (next === undefined) throw new Error('the script is empty')
      return next
    },
  }
  return endpoint
}

export function step(endpoints: readonly Endpoint[], more: Partial<Step> = {}): Step {
  return { endpoints, mode: 'all', until: 'delivered', wait: 0, ...more }
}

/** An outcome that comes when it is told to. */
export function pending(): { outcome: Promise<Outcome>; say: (outcome: Outcome) => void } {
  let say: (outcome: Outcome) => void = () => {}
  const outcome = new Promise<Outcome>((resolve) => (say = resolve))
  return { outcome, say }
}
