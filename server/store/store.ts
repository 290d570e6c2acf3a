/**
 * What survives a restart: one atomic write and a dozen reads. Memory, lowdb and the deliberately slow
 * store of the tests all pass test/contract/store.ts.
 */
import { Mistake } from '../ground/mistake.ts'
import type { RecipientId } from '../protocol/address.ts'
import type { Mid, State } from '../protocol/states.ts'
import type { Tally } from '../ground/tally.ts'

/** What a sender asked the hub to deliver. Immutable. */
export interface Message {
  readonly mid: Mid
  /** ms since epoch, the hub's clock when it was accepted; time is `at`, never the mid */
  readonly at: number
  readonly from: { readonly method: 'http' | 'websocket' | 'smtp' | 'hub'; readonly name: string }
  /** canonical addresses the sender wrote, groups not expanded */
  readonly to: readonly string[]
  readonly body: Readonly<Record<string, unknown>>
  readonly blobs: readonly string[]
  /** its name; the compiled plan is never stored */
  readonly strategy: string | null
  readonly expiresAt: number | null
}

/** A message that has got its mid. Each field by name: a spread costs more than all the rest of an accept. */
export function numbered(mid: Mid, message: Omit<Message, 'mid'>): Message {
  const { at, from, to, body, blobs, strategy, expiresAt } = message
  return { mid, at, from, to, body, blobs, strategy, expiresAt }
}

/** One message for one recipient. */
export interface Delivery {
  readonly mid: Mid
  readonly recipient: RecipientId
  readonly state: State
  /** channel that reached the state */
  readonly via: string | null
  readonly at: number
  /** who acked or confirmed, on which device */
  readonly by: string | null
  readonly reason: string | null
  /** still owed to the recipient's sessions */
  readonly open: boolean
  /** next step of the plan; plan.length = exhausted */
  readonly step: number
  /** when `claim` hands it out; null = never */
  readonly dueAt: number | null
  /** the recipient's later deliveries are not handed out before this one, so that order holds over retries */
  readonly holds: boolean
}

/** One try on one outbound endpoint. `endedAt` null: in flight, or unknown after a crash. */
export interface Attempt {
  readonly n: number
  readonly step: number
  readonly endpoint: string
  readonly channel: string
  readonly startedAt: number
  readonly endedAt: number | null
  readonly outcome: string | null
  readonly detail: string | null
  readonly maybeDuplicate: boolean
  /** the endpoint is not tried again before this, in ms since epoch; absent: it need not be */
  readonly retryAt?: number
  /** so many parts of a long message went out before the one that failed: the next try goes on behind them */
  readonly parts?: number
  /** what the other side answered, verbatim but for secrets */
  readonly answer?: string
}

export type Kind = 'recipient' | 'member' | 'endpoint' | 'device' | 'token' | 'limit' | 'setting'

export interface Accept {
  readonly op: 'accept'
  readonly message: Omit<Message, 'mid'>
  /** each once, in the order that `deliveries` keeps; a frozen array may be shared by many messages */
  readonly recipients: readonly RecipientId[]
  /** those with a plan: due at once. The others fall due when the message expires, or never. */
  readonly planned: readonly RecipientId[]
  /** those of the planned whose delivery holds from the start: what comes after it waits for its end */
  readonly holding?: readonly RecipientId[]
  /** A repeat of the key with the same print gets the first mid again; with another print: once-differs. */
  readonly once?: { readonly key: string; readonly print: string; readonly ttlMs: number }
  /** A recipient with this much waiting gets a delivery that failed with reason `full`. */
  readonly room?: { readonly count: number; readonly bytes: number }
}

export interface Raise {
  readonly op: 'raise'
  readonly state: State
  readonly via: string | null
  readonly at: number
  readonly by?: string
  readonly reason?: string
  /** false closes the delivery for the recipient's sessions; a closed one never opens again */
  readonly open: boolean
  readonly of: readonly (readonly [Mid, readonly RecipientId[]])[]
}

/** Inserts, or completes the one with the same n: a fact, always recorded. */
export interface AttemptMade {
  readonly op: 'attempt'
  readonly mid: Mid
  readonly recipient: RecipientId
  readonly attempt: Attempt
}

/** Ends a lease. Only by its holder: a stale fence makes the whole write a conflict. */
export interface Step {
  readonly op: 'step'
  readonly mid: Mid
  readonly recipient: RecipientId
  readonly step: number
  readonly dueAt: number | null
  readonly holds: boolean
  readonly fence: number
}

/** `rev` 0: must be new; other: must be at that revision; none: whatever is there. */
export interface Put {
  readonly op: 'put'
  readonly kind: Kind
  readonly id: string
  readonly value: unknown
  readonly rev?: number
}

export type Op =
  | Accept
  /** Applies only where `mayFollow` says it raises; `open: false` closes in any case; an end holds back nothing. */
  | Raise
  | AttemptMade
  | Step
  | Put
  | { readonly op: 'delete'; readonly kind: Kind; readonly id: string; readonly rev?: number }
  | { readonly op: 'count'; readonly meter: string; readonly by: number; readonly limit?: number }

/** What may be written lazily: losing it repeats work, and never loses a message. */
export type LazyOp = Raise | AttemptMade | Step | Put

export interface Accepted {
  readonly mid: Mid
  readonly repeated: boolean
  /** recipients that had no room; empty for a repeat */
  readonly full: readonly RecipientId[]
}

export type Written =
  | { readonly ok: true; readonly mids: readonly Accepted[] }
  | {
      readonly ok: false
      /** `full`: every recipient of an accept had no room; `nobody`: it has none, and repeats no other */
      readonly why: 'conflict' | 'limit' | 'once-differs' | 'full' | 'nobody'
      readonly op: number
    }

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
  readonly total?: number
}

/** Due work, leased. */
export interface Claimed {
  readonly message: Message
  readonly delivery: Delivery
  readonly attempts: readonly Attempt[]
  readonly fence: number
}

export interface Document<T> {
  readonly id: string
  readonly value: T
  readonly rev: number
}

/** Why nothing new is accepted, for programs. */
export const STORE_FAULTS = ['store-closed', 'disk-low', 'disk-full', 'disk-failed'] as const
export type StoreFault = (typeof STORE_FAULTS)[number]

export interface Health {
  /** new messages are taken */
  readonly writable: boolean
  /** null: it is writable */
  readonly fault: StoreFault | null
  readonly durable: boolean
  /** the fault in words, or why it is not durable */
  readonly reason: string | null
  /** writes accepted but not yet on disk */
  readonly queued: number
}

/** What a store tells of itself, for whoever watches it. What is counted is counted since it was opened. */
export interface Figures {
  /** deliveries that got to a state, by that and the channel they came by */
  readonly reached: readonly { readonly state: State; readonly via: string | null; readonly count: number }[]
  /** deliveries that are owed to sessions, and the size of their messages, as inboxes count it */
  readonly open: { readonly count: number; readonly bytes: number }
  /** deliveries that something is to be done for, now or later */
  readonly scheduled: number
  /** null where nothing goes to a disk */
  readonly disk: DiskFigures | null
}

export interface DiskFigures {
  /** seconds that each flush of the journal took */
  readonly flushes: Tally
  /** how many writes shared each flush */
  readonly batches: Tally
  /** bytes of the journal since the last checkpoint */
  readonly journal: number
  /** messages that are kept, and bytes of them, about */
  readonly kept: { readonly count: number; readonly bytes: number }
  /** bytes of the disk that it lies on; `free`: for this user. Null where the system does not say */
  readonly space: { readonly free: number; readonly size: number } | null
}

export interface Store {
  /** Takes the lock, recovers, reports what was found. Throws StoreLocked, StoreCorrupt, StoreVersion. */
  open(): Promise<{ readonly epoch: string; readonly torn: readonly string[] }>
  close(): Promise<void>
  health(): Health
  figures(): Promise<Figures>
  /**
   * All ops or none. `sync` resolves when durable and only then is readable; `lazy` is readable at once and
   * durable within 5 ms, but for a raise to `sent`, which a crash may undo: then the frame is sent again.
   * Accepts resolve in the order of their mids.
   * Throws StoreFull (507), StoreBusy (503), StoreFailed (503, outcome unknown).
   */
  write(ops: readonly Op[], how: 'sync'): Promise<Written>
  write(ops: readonly LazyOp[], how: 'lazy'): Promise<Written>
  message(mid: Mid): Promise<Message | null>
  delivery(mid: Mid, recipient: RecipientId): Promise<Delivery | null>
  /** Deliveries of a message in the order accepted; a large group in pages. */
  deliveries(mid: Mid, page?: { after?: string; limit?: number }): Promise<Page<Delivery>>
  attempts(mid: Mid, recipient: RecipientId): Promise<readonly Attempt[]>
  /**
   * A recipient's messages by mid: open ones only, or all kept; newest first with `before`, else oldest first.
   * `total` counts what the filter holds, whatever the page.
   */
  inbox(
    recipient: RecipientId,
    page: { after?: Mid; before?: Mid; open?: boolean; limit: number },
  ): Promise<Page<Delivery & { readonly message: Message }>>
  /** Deliveries of the whole hub, newest first. Scans within a budget: a page may be short with `next` set. */
  list(
    filter: { states?: readonly State[]; recipient?: RecipientId; text?: string },
    page: { before?: Mid; limit: number },
  ): Promise<Page<Delivery>>
  /**
   * Due work, leased to this process; it comes back when the lease ends without a `step`. A recipient's lowest
   * due mid comes first, and nothing behind a delivery that `holds`.
   */
  claim(now: number, limit: number, leaseMs: number): Promise<readonly Claimed[]>
  /** When the next claim can hand something out; null: nothing is scheduled. */
  nextDue(): Promise<number | null>
  get<T>(kind: Kind, id: string): Promise<Document<T> | null>
  scan<T>(kind: Kind, page: { prefix?: string; after?: string; limit: number }): Promise<Page<Document<T>>>
  count(meter: string): Promise<number>
  /** Wake-ups, never data; may be lost, so readers also poll slowly. Returns how to stop listening. */
  onChange(listener: (what: { kind: Kind | 'inbox' | 'delivery'; id: string }) => void): () => void
  putBlob(data: AsyncIterable<Uint8Array>, maxBytes: number): Promise<{ readonly id: string; readonly size: number }>
  readBlob(id: string): AsyncIterable<Uint8Array>
  /** Drops what policy no longer keeps; never a delivery that is open or still has work, nor its blob. */
  prune(
    keep: { ageMs?: number; count?: number; bytes?: number },
    budgetMs: number,
  ): Promise<{ readonly dropped: number; readonly more: boolean }>
}

/** The disk is full: nothing was accepted. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'
}
/** Too much is waiting for the disk: nothing was accepted, try again. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy'
}
/** A flush failed. What was in it may or may not be on disk; the store takes nothing more until a restart. */
export class StoreFailed extends Error {
  override readonly name = 'StoreFailed'
}
export class StoreLocked extends Mistake {
  override readonly name = 'StoreLocked'
}
export class StoreCorrupt extends Mistake {
  override readonly name = 'StoreCorrupt'
}
export class StoreVersion extends Mistake {
  override readonly name = 'StoreVersion'
}
