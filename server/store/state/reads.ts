/** The reads of the contract, over what is in memory and what lies in segments. */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import type { Delivery, Message, Page, Store } from '../store.ts'
import type { Entry } from './entry.ts'
import { midOf } from './mid-list.ts'
import type { State } from './state.ts'

/** Messages of neighbouring mids. */
export interface Segment {
  readonly n: number
  /** lowest and highest mid; none of another segment lies between them */
  readonly first: Mid
  readonly last: Mid
}

/** Where the messages lie, in memory or not. */
export interface Archive {
  /** in order of mid */
  segments(): readonly Segment[]
  /** all its messages, in order of mid */
  entries(n: number): Promise<readonly Entry[]>
  /** how many of its messages are for the recipient */
  holding(n: number, recipient: RecipientId): Promise<number>
}

type InboxItem = Delivery & { readonly message: Message }
type Reads = Pick<
  Store,
  'message' | 'delivery' | 'deliveries' | 'attempts' | 'inbox' | 'list' | 'claim' | 'nextDue' | 'get' | 'scan' | 'count'
>

const DELIVERIES_PAGE = 1_000
/** messages that one call of `list` looks at */
const LIST_BUDGET = 4_000

export function createReads(state: State, archive: Archive): Reads {
  async function find(mid: Mid): Promise<Entry | null> {
    const resident = state.entries.get(mid)
    if (resident) return resident
    const segment = archive.segments().find(({ first, last }) => first <= mid && mid <= last)
    const entries = segment ? await archive.entries(segment.n) : []
    return entries.find((entry) => entry.mid === mid) ?? null
  }

  function openInbox(recipient: RecipientId, page: { after?: Mid; before?: Mid; limit: number }): Page<InboxItem> {
    const { open } = state.inboxes.of(recipient)
    const wanted = page.limit + 1
    const { before, after = '' } = page
    const mids = before === undefined ? open.after(Number(after), wanted) : open.before(Number(before), wanted)
    const items = mids.slice(0, page.limit).flatMap((mid) => inboxItem(state.entries.get(midOf(mid)), recipient))
    return { items, next: mids.length > page.limit ? (items.at(-1)?.mid ?? null) : null, total: open.size }
  }

  async function wholeInbox(
    recipient: RecipientId,
    page: { after?: Mid; before?: Mid; limit: number },
  ): Promise<Page<InboxItem>> {
    const { after, before, limit } = page
    const items: InboxItem[] = []
    for await (const entry of entriesFor(recipient, after, before)) {
      items.push(...inboxItem(entry, recipient))
      if (items.length > limit) break
    }
    const next = items.length > limit ? (items[limit - 1]?.mid ?? null) : null
    return { items: items.slice(0, limit), next, total: await totalOf(recipient) }
  }

  /** Upwards from `after`, or downwards from `before`. */
  async function* entriesFor(
    recipient: RecipientId,
    after: Mid | undefined,
    before: Mid | undefined,
  ): AsyncGenerator<Entry> {
    const all = archive.segments()
    const downwards = before !== undefined
    const inRange = (mid: Mid) => (after === undefined || mid > after) && (before === undefined || mid < before)
    for (const { n, first, last } of downwards ? all.toReversed() : all) {
      if ((after !== undefined && last <= after) || (before !== undefined && first >= before)) continue
      if ((await archive.holding(n, recipient)) === 0) continue
      const entries = await archive.entries(n)
      for (const entry of downwards ? entries.toReversed() : entries) {
        if (inRange(entry.mid) && entry.placeOf(recipient) >= 0) yield entry
      }
    }
  }

  async function totalOf(recipient: RecipientId): Promise<number> {
    let total = 0
    for (const { n } of archive.segments()) total += await archive.holding(n, recipient)
    return total
  }

  return {
    async message(mid) {
      return (await find(mid))?.message ?? null
    },

    async delivery(mid, recipient) {
      const entry = await find(mid)
      return entry?.deliveryAt(entry.placeOf(recipient)) ?? null
    },

    async deliveries(mid, { after, limit = DELIVERIES_PAGE } = {}) {
      const entry = await find(mid)
      if (!entry) return { items: [], next: null, total: 0 }
      const start = after === undefined ? 0 : entry.placeOf(after) + 1
      const end = start + limit
      const items = entry.recipients.slice(start, end).flatMap((_, at) => entry.deliveryAt(start + at) ?? [])
      const next = end < entry.recipients.length ? (items.at(-1)?.recipient ?? null) : null
      return { items, next, total: entry.recipients.length }
    },

    async attempts(mid, recipient) {
      return (await find(mid))?.attemptsOf(recipient) ?? []
    },

    async inbox(recipient, { open, ...page }) {
      return open === true ? openInbox(recipient, page) : wholeInbox(recipient, page)
    },

    async list(filter, { before, limit }) {
      const from = readCursor(before)
      const items: Delivery[] = []
      let seen = 0
      let last: Mid | null = null
      for (const { n, first } of archive.segments().toReversed()) {
        if (!from.includes(first)) continue
        if (filter.recipient !== undefined && (await archive.holding(n, filter.recipient)) === 0) continue
        for (const entry of (await archive.entries(n)).toReversed()) {
          if (!from.includes(entry.mid)) continue
          if (seen === LIST_BUDGET) return { items, next: last }
          const found = matching(entry, filter, from.placeIn(entry.mid), limit - items.length)
          items.push(...found.items)
          if (found.next !== null) return { items, next: `${entry.mid}:${found.next}` }
          seen += 1
          last = entry.mid
        }
      }
      return { items, next: null }
    },

    async claim(now, limit, leaseMs) {
      const claimed = []
      while (claimed.length < limit) {
        const lease = state.work.claim(now, leaseMs)
        if (!lease) break
        const entry = state.entries.get(lease.mid)
        const delivery = entry?.deliveryAt(entry.placeOf(lease.recipient))
        if (!entry || !delivery) continue
        const attempts = entry.attemptsOf(lease.recipient)
        claimed.push({ message: entry.message, delivery, attempts, fence: lease.fence })
      }
      return claimed
    },

    nextDue: async () => state.work.nextDue(),
    get: async (kind, id) => state.documents.get(kind, id),
    scan: async (kind, page) => state.documents.scan(kind, page),
    count: async (meter) => state.meters.get(meter) ?? 0,
  }
}

function inboxItem(entry: Entry | undefined, recipient: RecipientId): InboxItem[] {
  const delivery = entry?.deliveryAt(entry.placeOf(recipient))
  return entry && delivery ? [{ ...delivery, message: entry.message }] : []
}

/** `mid`: what is older; `mid:place`: that message from this place on, then what is older. */
function readCursor(cursor: string | undefined): { includes(mid: Mid): boolean; placeIn(mid: Mid): number } {
  const [before, place] = cursor?.split(':') ?? []
  if (before === undefined) return { includes: () => true, placeIn: () => 0 }
  return {
    includes: (mid) => mid < before || (mid === before && place !== undefined),
    placeIn: (mid) => (mid === before ? Number(place) : 0),
  }
}

/** Deliveries of one message from a place on; `next` is the place where the room ended. */
function matching(
  entry: Entry,
  { states, recipient, text }: Parameters<Store['list']>[0],
  start: number,
  room: number,
): { readonly items: readonly Delivery[]; readonly next: number | null } {
  const items: Delivery[] = []
  if (text !== undefined && !hasText(entry, text)) return { items, next: null }
  for (let place = start; place < entry.recipients.length; place += 1) {
    const delivery = entry.deliveryAt(place)
    if (!delivery || (recipient !== undefined && delivery.recipient !== recipient)) continue
    if (states !== undefined && !states.includes(delivery.state)) continue
    if (items.length === room) return { items, next: place }
    items.push(delivery)
  }
  return { items, next: null }
}

function hasText({ message }: Entry, text: string): boolean {
  const wanted = text.toLowerCase()
  return Object.values(message.body).some((value) => typeof value === 'string' && value.toLowerCase().includes(wanted))
}
