/** The rooms that a push passes through, on a memory store and a clock that is turned by hand. */
import { loadDirectory, type ConfiguredRecipient, type Directory } from '../../server/directory/directory.ts'
import { createHub, type Connection, type Hub, type Session } from '../../server/hub/hub.ts'
import type { PushRequest } from '../../server/hub/push.ts'
import { recipientId } from '../../server/protocol/address.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import type { Store } from '../../server/store/store.ts'
import { type TestClock, testClock } from './clock.ts'
import { silentLog } from './folder.ts'

export const RETRY_MS = 3_000
export const WAIT_MS = 5_000

/** What a connection was asked to do, in order. */
export interface Recorded {
  readonly session: Session
  /** texts of MESSAGE frames */
  readonly texts: string[]
  readonly mids: string[]
  /** other packets */
  readonly packets: { readonly cmd: string; readonly data: unknown }[]
  readonly closed: number[]
  /** bytes that the network has not taken */
  buffered: number
  ackLast(): boolean
}

interface SessionKind {
  readonly device?: string
  readonly window?: number
  readonly confirms?: boolean
}

export interface LaneRig {
  readonly store: Store
  readonly clock: TestClock
  readonly hub: Hub
  readonly directory: Directory
  push(to: string, text: string, more?: Partial<PushRequest>): ReturnType<Hub['push']>
  /** A session that has not read on yet. */
  connect(name: string, options?: SessionKind): Recorded
  /** A session that reads on at once. */
  open(name: string, options?: SessionKind): Promise<Recorded>
  /** Lets everything happen that needs no time. */
  calm(): Promise<void>
}

export async function laneRig(
  store: Store | null = null,
  clock = testClock(),
  room = { count: 10, bytes: 1_000_000 },
): Promise<LaneRig> {
  const kept = store ?? createMemoryStore({ clock })
  if (!store) await kept.open()
  const configured: ConfiguredRecipient[] = ['alice', 'bob', 'carol'].map((name) => ({
    id: recipientId(name),
    groups: ['all@group'],
    connects: true,
  }))
  const directory = await loadDirectory(kept, configured)
  const plans = { of: () => [], reach: () => null }
  const hub = createHub({
    store: kept,
    directory,
    plans,
    clock,
    log: silentLog,
    hubToken: 'hub token',
    retryMs: RETRY_MS,
    room,
    queue: { workers: 50, perPlatform: 20, batch: 100, room: 10_000, timeoutMs: 10_000 },
    confirmUrl: null,
    keepMs: null,
  })

  function connect(name: string, { device, window = 1, confirms = false }: SessionKind = {}): Recorded {
    return record(hub, recipientId(name), { device: device ?? null, window, confirms })
  }

  return {
    store: kept,
    clock,
    hub,
    directory,
    push: (to, text, more = {}) =>
      hub.push({
        caller: { kind: 'hub' },
        method: 'http',
        to: to.endsWith('@group') ? { group: to } : { recipient: recipientId(to) },
        body: { text, desp: '', extra: {} },
        strategy: null,
        expireMs: null,
        idempotencyKey: null,
        waitMs: WAIT_MS,
        ...more,
      }),
    connect,
    async open(name, kind) {
      const recorded = connect(name, kind)
      recorded.session.catchUp()
      await clock.advance(0)
      return recorded
    },
    calm: () => clock.advance(0),
  }
}

function record(
  hub: Hub,
  recipient: string,
  options: { device: string | null; window: number; confirms: boolean },
): Recorded {
  const made = {
    texts: [] as string[],
    mids: [] as string[],
    packets: [] as Recorded['packets'],
    closed: [] as number[],
  }
  const state = { buffered: 0 }
  const connection: Connection = {
    send(frame) {
      const packet: { cmd: string; data: { mid?: string; message?: { text: string } } } = JSON.parse(frame.toString())
      if (packet.cmd !== 'MESSAGE') made.packets.push(packet)
      else {
        made.texts.push(packet.data.message?.text ?? '')
        made.mids.push(packet.data.mid ?? '')
      }
    },
    batch: (write) => write(),
    buffered: () => state.buffered,
    close: (code) => void made.closed.push(code),
  }
  const session = hub.sessions.connect({ recipient, connection, ...options })
  return {
    ...made,
    session,
    get buffered() {
      return state.buffered
    },
    set buffered(bytes) {
      state.buffered = bytes
    },
    ackLast: () => hub.sessions.ackInFlight(session, made.mids.at(-1) ?? ''),
  }
}
