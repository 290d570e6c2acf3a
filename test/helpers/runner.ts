/** The plan runner on a memory store and a standing clock, with endpoints that do as they are told. */
import { Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Capabilities, Endpoint, Outcome, Sent } from '../../server/channels/channel.ts'
import type { Content } from '../../server/channels/content.ts'
import { createOutbound, type Outbound } from '../../server/channels/outbound/outbound.ts'
import { createAlarm } from '../../server/hub/alarm.ts'
import { createDueClock } from '../../server/hub/due.ts'
import { createMeters } from '../../server/hub/meters.ts'
import { keepsOrder, type Plan, type Step, type Track } from '../../server/hub/plan.ts'
import { createReplies, QUEUED, type Replies, type Standings } from '../../server/hub/reply.ts'
import { createRunner, type Runner, type RunnerOptions } from '../../server/hub/runner.ts'
import { createSettle, type Settle } from '../../server/hub/settle.ts'
import { createTraffic } from '../../server/hub/traffic.ts'
import { createLog } from '../../server/ground/log.ts'
import type { RecipientId } from '../../server/protocol/address.ts'
import type { Mid } from '../../server/protocol/states.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import type { Delivery, LazyOp, Op, Store, Written } from '../../server/store/store.ts'
import { testClock, type TestClock } from './clock.ts'

export const ALICE = 'alice@user'
export const HUB_TOKEN = 'canary-hub-token'
const TIMEOUT_MS = 15_000
const LIMITS = { workers: 50, perPlatform: 20 }

export interface Rig {
  readonly clock: TestClock
  readonly store: Store
  readonly replies: Replies
  readonly settle: Settle
  readonly runner: Runner
  readonly outbound: Outbound
  readonly options: Omit<RunnerOptions, 'replies'>
  /** by recipient; may be changed at any time */
  readonly plans: Map<RecipientId, Plan>
  /** recipients that open sessions */
  readonly connecting: Set<RecipientId>
  /** recipients with a session now */
  readonly live: Set<RecipientId>
  /** recipients that can say that they saw it */
  readonly confirming: Set<RecipientId>
  /** mids of notifications that were announced */
  readonly announced: Mid[]
  /** lines of the log */
  readonly lines: string[]
  /** A push as far as the runner is concerned. */
  push(
    to?: RecipientId | readonly RecipientId[],
    more?: { text?: string; expiresAt?: number; strategy?: string },
  ): Promise<Mid>
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
  const due = createDueClock(clock)
  const replies = createReplies(clock)
  const settle = createSettle({ store, replies, clock, log })
  const outbound = createOutbound(clock, TIMEOUT_MS)
  const planned = new Map<RecipientId, Plan>()
  const plans = { of: (recipient: RecipientId) => planned.get(recipient) ?? [], reach: () => null }
  const connecting = new Set<RecipientId>()
  const live = new Set<RecipientId>()
  const confirming = new Set<RecipientId>()
  const announced: Mid[] = []
  const options: Rig['options'] = {
    store,
    settle,
    clock,
    log,
    meters: createMeters(),
    queue: { batch: 64, room: 10_000 },
    due,
    traffic: createTraffic(due, LIMITS),
    io: {
      http: outbound,
      log,
      now: () => clock.now(),
      hubToken: HUB_TOKEN,
      timeoutMs: TIMEOUT_MS,
      signal: new AbortController().signal,
    },
    plans,
    alarm: createAlarm({ plans, clock, keepMs: null, announce: (_, { mid }) => void announced.push(mid) }),
    confirmUrl: (mid, recipient, channel) => `https://hub.test/confirm/${mid}-${recipient}-${channel}`,
    connects: (recipient) => connecting.has(recipient),
    isLive: (recipient) => live.has(recipient),
    canConfirm: (recipient) => confirming.has(recipient),
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
    plans: planned,
    connecting,
    live,
    confirming,
    announced,
    lines,
    async push(to = ALICE, { text = 'hello', expiresAt, strategy = null } = {}) {
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
              strategy,
              expiresAt: expiresAt ?? null,
            },
            recipients,
            planned: recipients.filter((recipient) => plans.of(recipient).length > 0),
            holding: recipients.filter((recipient) => keepsOrder(plans.of(recipient))),
          },
        ],
        'sync',
      )
      const mid = written.ok ? (written.mids[0]?.mid ?? '') : ''
      const standings: Standings = new Map(recipients.map((recipient) => [recipient, QUEUED]))
      replies.open(mid, standings)
      for (const recipient of recipients) if (planned.has(recipient)) replies.attemptOwes(mid, recipient)
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
  readonly sent: Content[]
  /** how many parts each send was told to leave out */
  readonly skipped: number[]
  /** outcomes to come, or promises of them */
  script: (Sent | Promise<Sent>)[]
}

export const DELIVERED: Outcome = { kind: 'delivered' }
export const ACCEPTED: Outcome = { kind: 'accepted' }
export const RETRY: Outcome = { kind: 'retry', detail: 'HTTP 500' }
export const FAILED: Outcome = { kind: 'failed', detail: 'HTTP 410' }

/** A webhook, as far as the hub can tell. */
export function scripted(
  id: string,
  script: (Sent | Promise<Sent>)[] = [DELIVERED],
  more: Partial<Capabilities> = {},
): Scripted {
  const sent: Content[] = []
  const skipped: number[] = []
  const endpoint: Scripted = {
    id: `test:${id}`,
    channel: 'test',
    name: id,
    capabilities: {
      ordered: true,
      onUnknown: 'retry',
      shared: false,
      success: 'delivered',
      limits: null,
      rates: [],
      ...more,
    },
    backoff: { firstMs: 1_000, maxMs: 60_000, tries: Infinity },
    server: null,
    sent,
    skipped,
    script,
    async send(content, _, skip = 0) {
      sent.push(content)
      skipped.push(skip)
      const [next] = endpoint.script
      if (endpoint.script.length > 1) void endpoint.script.shift()
      if (next === undefined) throw new Error('the script is empty')
      return next
    },
  }
  return endpoint
}

/** A chat robot, as far as the hub can tell: three tries, a second apart. */
export function robot(
  id: string,
  script: (Sent | Promise<Sent>)[] = [ACCEPTED],
  more: Partial<Capabilities> = {},
): Scripted {
  const made = scripted(id, script, { ordered: false, shared: true, success: 'accepted', ...more })
  return Object.assign(made, { backoff: { firstMs: 1_000, maxMs: 1_000, tries: 3 } })
}

export function step(
  endpoints: readonly Endpoint[],
  { mode = 'all', ...more }: Partial<Step> & Partial<Pick<Track, 'mode'>> = {},
): Step {
  return { tracks: [{ endpoints, mode }], until: 'delivered', wait: 0, ...more }
}

/** An outcome that comes when it is told to. */
export function pending(): { outcome: Promise<Outcome>; say: (outcome: Outcome) => void } {
  let say: (outcome: Outcome) => void = () => {}
  const outcome = new Promise<Outcome>((resolve) => (say = resolve))
  return { outcome, say }
}
