/**
 * Read this first: what happens to a push.
 *
 *   resolve   who is meant, and may the caller reach them
 *   accept    the message and all its deliveries become durable in one write; from here on nothing is lost
 *   offer     live sessions get a frame at once (the lane), outbound endpoints an attempt (the plan runner)
 *   answer    how far it got with each recipient, as soon as nothing more can happen or the time is up
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../ground/clock.ts'
import { type Caller, may } from '../directory/access.ts'
import type { Directory } from '../directory/directory.ts'
import { type GroupId, type RecipientId, SYSTEM, wireName } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import type { MessageBody } from '../protocol/packets.ts'
import type { Mid, Standing } from '../protocol/states.ts'
import { type Accept, type Accepted, type Message, numbered, type Store, type Written } from '../store/store.ts'
import type { Sessions } from './lane.ts'
import type { Meters } from './meters.ts'
import { keepsOrder, NOTIFICATION, type Plans } from './plan.ts'
import { QUEUED, type Replies, type Standings } from './reply.ts'
import type { Runner } from './runner.ts'
import type { Settle } from './settle.ts'

const ONCE_MS = 24 * 3_600_000
const FULL: Standing = Object.freeze({ state: 'failed', via: null, reason: 'full' })
const CALLER_UNKNOWN = ''
const NOTHING: readonly never[] = []

/** A push that a door has read and found well formed. */
export interface PushRequest {
  readonly caller: Caller
  readonly method: Message['from']['method']
  readonly to: { readonly recipient: RecipientId } | { readonly group: GroupId }
  readonly body: MessageBody
  /** how its recipients' endpoints follow each other; null: as the config says for each */
  readonly strategy: string | null
  /** ms until it is worthless; null: never */
  readonly expireMs: number | null
  /** A repeat with the same key is answered with what became of the first. */
  readonly idempotencyKey: string | null
  /** how long the caller waits for its answer, in ms */
  readonly waitMs: number
}

export interface PushResult {
  /** null: nobody was meant, nothing was accepted */
  readonly mid: Mid | null
  /** each recipient that was meant; null for one the hub does not know */
  readonly standings: ReadonlyMap<RecipientId, Standing | null>
}

/** The rooms that a push passes through. */
export interface Rooms {
  readonly store: Store
  readonly directory: Directory
  readonly plans: Plans
  readonly sessions: Sessions
  readonly runner: Runner
  readonly settle: Settle
  readonly replies: Replies
  readonly clock: Clock
  readonly meters: Meters
  readonly room: { readonly count: number; readonly bytes: number }
}

/** @throws Refusal, StoreBusy, StoreFull: nothing was accepted; StoreFailed: that is not known */
export async function push(rooms: Rooms, request: PushRequest): Promise<PushResult> {
  const { pushes } = rooms.meters
  const recipients = resolve(rooms, request)
  // a key may name an earlier push, whoever is left of those it was for
  if (recipients.length === 0 && request.idempotencyKey === null) return nobody(rooms, request)
  const accept = compose(rooms, request, recipients)
  if (accept.planned.length > 0 && !rooms.runner.hasRoom()) throw new Refusal('queue-full')
  const accepted = acceptedOf(await rooms.store.write([accept], 'sync'))
  if (accepted === null) return nobody(rooms, request)
  if (accepted.repeated) {
    pushes.repeated += 1
    return standingsNow(rooms, accepted.mid, recipients)
  }
  pushes.accepted += 1
  offer(rooms, accept, accepted)
  const noteSent = (recipient: RecipientId) => rooms.sessions.noteSent(recipient)
  return { mid: accepted.mid, standings: await rooms.replies.settled(accepted.mid, request.waitMs, noteSent) }
}

function resolve({ directory }: Rooms, { caller, to, strategy }: PushRequest): readonly RecipientId[] {
  const target = 'group' in to ? to.group : to.recipient
  if (!may(caller, 'push', target)) throw new Refusal('not-allowed')
  if ('group' in to) return directory.members(to.group)
  const alone = directory.alone(to.recipient)
  // what goes out as a notification is kept as one
  return strategy === NOTIFICATION && alone.length > 0 ? [...alone, SYSTEM] : alone
}

function nobody({ meters }: Rooms, { to }: PushRequest): PushResult {
  meters.pushes.nobody += 1
  return { mid: null, standings: new Map('group' in to ? [] : [[to.recipient, null]]) }
}

function compose(rooms: Rooms, request: PushRequest, recipients: readonly RecipientId[]): Accept {
  const at = rooms.clock.now()
  const target = 'group' in request.to ? request.to.group : request.to.recipient
  const message: Accept['message'] = {
    at,
    from: { method: request.method, name: nameOf(request.caller) },
    to: [target],
    body: request.body,
    blobs: NOTHING,
    strategy: request.strategy,
    expiresAt: request.expireMs === null ? null : at + request.expireMs,
  }
  return acceptOf(rooms, message, recipients, onceOf(request, target))
}

/** The op that takes in a message, with what its recipients' plans ask for. */
export function acceptOf(
  { plans, room }: Pick<Rooms, 'plans' | 'room'>,
  message: Accept['message'],
  recipients: readonly RecipientId[],
  once: Accept['once'] | null = null,
): Accept {
  const { strategy } = message
  const planned = recipients.filter((recipient) => plans.of(recipient, strategy).length > 0)
  const holding = planned.filter((recipient) => keepsOrder(plans.of(recipient, strategy)))
  return {
    op: 'accept',
    message,
    recipients,
    planned,
    room,
    ...(holding.length > 0 ? { holding } : {}),
    ...(once ? { once } : {}),
  }
}

/** A key belongs to its caller, so that strangers cannot collide; the print is what must not differ. */
function onceOf(
  { caller, body, strategy, expireMs, idempotencyKey }: PushRequest,
  target: string,
): Accept['once'] | null {
  if (idempotencyKey === null) return null
  return {
    key: JSON.stringify([caller.kind, nameOf(caller), idempotencyKey]),
    print: createHash('sha256')
      .update(JSON.stringify(strategy === null ? [target, body, expireMs] : [target, body, expireMs, strategy]))
      .digest('base64url'),
    ttlMs: ONCE_MS,
  }
}

function nameOf(caller: Caller): string {
  return caller.kind === 'client' ? wireName(caller.id) : CALLER_UNKNOWN
}

/** Null: nobody was meant. @throws Refusal */
function acceptedOf(written: Written): Accepted | null {
  if (!written.ok) {
    if (written.why === 'nobody') return null
    throw new Refusal(written.why === 'once-differs' ? 'idempotency-mismatch' : 'inbox-full')
  }
  const [accepted] = written.mids
  if (!accepted) throw new Refusal('internal')
  return accepted
}

function offer(rooms: Rooms, accept: Accept, { mid, full }: Accepted): void {
  const { replies } = rooms
  const { recipients, planned } = accept
  const standings: Standings = new Map()
  for (const recipient of recipients) standings.set(recipient, QUEUED)
  for (const recipient of full) standings.set(recipient, FULL)
  replies.open(mid, standings)
  if (planned.length > 0) for (const recipient of without(planned, full)) replies.attemptOwes(mid, recipient)
  sendOn(rooms, accept, { mid, full })
}

/** A message that is durable goes to live sessions and endpoints. */
export function sendOn(
  { sessions, runner }: Pick<Rooms, 'sessions' | 'runner'>,
  { message, recipients, planned }: Accept,
  { mid, full }: Pick<Accepted, 'mid' | 'full'>,
): void {
  sessions.offer(numbered(mid, message), full.length === 0 ? recipients : without(recipients, full))
  if (planned.length > 0 || message.expiresAt !== null) runner.wake(planned.length)
}

function without(recipients: readonly RecipientId[], some: readonly RecipientId[]): readonly RecipientId[] {
  const gone = new Set(some)
  return recipients.filter((recipient) => !gone.has(recipient))
}

/** The states of an earlier push as they are now. */
async function standingsNow(
  { store, sessions, settle }: Rooms,
  mid: Mid,
  recipients: readonly RecipientId[],
): Promise<PushResult> {
  for (const recipient of recipients) sessions.noteSent(recipient)
  settle.flush()
  const standings: Standings = new Map()
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<Store['deliveries']>> = await store.deliveries(mid, after === null ? {} : { after })
    for (const delivery of page.items) standings.set(delivery.recipient, delivery)
    after = page.next
  } while (after !== null)
  return { mid, standings }
}
