/** The hub's face for the doors: push, connect, ack, confirm, leave. Knows no protocol. */
import { createOutbound } from '../channels/outbound/outbound.ts'
import type { Clock } from '../ground/clock.ts'
import type { Directory } from '../directory/directory.ts'
import type { Log } from '../ground/log.ts'
import type { RecipientId } from '../protocol/address.ts'
import { closeCodes, Refusal } from '../protocol/errors.ts'
import { isFinal } from '../protocol/states.ts'
import type { Op, Store } from '../store/store.ts'
import { createAlarm } from './alarm.ts'
import type { AttemptOptions } from './attempt.ts'
import { createDeadLetters, type DeadLetters } from './dead-letters.ts'
import { createSessions, type Sessions } from './lane.ts'
import { createMeters, type Meters } from './meters.ts'
import { createDueClock } from './due.ts'
import { createNotifications, type Notifications } from './notifications.ts'
import type { Plans } from './plan.ts'
import { push, type PushRequest, type PushResult, type Rooms, sendOn } from './push.ts'
import { createReplies } from './reply.ts'
import { createRunner } from './runner.ts'
import { createSettle, event } from './settle.ts'
import { createTraffic, type Limits } from './traffic.ts'
import { refusalOf } from '../store/refusal.ts'
import { count } from '../ground/tally.ts'

/** more than an inbox holds by default: nearly always one write does it */
const PAGE = 20_000
/** what a stopping hub grants attempts in flight before their connections are cut */
const LAST_ATTEMPTS_MS = 2_000

/** what a push may name */
export { LEVELS } from '../channels/content.ts'
export { STRATEGIES } from '../channels/reach.ts'
export type { PushRequest, PushResult } from './push.ts'
export type { Connection, Session } from './session.ts'

export interface Hub {
  readonly sessions: Sessions
  readonly plans: Plans
  readonly notifications: Notifications
  readonly deadLetters: DeadLetters
  readonly meters: Meters
  readonly queue: Queue
  /** It takes nothing new any more. */
  readonly isStopping: boolean
  /** @throws Refusal */
  push(request: PushRequest): Promise<PushResult>
  /** Ends the recipient's open deliveries as `removed`, forgets what was stored of it, closes its sessions. */
  remove(recipient: RecipientId): Promise<void>
  start(): Promise<void>
  /** Refuses new pushes, answers waiting senders, says goodbye to sessions, ends attempts in flight. */
  stop(): Promise<void>
}

/** Deliveries through endpoints. */
export interface Queue {
  /** in flight, waiting for a place, or just accepted */
  readonly size: number
  /** how many there may be; then pushes are refused */
  readonly room: number
  /** ms that what is due has waited for its turn at the longest */
  waited(): Promise<number>
}

export interface HubOptions {
  readonly store: Store
  readonly directory: Directory
  readonly plans: Plans
  readonly clock: Clock
  readonly log: Log
  readonly hubToken: string
  /** ms without an ack until a frame is sent again */
  readonly retryMs: number
  /** what may wait for one recipient */
  readonly room: { readonly count: number; readonly bytes: number }
  /** how deliveries through endpoints are worked off */
  readonly queue: Limits & { readonly batch: number; readonly room: number; readonly timeoutMs: number }
  readonly confirmUrl: AttemptOptions['confirmUrl']
  /** ms that a notification about what could not be delivered is kept; null: for ever */
  readonly keepMs: number | null
}

export function createHub(options: HubOptions): Hub {
  const { store, directory, plans, clock, log, hubToken, retryMs, room, queue, confirmUrl, keepMs } = options
  const meters = createMeters()
  const replies = createReplies(clock)
  const settle = createSettle({ store, replies, clock, log })
  const sessions = createSessions({ store, directory, settle, replies, clock, log, meters, retryMs })
  const http = createOutbound(clock, queue.timeoutMs)
  const cut = new AbortController()
  const due = createDueClock(clock)
  const traffic = createTraffic(due, queue)
  const runner = createRunner({
    store,
    plans,
    settle,
    replies,
    traffic,
    clock,
    due,
    log,
    meters,
    queue,
    io: { http, log, now: () => clock.now(), hubToken, timeoutMs: queue.timeoutMs, signal: cut.signal },
    alarm: createAlarm({
      plans,
      clock,
      keepMs,
      announce: (notification, accepted) => sendOn(rooms, notification, accepted),
    }),
    confirmUrl,
    connects: (recipient) => directory.connects(recipient),
    isLive: (recipient) => sessions.isLive(recipient),
    canConfirm: (recipient) =>
      confirmUrl !== null || [...directory.devices(recipient).values()].some(({ confirms }) => confirms),
  })
  const rooms: Rooms = { store, directory, plans, sessions, runner, settle, replies, clock, meters, room }
  let stopping = false

  // what it held back may go now
  settle.onClosed(({ state }) => {
    if (isFinal(state)) runner.wake()
  })

  /** What the recipient is forgotten with goes into the first write, so that no crash leaves it half removed. */
  async function endOpenDeliveries(recipient: RecipientId, forgotten: readonly Op[]): Promise<void> {
    let more = forgotten
    for (;;) {
      settle.flush()
      const page = await store.inbox(recipient, { open: true, limit: PAGE })
      if (page.items.length === 0 && more.length === 0) return
      const removed = page.items.map(({ mid }) => event(mid, recipient, 'removed', { reason: 'removed', closes: true }))
      await settle.now(removed, more)
      more = []
    }
  }

  async function waited(): Promise<number> {
    const dueAt = await store.nextDue()
    return Math.max(traffic.longestWait(), dueAt === null ? 0 : due.now() - dueAt)
  }

  function countRefusal(error: unknown): never {
    count(meters.refusedPushes, refusalOf(error)?.code ?? 'internal')
    throw error
  }

  return {
    sessions,
    plans,
    notifications: createNotifications({ store, settle }),
    deadLetters: createDeadLetters(rooms),
    meters,
    queue: {
      get size() {
        return runner.size
      },
      room: queue.room,
      waited,
    },
    get isStopping() {
      return stopping
    },
    push: (request) => (stopping ? Promise.reject(new Refusal('stopping')) : push(rooms, request)).catch(countRefusal),
    async remove(recipient) {
      const forgotten = directory.forget(recipient)
      await endOpenDeliveries(recipient, forgotten)
      sessions.closeAll(closeCodes.removed, 'removed', recipient)
    },
    start: () => runner.start(),
    async stop() {
      stopping = true
      sessions.closeAll(closeCodes.restarting, 'the hub restarts')
      replies.close()
      const cancel = clock.after(LAST_ATTEMPTS_MS, () => {
        cut.abort()
        void http.close()
      })
      await runner.stop()
      cancel()
      cut.abort()
      await http.close()
      settle.flush()
    },
  }
}
