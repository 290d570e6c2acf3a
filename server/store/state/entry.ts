/** One message in memory, with how far it got for each of its recipients. */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import type { Attempt, Delivery, Message } from '../store.ts'

/** What changes of a delivery. Frozen and shared: a thousand deliveries raised together point to one object. */
export type Status = Omit<Delivery, 'mid' | 'recipient'>

/** An entry as its file holds it. */
export interface EntryRecord {
  readonly message: Message
  readonly recipients: readonly RecipientId[]
  /** the distinct ones */
  readonly statuses: readonly Status[]
  /** for each recipient its place in `statuses`; absent when there is only one */
  readonly of?: readonly number[]
  readonly attempts?: Readonly<Record<RecipientId, readonly Attempt[]>>
}

/** Lists shorter than this are searched, longer ones get an index. */
const SHORT = 8
const indexes = new WeakMap<readonly RecipientId[], ReadonlyMap<RecipientId, number>>()

export class Entry {
  readonly message: Message
  readonly recipients: readonly RecipientId[]
  readonly statuses: Status[]
  /** by place of the recipient */
  readonly attempts = new Map<number, readonly Attempt[]>()
  /** what the message adds to an inbox */
  readonly size: number
  /** deliveries that are open or have work: while there are any, the entry stays in memory */
  live = 0
  /** the segment it lies in */
  segment = 0

  constructor(message: Message, recipients: readonly RecipientId[], statuses: Status[]) {
    this.message = message
    this.recipients = recipients
    this.statuses = statuses
    this.size = sizeOf(message.body)
    for (const status of statuses) if (isLive(status)) this.live += 1
  }

  get mid(): Mid {
    return this.message.mid
  }

  /** The recipient's place in `recipients`, -1 if it is not among them. */
  placeOf(recipient: RecipientId): number {
    if (this.recipients.length < SHORT) return this.recipients.indexOf(recipient)
    let index = indexes.get(this.recipients)
    if (!index) {
      index = new Map(this.recipients.map((id, place) => [id, place]))
      indexes.set(this.recipients, index)
    }
    return index.get(recipient) ?? -1
  }

  deliveryAt(place: number): Delivery | null {
    const recipient = this.recipients[place]
    const status = this.statuses[place]
    return recipient === undefined || status === undefined ? null : { mid: this.mid, recipient, ...status }
  }

  attemptsOf(recipient: RecipientId): readonly Attempt[] {
    return this.attempts.get(this.placeOf(recipient)) ?? []
  }

  toRecord(): EntryRecord {
    const places = new Map<Status, number>()
    const of = this.statuses.map((status) => {
      const place = places.get(status) ?? places.size
      places.set(status, place)
      return place
    })
    const attempts = [...this.attempts].map(([place, made]) => [this.recipients[place], made] as const)
    return {
      message: this.message,
      recipients: this.recipients,
      statuses: [...places.keys()],
      ...(places.size > 1 ? { of } : {}),
      ...(attempts.length > 0 ? { attempts: Object.fromEntries(attempts) } : {}),
    }
  }

  static fromRecord({ message, recipients, statuses, of, attempts }: EntryRecord): Entry {
    const [only] = statuses
    const all = recipients.flatMap((_, place) => statuses[of?.[place] ?? 0] ?? only ?? [])
    const entry = new Entry(message, recipients, all)
    for (const [recipient, made] of Object.entries(attempts ?? {})) entry.attempts.set(entry.placeOf(recipient), made)
    return entry
  }
}

export function isLive({ open, dueAt }: Status): boolean {
  return open || dueAt !== null
}

/** Bytes in UTF-16, near enough to what JSON takes, without building it. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let size = 2
  for (const [key, item] of Object.entries(value)) size += key.length + 4 + sizeOf(item)
  return size
}
