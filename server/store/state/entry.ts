/** One message in memory, with how far it got for each of its recipients. */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import type { Attempt, Delivery, Message } from '../store.ts'

/** What changes of a delivery. Never changed itself: a thousand deliveries raised together share one object. */
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

/**
 * A message as its JSON text: made once, it goes into the journal, the segment and memory as it is, and is
 * read again only when somebody asks. One string is also much less to carry than the objects it stands for.
 */
export interface MessageText {
  readonly mid: Mid
  readonly at: number
  readonly blobs: readonly string[]
  readonly text: string
}

export function textOf(message: Message): MessageText {
  const { mid, at, blobs } = message
  return { mid, at, blobs, text: JSON.stringify(message) }
}

export class Entry implements MessageText {
  readonly mid: Mid
  /** the mid as a number */
  readonly n: number
  readonly at: number
  readonly blobs: readonly string[]
  readonly text: string
  readonly recipients: readonly RecipientId[]
  readonly statuses: Status[]
  /** by place of the recipient; null: none was made */
  attempts: Map<number, readonly Attempt[]> | null = null
  /** deliveries that are open or have work: while there are any, the entry stays in memory */
  live = 0
  /** the segment it lies in */
  segment = 0
  #places: ReadonlyMap<RecipientId, number> | null = null

  constructor({ mid, at, blobs, text }: MessageText, recipients: readonly RecipientId[], statuses: Status[]) {
    this.mid = mid
    this.n = Number(mid)
    this.at = at
    this.blobs = blobs
    this.text = text
    this.recipients = recipients
    this.statuses = statuses
    for (const status of statuses) if (isLive(status)) this.live += 1
  }

  get message(): Message {
    return JSON.parse(this.text)
  }

  /** What the message adds to an inbox, in UTF-16 units. */
  get size(): number {
    return this.text.length
  }

  /** The recipient's place in `recipients`, -1 if it is not among them. */
  placeOf(recipient: RecipientId): number {
    if (this.recipients.length < SHORT) return this.recipients.indexOf(recipient)
    this.#places ??= placesOf(this.recipients)
    return this.#places.get(recipient) ?? -1
  }

  deliveryAt(place: number): Delivery | null {
    const recipient = this.recipients[place]
    const status = this.statuses[place]
    return recipient === undefined || status === undefined ? null : { ...status, mid: this.mid, recipient }
  }

  attemptsOf(recipient: RecipientId): readonly Attempt[] {
    return this.attempts?.get(this.placeOf(recipient)) ?? []
  }

  setAttempts(place: number, made: readonly Attempt[]): void {
    this.attempts ??= new Map()
    this.attempts.set(place, made)
  }

  /** The JSON text of an EntryRecord. */
  toJson(): string {
    const { text, recipients, statuses, attempts } = this
    const distinct = new Set(statuses)
    const shared = `"message":${text},"recipients":${JSON.stringify(recipients)},"statuses":${JSON.stringify([...distinct])}`
    if (distinct.size <= 1 && attempts === null) return `{${shared}}`
    const places = new Map([...distinct].map((status, place) => [status, place]))
    const of = statuses.map((status) => places.get(status) ?? 0)
    const made = [...(attempts ?? [])].map(([place, list]) => [recipients[place], list] as const)
    return `{${shared},"of":${JSON.stringify(of)},"attempts":${JSON.stringify(Object.fromEntries(made))}}`
  }

  static fromRecord({ message, recipients, statuses, of, attempts }: EntryRecord): Entry {
    const [only] = statuses
    const all = recipients.flatMap((_, place) => statuses[of?.[place] ?? 0] ?? only ?? [])
    const entry = new Entry(textOf(message), recipients, all)
    for (const [recipient, made] of Object.entries(attempts ?? {})) entry.setAttempts(entry.placeOf(recipient), made)
    return entry
  }
}

/** The index of a list, shared by all messages to it. */
function placesOf(recipients: readonly RecipientId[]): ReadonlyMap<RecipientId, number> {
  const known = indexes.get(recipients)
  if (known) return known
  const index = new Map(recipients.map((id, place) => [id, place]))
  indexes.set(recipients, index)
  return index
}

export function isLive({ open, dueAt }: Status): boolean {
  return open || dueAt !== null
}
