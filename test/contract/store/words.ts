/** Short ways to say what the tests of the contract say again and again. */
import type { RecipientId } from '../../../server/protocol/address.ts'
import type { Mid, State } from '../../../server/protocol/states.ts'
import type {
  Accept,
  Accepted,
  Attempt,
  Claimed,
  Delivery,
  LazyOp,
  Message,
  Op,
  Page,
  Raise,
  Step,
  Store,
  Written,
} from '../../../server/store/store.ts'

export const ALICE = 'alice@user'
export const BOB = 'bob@user'
export const CAROL = 'carol@user'

/** A mid that no store gives out, and one above all. */
export const NO_MID: Mid = '0000000000001'
export const LAST_MID: Mid = '9999999999999'

const MAX_PAGES = 10_000

/** A message with this text at the clock's time. */
export function messageOf(clock: { now(): number }, text: string, more: Partial<Message> = {}): Omit<Message, 'mid'> {
  return {
    at: clock.now(),
    from: { method: 'http', name: '' },
    to: [ALICE],
    body: { text, desp: '', extra: {} },
    blobs: [],
    strategy: null,
    expiresAt: null,
    ...more,
  }
}

export interface AcceptMore extends Partial<Pick<Accept, 'once' | 'room' | 'planned' | 'holding'>> {
  readonly text?: string
  /** also when deliveries without a plan fall due */
  readonly expiresAt?: number
  readonly message?: Partial<Message>
}

/** An accept for these recipients. */
export function acceptOf(
  clock: { now(): number },
  recipients: readonly RecipientId[],
  { text = 'hello', expiresAt, message = {}, planned = [], ...more }: AcceptMore = {},
): Accept {
  return {
    op: 'accept',
    message: messageOf(clock, text, { ...message, ...(expiresAt === undefined ? {} : { expiresAt }) }),
    recipients,
    planned,
    ...more,
  }
}

/** What the write accepted. @throws if it did not go through */
export function acceptedIn(written: Written): readonly Accepted[] {
  if (!written.ok) throw new Error(`the write was refused: ${written.why} at op ${written.op}`)
  return written.mids
}

/** The one mid that the write accepted. @throws if it did not go through */
export function midOf(written: Written): Mid {
  const [accepted] = acceptedIn(written)
  if (!accepted) throw new Error('the write accepted nothing')
  return accepted.mid
}

/** Accepts a message for these recipients and waits until it is durable. */
export async function accept(
  store: Store,
  clock: { now(): number },
  recipients: readonly RecipientId[],
  more: AcceptMore = {},
): Promise<Mid> {
  return midOf(await store.write([acceptOf(clock, recipients, more)], 'sync'))
}

/** Accepts `count` messages for these recipients, one after the other. */
export async function acceptMany(
  store: Store,
  clock: { now(): number },
  recipients: readonly RecipientId[],
  count: number,
): Promise<Mid[]> {
  const mids: Mid[] = []
  for (let n = 0; n < count; n += 1) mids.push(await accept(store, clock, recipients, { text: `text ${n}` }))
  return mids
}

export interface RaiseMore {
  readonly via?: string | null
  readonly at?: number
  readonly by?: string
  readonly reason?: string
  readonly open?: boolean
}

/** A raise of one delivery, that leaves it open unless told. */
export function raiseOf(
  mid: Mid,
  recipient: RecipientId,
  state: State,
  { via = null, at = 1, open = true, ...more }: RaiseMore = {},
): Raise {
  return { op: 'raise', state, via, at, open, of: [[mid, [recipient]]], ...more }
}

/** Closes a delivery as an ack does. */
export function ackOf(mid: Mid, recipient: RecipientId): Raise {
  return raiseOf(mid, recipient, 'delivered', { via: 'websocket', open: false })
}

/** Writes, waits until it is durable, and expects it to go through. */
export async function write(store: Store, ops: readonly Op[]): Promise<void> {
  acceptedIn(await store.write(ops, 'sync'))
}

/** Writes lazily and expects it to go through. */
export async function writeLazy(store: Store, ops: readonly LazyOp[]): Promise<void> {
  acceptedIn(await store.write(ops, 'lazy'))
}

/** Writes either way. */
export function writeAs(how: 'sync' | 'lazy', store: Store, ops: readonly LazyOp[]): Promise<Written> {
  return how === 'lazy' ? store.write(ops, 'lazy') : store.write(ops, 'sync')
}

/** The delivery. @throws if the store does not have it */
export async function deliveryOf(store: Store, mid: Mid, recipient: RecipientId): Promise<Delivery> {
  const delivery = await store.delivery(mid, recipient)
  if (!delivery) throw new Error(`there is no delivery of ${mid} for ${recipient}`)
  return delivery
}

/** An attempt that is in flight. */
export function attemptOf(n: number, more: Partial<Attempt> = {}): Attempt {
  return {
    n,
    step: 0,
    endpoint: 'hook',
    channel: 'webhook',
    startedAt: 1,
    endedAt: null,
    outcome: null,
    detail: null,
    maybeDuplicate: false,
    ...more,
  }
}

/** How long a test leases work, in ms. */
export const LEASE = 1_000

/** The one piece of work that a claim finds. @throws if there is none, or more */
export async function claimOne(store: Store, now: number, leaseMs = LEASE): Promise<Claimed> {
  const [work, ...more] = await store.claim(now, 10, leaseMs)
  if (!work || more.length > 0) throw new Error(`one piece of work was expected, not ${more.length + (work ? 1 : 0)}`)
  return work
}

/** Ends the lease. */
export function stepOf({ delivery, fence }: Claimed, step: number, dueAt: number | null, holds = false): Step {
  return { op: 'step', mid: delivery.mid, recipient: delivery.recipient, step, dueAt, holds, fence }
}

/** Every item, page by page; `read` gets the cursor that the last page gave. @throws if it never ends */
export async function allPages<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await read(cursor)
    items.push(...page.items)
    if (page.next === null) return items
    cursor = page.next
  }
  throw new Error('the pages have no end')
}

/** `{ after: cursor }`, or nothing where there is no cursor yet. */
export function after(cursor: string | undefined): { after?: string } {
  return cursor === undefined ? {} : { after: cursor }
}

/** `{ before: cursor }`, or nothing where there is no cursor yet. */
export function before(cursor: string | undefined): { before?: string } {
  return cursor === undefined ? {} : { before: cursor }
}

/** Everything that waits for the recipient's sessions, oldest first. */
export async function openMids(store: Store, recipient: RecipientId): Promise<Mid[]> {
  const waiting = await allPages((cursor) => store.inbox(recipient, { ...after(cursor), open: true, limit: 100 }))
  return waiting.map(({ mid }) => mid)
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
