/** Everything the store knows in memory, and the one place where changes are applied to it. */
import type { RecipientId } from '../../protocol/address.ts'
import { isFinal, mayFollow, type Mid } from '../../protocol/states.ts'
import type { Attempt, Kind, Raise } from '../store.ts'
import type { Change, MessageAdded, OnceKey, Stepped } from './change.ts'
import { Documents } from './documents.ts'
import { Entry, isLive, type Status } from './entry.ts'
import { Reached } from './figures.ts'
import { Inboxes } from './inboxes.ts'
import { Work } from './work.ts'

export type Listener = (what: { kind: Kind | 'inbox' | 'delivery'; id: string }) => void

export class State {
  /** in memory: all of the newest segment, and what is live of older ones */
  readonly entries = new Map<Mid, Entry>()
  readonly inboxes = new Inboxes()
  readonly work = new Work()
  readonly reached = new Reached()
  readonly documents = new Documents()
  readonly once = new Map<string, OnceKey>()
  readonly meters = new Map<string, number>()
  readonly listeners = new Set<Listener>()
  /** the highest mid ever given out */
  lastMid: Mid = ''
  /** hears of each entry that is new or changed, and of each document and key */
  onEntry: (entry: Entry, isNew: boolean) => void = () => {}
  onDocument: (kind: Kind, id: string) => void = () => {}
  onOnce: (once: OnceKey) => void = () => {}

  apply(change: Change): void {
    switch (change.op) {
      case 'message':
        this.#add(change)
        break
      case 'once':
        this.once.set(change.once.key, change.once)
        this.onOnce(change.once)
        break
      case 'raise':
        this.#raise(change)
        break
      case 'step':
        this.#step(change)
        break
      case 'attempt':
        this.#attempt(change.mid, change.recipient, change.attempt)
        break
      case 'put':
        if (this.documents.put(change.kind, change.id, change.value, change.rev)) this.#documentChanged(change)
        break
      case 'delete':
        if (this.documents.delete(change.kind, change.id, change.rev)) this.#documentChanged(change)
        break
      case 'count':
        this.meters.set(change.meter, change.value)
        break
    }
  }

  /** Takes in an entry that was read from disk. */
  admit(entry: Entry): void {
    this.entries.set(entry.mid, entry)
    for (let place = 0; place < entry.recipients.length; place += 1) {
      const recipient = entry.recipients[place]
      const status = entry.statuses[place]
      if (recipient !== undefined && status !== undefined) this.#index(entry, recipient, status)
    }
  }

  /** Forgets an entry; its deliveries must not be live. */
  drop(mid: Mid): void {
    this.entries.delete(mid)
  }

  /** Forgets idempotency keys whose time is over. */
  forgetKeys(now: number): void {
    for (const { key, expiresAt } of this.once.values()) if (expiresAt <= now) this.once.delete(key)
  }

  #add({ message, expiresAt, recipients, planned, full, holding = [] }: MessageAdded): void {
    if (message.mid > this.lastMid) this.lastMid = message.mid
    if (this.entries.has(message.mid)) return
    const entry = new Entry(message, recipients, statusesOf(message.at, expiresAt, recipients, planned, full, holding))
    this.admit(entry)
    this.reached.add('queued', null, recipients.length - full.length)
    this.reached.add('failed', null, full.length)
    this.onEntry(entry, true)
    this.#tell('delivery', message.mid)
    if (this.listeners.size > 0) for (const recipient of recipients) this.#tell('inbox', recipient)
  }

  #raise(raise: Raise): void {
    let moved = 0
    for (const [mid, recipients] of raise.of) {
      const entry = this.entries.get(mid)
      if (!entry) continue
      let before: Status | undefined
      let after: Status | undefined
      let changed = false
      for (const recipient of recipients) {
        const place = entry.placeOf(recipient)
        const status = entry.statuses[place]
        if (status === undefined) continue
        if (status !== before) {
          before = status
          after = raised(status, raise)
        }
        if (after === undefined || after === status) continue
        this.#replace(entry, place, recipient, after)
        if (after.state !== status.state) moved += 1
        if (status.holds && !after.holds) this.work.release(recipient, entry.n)
        changed = true
      }
      if (!changed) continue
      this.onEntry(entry, false)
      this.#tell('delivery', mid)
    }
    this.reached.add(raise.state, raise.via, moved)
  }

  #step({ mid, recipient, step, dueAt, holds }: Stepped): void {
    const entry = this.entries.get(mid)
    const place = entry?.placeOf(recipient) ?? -1
    const status = entry?.statuses[place]
    if (!entry || !status) return
    this.#replace(entry, place, recipient, { ...status, step, dueAt, holds })
    this.work.set(recipient, entry.n, dueAt, holds)
    this.onEntry(entry, false)
    this.#tell('delivery', mid)
  }

  #attempt(mid: Mid, recipient: RecipientId, attempt: Attempt): void {
    const entry = this.entries.get(mid)
    const place = entry?.placeOf(recipient) ?? -1
    if (!entry || place < 0) return
    const made = entry.attempts?.get(place) ?? []
    const known = made.findIndex(({ n }) => n === attempt.n)
    if (known >= 0 && made[known]?.endedAt !== null && attempt.endedAt === null) return
    // in order whatever comes first: a lazy one overtakes a sync one that is being written
    const all = known < 0 ? [...made, attempt].toSorted((a, b) => a.n - b.n) : made.with(known, attempt)
    entry.setAttempts(place, all)
    this.onEntry(entry, false)
    this.#tell('delivery', mid)
  }

  #replace(entry: Entry, place: number, recipient: RecipientId, after: Status): void {
    const before = entry.statuses[place]
    entry.statuses[place] = after
    if (before === undefined) return
    entry.live += Number(isLive(after)) - Number(isLive(before))
    if (!before.open || after.open) return
    this.inboxes.delete(recipient, entry.n, entry.size)
    this.#tell('inbox', recipient)
  }

  #index(entry: Entry, recipient: RecipientId, status: Status): void {
    if (status.open) this.inboxes.add(recipient, entry.n, entry.size)
    if (status.dueAt !== null) this.work.set(recipient, entry.n, status.dueAt, status.holds)
  }

  #documentChanged({ kind, id }: { kind: Kind; id: string }): void {
    this.onDocument(kind, id)
    this.#tell(kind, id)
  }

  #tell(kind: Kind | 'inbox' | 'delivery', id: string): void {
    for (const listener of this.listeners) listener({ kind, id })
  }
}

function statusesOf(
  at: number,
  expiresAt: number | null,
  recipients: readonly RecipientId[],
  planned: readonly RecipientId[],
  full: readonly RecipientId[],
  holding: readonly RecipientId[],
): Status[] {
  const waiting: Status = {
    state: 'queued',
    via: null,
    at,
    by: null,
    reason: null,
    open: true,
    step: 0,
    dueAt: expiresAt,
    holds: false,
  }
  const statuses = recipients.map(() => waiting)
  if (planned.length > 0) mark(statuses, recipients, planned, { ...waiting, dueAt: at })
  if (holding.length > 0) mark(statuses, recipients, holding, { ...waiting, dueAt: at, holds: true })
  if (full.length > 0) {
    mark(statuses, recipients, full, { ...waiting, state: 'failed', reason: 'full', open: false, dueAt: null })
  }
  return statuses
}

function mark(statuses: Status[], recipients: readonly RecipientId[], some: readonly RecipientId[], as: Status): void {
  const marked = new Set(some)
  for (const [place, recipient] of recipients.entries()) if (marked.has(recipient)) statuses[place] = as
}

/** The same object where the event changes nothing. */
function raised(status: Status, { state, via, at, by, reason, open }: Raise): Status {
  const stays = status.open && open
  if (mayFollow(status, { state, via })) {
    return {
      state,
      via,
      at,
      by: by ?? null,
      reason: reason ?? null,
      open: stays,
      step: status.step,
      dueAt: status.dueAt,
      holds: status.holds && !isFinal(state),
    }
  }
  return stays === status.open ? status : { ...status, open: false }
}
