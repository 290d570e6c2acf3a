/**
 * The lane: moves deliveries to live sessions. Knows who is connected, offers new messages, and takes acks
 * and confirms. This is the hot path: no records of its own, no timer per message.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../ground/clock.ts'
import type { Directory } from '../directory/directory.ts'
import type { Log } from '../ground/log.ts'
import { wireName, type RecipientId } from '../protocol/address.ts'
import { closeCodes } from '../protocol/errors.ts'
import type { Mid } from '../protocol/states.ts'
import type { Message, Store } from '../store/store.ts'
import type { Meters } from './meters.ts'
import type { Replies } from './reply.ts'
import { ageOf, firstFlight, type Flight, type Lane, Session, type SessionOptions, TOO_SLOW_BYTES } from './session.ts'
import { event, type Happening, happening, type Settle } from './settle.ts'
import { Takeovers } from './takeover.ts'
import { Ticks } from './ticks.ts'
import { Turns } from './turns.ts'

/** A push to more recipients goes out in slices, so that others get their turn. */
const AT_ONCE = 1_000
const SLICE = 200
const TICKS_PER_RETRY = 6
const VIA = 'websocket'
const IS_MID = /^\d{13}$/
const SENT = happening('sent', { via: VIA, closes: false })
const ACKED = happening('delivered', { via: VIA, closes: true })

export interface Sessions {
  /**
   * A client proved to be `recipient`. Its older session on the same device is closed with 4001. Nothing is
   * sent before `catchUp` is called on the session.
   */
  connect(options: Omit<SessionOptions, 'cursor'>): Session
  disconnect(session: Session): void
  /** ms until this place may be taken from the session that has it, if that is not one's own. */
  restOf(recipient: RecipientId, device: string | null, own: Session | null): number
  /** Whether the recipient has a live session now. */
  isLive(recipient: RecipientId): boolean
  /** Records of the recipient's frames in flight that they were sent, for somebody who wants to know. */
  noteSent(recipient: RecipientId): void
  /** Offers a message that is durable and new to all live sessions of its recipients. */
  offer(message: Message, recipients: readonly RecipientId[]): void
  /** The session's client has the message. False, and nothing changes, if it is not in flight there. */
  ackInFlight(session: Session, mid: Mid): boolean
  /**
   * The receiving program has the message, wherever it got it. False, and nothing changes, for a mid that is
   * unknown, foreign or owed no longer.
   */
  ack(recipient: RecipientId, mid: Mid, from: { session?: Session; via?: 'webpush' }): Promise<boolean>
  /**
   * A person confirmed. Resolves, when durable, with who was first; null if there is no such delivery.
   * @param via the channel that brought the message to them; the session's own if not told
   */
  confirm(
    recipient: RecipientId,
    mid: Mid,
    by: string,
    via?: string,
  ): Promise<{ readonly by: string; readonly repeated: boolean } | null>
  /** Closes all sessions of a recipient, or everybody's. */
  closeAll(code: number, reason: string, recipient?: RecipientId): void
  readonly count: number
  /** recipients with a session */
  readonly recipients: number
  /** bytes for all of them that the network has not taken yet */
  buffered(): number
}

export interface LaneOptions {
  readonly store: Store
  readonly directory: Directory
  readonly settle: Settle
  readonly replies: Replies
  readonly clock: Clock
  readonly log: Log
  readonly meters: Meters
  /** ms without an ack until a frame is sent again */
  readonly retryMs: number
}

export function createSessions(options: LaneOptions): Sessions {
  const { store, directory, settle, replies, clock, log, meters, retryMs } = options
  const live = new Map<RecipientId, readonly Session[]>()
  const takeovers = new Takeovers(clock)
  let count = 0

  const lane: Lane = {
    store,
    retryMs,
    clock,
    frames: meters.frames,
    reads: new Turns((session) => session.readOn()),
    sent: (mid, recipient) => settle.soon(SENT, mid, recipient),
    busy: (session) => ticks.add(session),
    failed: (error) => log.error({ err: error }, 'an inbox could not be read'),
  }
  const ticks = new Ticks({ clock, everyMs: retryMs / TICKS_PER_RETRY, tick, failed: lane.failed })

  /** False: the session wants no more ticks. */
  function tick(session: Session): boolean {
    if (session.rests()) return false
    if (session.connection.buffered() > TOO_SLOW_BYTES) {
      session.connection.close(closeCodes.tooSlow, 'reads too slowly')
      disconnect(session)
      return false
    }
    session.tick()
    return true
  }

  function disconnect(session: Session): void {
    const sessions = live.get(session.recipient)
    if (!sessions?.includes(session)) return
    session.close()
    ticks.delete(session)
    count -= 1
    const left = sessions.filter((other) => other !== session)
    setLive(session.recipient, left)
    if (left.length === 0) replies.sessionsGone(session.recipient)
  }

  function replace(older: Session, newer: Session): void {
    takeovers.note(newer)
    older.connection.close(closeCodes.replaced, 'replaced')
    disconnect(older)
  }

  async function offerInSlices(message: Message, recipients: readonly RecipientId[]): Promise<void> {
    for (const recipient of recipients) {
      for (const session of live.get(recipient) ?? []) {
        session.await(message.mid)
        replies.sessionOwes(message.mid, recipient)
      }
    }
    for (let start = 0; start < recipients.length; start += SLICE) {
      offerNow(message, recipients.slice(start, start + SLICE))
      await nextTurn()
    }
  }

  function offerNow(message: Message, recipients: readonly RecipientId[]): void {
    let flight: Flight | undefined
    const first = () => (flight ??= firstFlight(lane, message))
    for (const recipient of recipients) {
      const sessions = live.get(recipient)
      if (!sessions) continue
      replies.sessionOwes(message.mid, recipient)
      for (const session of sessions) session.offer(message.mid, first)
    }
  }

  /** An ack closes the delivery for all, unless somebody here can confirm: then the others still want it. */
  function waitsForConfirm(recipient: RecipientId): boolean {
    const devices = directory.devices(recipient)
    return devices.size > 0 && [...devices.values()].some(({ confirms }) => confirms)
  }

  function acknowledge(recipient: RecipientId, mid: Mid, via: string, session: Session | undefined): void {
    const stays = via !== VIA || waitsForConfirm(recipient)
    const device = session?.device ?? null
    const what = ackOf(via, device, stays)
    settle.soon(what, mid, recipient)
    if (!stays && session?.alone !== true) tellSessions(what, mid, recipient)
    if (via === VIA && stays) {
      remember(recipient, device ?? '', session?.acked ?? mid, session?.confirms ?? false)
    }
  }

  function ackInFlight(session: Session, mid: Mid): boolean {
    const flight = session.release(mid)
    if (!flight) return false
    meters.acks.add(ageOf(flight, lane) / 1_000)
    acknowledge(session.recipient, mid, VIA, session)
    return true
  }

  function remember(recipient: RecipientId, device: string, cursor: Mid, confirms: boolean): void {
    const known = directory.device(recipient, device)
    if (known && known.cursor >= cursor && known.confirms === confirms) return
    settle.soonToo(directory.putDevice(recipient, device, { cursor, confirms }))
  }

  /** A delivery is closed: no session of the recipient owes or shows it any more. */
  function tellSessions({ by, state }: Happening, mid: Mid, recipient: RecipientId): void {
    for (const session of live.get(recipient) ?? []) {
      session.release(mid)
      if (session.device === null) continue
      const itself = state === 'delivered' && session.device === by
      if (itself || (state !== 'delivered' && state !== 'confirmed')) continue
      const data = { mid, by: by ?? wireName(recipient) }
      session.connection.send(Buffer.from(JSON.stringify({ cmd: 'CLEAR', data })))
    }
  }
  settle.onClosed(tellSessions)

  function setLive(recipient: RecipientId, sessions: readonly Session[]): void {
    for (const session of sessions) session.alone = sessions.length === 1
    if (sessions.length > 0) live.set(recipient, sessions)
    else live.delete(recipient)
  }

  return {
    connect(connecting) {
      const { recipient, device, confirms } = connecting
      const cursor = directory.device(recipient, device ?? '')?.cursor ?? ''
      if (device !== null || confirms) remember(recipient, device ?? '', cursor, confirms)
      const session = new Session(lane, { ...connecting, cursor })
      const others = live.get(recipient) ?? []
      setLive(recipient, [...others, session])
      count += 1
      // only now, so that senders who wait for this recipient wait on
      const older = others.find((other) => other.device === device)
      if (older) replace(older, session)
      return session
    },

    disconnect,

    restOf(recipient, device, own) {
      const holder = live.get(recipient)?.find((session) => session.device === device)
      return holder && holder !== own ? takeovers.restOf(holder) : 0
    },

    isLive: (recipient) => live.has(recipient),
    noteSent(recipient) {
      for (const session of live.get(recipient) ?? []) session.noteSent()
    },

    offer(message, recipients) {
      if (recipients.length <= AT_ONCE) {
        offerNow(message, recipients)
        return
      }
      offerInSlices(message, recipients).catch((error: unknown) => {
        lane.failed(error)
        // those that still await it would wait for ever
        for (const recipient of recipients) for (const session of live.get(recipient) ?? []) session.catchUp()
      })
    },

    ackInFlight,

    async ack(recipient, mid, { session, via }) {
      if (!IS_MID.test(mid)) return false
      const target = session ?? live.get(recipient)?.find((other) => other.device === null)
      if (via === undefined && target && ackInFlight(target, mid)) return true
      settle.flush()
      if (!(await store.delivery(mid, recipient))?.open) return false
      acknowledge(recipient, mid, via ?? VIA, target)
      return true
    },

    async confirm(recipient, mid, by, via = VIA) {
      if (!IS_MID.test(mid)) return null
      const before = await store.delivery(mid, recipient)
      if (!before || before.state === 'removed') return null
      if (before.state === 'confirmed') return { by: before.by ?? by, repeated: true }
      await settle.now([event(mid, recipient, 'confirmed', { via, by, closes: true })], [])
      // of two at the same moment the first one recorded counts
      const first = (await store.delivery(mid, recipient))?.by ?? by
      return { by: first, repeated: first !== by }
    },

    closeAll(code, reason, recipient) {
      const sessions = recipient === undefined ? [...live.values()].flat() : (live.get(recipient) ?? [])
      for (const session of sessions) {
        session.connection.close(code, reason)
        disconnect(session)
      }
    },

    get count() {
      return count
    },

    get recipients() {
      return live.size
    },

    buffered() {
      let bytes = 0
      for (const sessions of live.values()) for (const { connection } of sessions) bytes += connection.buffered()
      return bytes
    },
  }
}

function ackOf(via: string, device: string | null, stays: boolean): Happening {
  if (via === VIA && device === null && !stays) return ACKED
  return happening('delivered', { via, by: device, closes: !stays })
}
