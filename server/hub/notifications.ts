/**
 * The inbox of the built-in recipient `system`: what could not be delivered, and what was sent to it by name.
 * Unread is what is open in it; reading acks, and what is deleted is `removed` for good.
 *
 * Retention keeps it short, but nothing promises that: it is walked in pages, and others get their turn between.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Level, LEVELS } from '../channels/content.ts'
import { SYSTEM } from '../protocol/address.ts'
import { BY_READER, type Mid, type State } from '../protocol/states.ts'
import type { Delivery, Message, Store } from '../store/store.ts'
import { messageFrame } from './frame.ts'
import { event, type Event, type Settle } from './settle.ts'

/** bodies are 64 KiB at most: even then a page is read within a few ms */
const PAGE = 200
const ABOVE_ALL: Mid = '9999999999999'
/** there is nothing of them to be read: expired, deleted, or there was no room for it */
const GONE: ReadonlySet<State> = new Set(['expired', 'removed', 'failed'])

export interface Notification {
  readonly mid: Mid
  /** ms since epoch */
  readonly at: number
  readonly title: string
  readonly text: string
  readonly type: Level
  readonly style: 'text' | 'card'
  /** of the message concerned, as the store has it; null: it named none */
  readonly strategy: string | null
  /** why the hub wrote it; null: somebody sent it here */
  readonly reason: string | null
  /** the message concerned; its own where somebody sent it here */
  readonly about: Mid
  readonly isRead: boolean
}

export const READ_STATES = ['unread', 'read', 'all'] as const
export type ReadState = (typeof READ_STATES)[number]

export interface Counts {
  readonly unread: number
  readonly read: number
  readonly byType: ReadonlyMap<Level, number>
}

export interface Notifications {
  /** Newest first; `total` counts all of that state. */
  list(
    state: ReadState,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<{ readonly items: readonly Notification[]; readonly total: number }>
  find(mid: Mid): Promise<Notification | null>
  /** Durable when it resolves, as all that follows; null: there is none. Reading again changes nothing. */
  read(mid: Mid): Promise<Notification | null>
  /** Resolves to how many were unread. */
  readAll(): Promise<number>
  /** False: there is none. */
  remove(mid: Mid): Promise<boolean>
  /** Resolves to how many there were. */
  removeAll(): Promise<number>
  count(): Promise<Counts>
}

type Item = Delivery & { readonly message: Message }

interface ItemPage {
  readonly items: readonly Item[]
  /** how many are open, where only those are walked */
  readonly open: number
}

export function createNotifications({ store, settle }: { store: Store; settle: Settle }): Notifications {
  async function* pages(open: boolean): AsyncGenerator<ItemPage> {
    let before = ABOVE_ALL
    for (;;) {
      const { items, next, total = 0 } = await store.inbox(SYSTEM, { before, open, limit: PAGE })
      yield { items: items.filter(isThere), open: total }
      if (next === null) return
      before = next
      await nextTurn()
    }
  }

  async function find(mid: Mid): Promise<Item | null> {
    const delivery = await store.delivery(mid, SYSTEM)
    const message = delivery && isThere(delivery) ? await store.message(mid) : null
    return delivery && message ? { ...delivery, message } : null
  }

  async function raiseAll(open: boolean, events: (mid: Mid) => Event): Promise<number> {
    let count = 0
    for await (const { items } of pages(open)) {
      if (items.length > 0)
        await settle.now(
          items.map(({ mid }) => events(mid)),
          [],
        )
      count += items.length
    }
    return count
  }

  return {
    async list(state, { limit, offset }) {
      const items: Notification[] = []
      let seen = 0
      for await (const page of pages(state === 'unread')) {
        for (const item of page.items) {
          if (state === 'read' && item.open) continue
          if (seen >= offset && items.length < limit) items.push(notificationOf(item))
          seen += 1
        }
        // the store counts what is open, not what was read
        if (state === 'unread' && (items.length === limit || page.open <= offset)) return { items, total: page.open }
      }
      return { items, total: seen }
    },

    async find(mid) {
      const item = await find(mid)
      return item && notificationOf(item)
    },

    async read(mid) {
      const item = await find(mid)
      if (!item) return null
      if (item.open) await settle.now([wasRead(mid)], [])
      return { ...notificationOf(item), isRead: true }
    },

    readAll: () => raiseAll(true, wasRead),

    async remove(mid) {
      if (!(await find(mid))) return false
      await settle.now([wasRemoved(mid)], [])
      return true
    },

    removeAll: () => raiseAll(false, wasRemoved),

    async count() {
      const byType = new Map<Level, number>()
      let unread = 0
      let read = 0
      for await (const { items } of pages(false)) {
        for (const item of items) {
          const { type, isRead } = notificationOf(item)
          byType.set(type, (byType.get(type) ?? 0) + 1)
          if (isRead) read += 1
          else unread += 1
        }
      }
      return { unread, read, byType }
    },
  }
}

function wasRead(mid: Mid): Event {
  return event(mid, SYSTEM, 'delivered', { closes: true })
}

function wasRemoved(mid: Mid): Event {
  return event(mid, SYSTEM, 'removed', { via: BY_READER, reason: 'removed', closes: true })
}

function isThere({ state }: Delivery): boolean {
  return !GONE.has(state)
}

/** What the hub writes about a message of its own accord has more to say in `extra` (alarm.ts). */
function notificationOf({ message, open }: Item): Notification {
  const { text, desp, extra } = messageFrame(message).message
  const isAlarm = message.from.method === 'hub'
  return {
    mid: message.mid,
    at: message.at,
    title: text,
    text: desp,
    type: LEVELS.find((level) => level === extra['type']) ?? 'info',
    style: extra['style'] === 'card' ? 'card' : 'text',
    strategy: isAlarm ? wordOf(extra['strategy']) : message.strategy,
    reason: isAlarm ? wordOf(extra['reason']) : null,
    about: isAlarm ? (wordOf(extra['of']) ?? message.mid) : message.mid,
    isRead: !open,
  }
}

function wordOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
