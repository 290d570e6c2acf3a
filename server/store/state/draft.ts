/** Checks writes one after another, each against the state and what the earlier ones of its batch will change. */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import { type Accept, type Accepted, type Kind, numbered, type Op, type Step, type Written } from '../store.ts'
import type { Change, OnceKey } from './change.ts'
import { textOf } from './entry.ts'
import { midOf } from './mid-list.ts'
import type { State } from './state.ts'

const SHARED_FROM = 8

type Refused = Extract<Written, { ok: false }>['why']

/** What a write comes to: the changes to apply and the answer for when they are durable. */
export interface Checked {
  readonly changes: readonly Change[]
  readonly answer: Written
}

export class Draft {
  readonly #state: State
  readonly #now: number
  readonly #once = new Map<string, OnceKey>()
  /** null: deleted */
  readonly #revs = new Map<string, number | null>()
  readonly #meters = new Map<string, number>()
  /** recipients of what earlier writes of the batch bring */
  readonly #coming: (readonly RecipientId[])[] = []
  readonly #stepped = new Set<string>()
  #undo: (() => void)[] = []

  constructor(state: State, now: number) {
    this.#state = state
    this.#now = now
  }

  /** All of the write, or nothing of it. */
  check(ops: readonly Op[]): Checked {
    this.#undo = []
    const changes: Change[] = []
    const mids: Accepted[] = []
    for (const [at, op] of ops.entries()) {
      const why = op.op === 'accept' ? this.#accept(op, changes, mids) : this.#other(op, changes)
      if (why === null) continue
      this.takeBack()
      return { changes: [], answer: { ok: false, why, op: at } }
    }
    return { changes, answer: { ok: true, mids } }
  }

  /** The write that was checked last will not be. */
  takeBack(): void {
    for (const undo of this.#undo.toReversed()) undo()
    this.#undo = []
  }

  #other(op: Exclude<Op, Accept>, changes: Change[]): Refused | null {
    switch (op.op) {
      case 'raise':
        changes.push(op)
        return null
      case 'attempt':
        changes.push(op)
        return null
      case 'step':
        return this.#step(op, changes)
      case 'put':
      case 'delete':
        return this.#document(op, changes)
      case 'count':
        return this.#count(op, changes)
    }
  }

  #accept(
    { message, recipients, planned, holding, once, room }: Accept,
    changes: Change[],
    mids: Accepted[],
  ): Refused | null {
    const known = once && this.#known(once.key)
    if (once && known) {
      if (known.print !== once.print) return 'once-differs'
      mids.push({ mid: known.mid, repeated: true, full: [] })
      return null
    }
    if (recipients.length === 0) return 'nobody'
    const full = room ? recipients.filter((recipient) => this.#isFull(recipient, room)) : []
    if (full.length === recipients.length) return 'full'
    const mid = this.#nextMid()
    const key = once && { key: once.key, print: once.print, mid, expiresAt: this.#now + once.ttlMs }
    if (key) this.#set(this.#once, key.key, key)
    const list =
      recipients.length >= SHARED_FROM && !Object.isFrozen(recipients) ? Object.freeze([...recipients]) : recipients
    changes.push({
      op: 'message',
      message: textOf(numbered(mid, message)),
      expiresAt: message.expiresAt,
      recipients: list,
      planned,
      full,
      ...(holding ? { holding } : {}),
    })
    if (key) changes.push({ op: 'once', once: key })
    mids.push({ mid, repeated: false, full })
    this.#coming.push(list)
    this.#undo.push(() => this.#coming.pop())
    return null
  }

  /** Unique and increasing whatever the clock does; near now as long as it runs forward. */
  #nextMid(): Mid {
    const before = this.#state.lastMid
    const mid = midOf(Math.max(this.#now, Number(before) + 1))
    this.#state.lastMid = mid
    this.#undo.push(() => (this.#state.lastMid = before))
    return mid
  }

  #known(key: string): OnceKey | null {
    const known = this.#once.get(key) ?? this.#state.once.get(key)
    return known && known.expiresAt > this.#now ? known : null
  }

  #isFull(recipient: RecipientId, room: NonNullable<Accept['room']>): boolean {
    const { open, bytes } = this.#state.inboxes.of(recipient)
    if (bytes >= room.bytes) return true
    if (open.size + this.#coming.length < room.count) return false
    return open.size + this.#coming.filter((recipients) => recipients.includes(recipient)).length >= room.count
  }

  #step({ mid, recipient, step, dueAt, holds, fence }: Step, changes: Change[]): Refused | null {
    const id = `${mid} ${recipient}`
    if (this.#stepped.has(id) || !this.#state.work.isHeld(recipient, mid, fence)) return 'conflict'
    this.#stepped.add(id)
    this.#undo.push(() => this.#stepped.delete(id))
    changes.push({ op: 'step', mid, recipient, step, dueAt, holds })
    return null
  }

  #document(op: Extract<Op, { op: 'put' | 'delete' }>, changes: Change[]): Refused | null {
    const { kind, id } = op
    if (op.rev !== undefined && op.rev !== this.#revOf(kind, id)) return 'conflict'
    const { documents } = this.#state
    documents.rev += 1
    const rev = documents.rev
    this.#set(this.#revs, `${kind} ${id}`, op.op === 'put' ? rev : null)
    changes.push(op.op === 'put' ? { op: 'put', kind, id, value: op.value, rev } : { op: 'delete', kind, id, rev })
    return null
  }

  #revOf(kind: Kind, id: string): number {
    const coming = this.#revs.get(`${kind} ${id}`)
    if (coming !== undefined) return coming ?? 0
    return this.#state.documents.get(kind, id)?.rev ?? 0
  }

  #count({ meter, by, limit }: Extract<Op, { op: 'count' }>, changes: Change[]): Refused | null {
    const value = (this.#meters.get(meter) ?? this.#state.meters.get(meter) ?? 0) + by
    if (limit !== undefined && value > limit) return 'limit'
    this.#set(this.#meters, meter, value)
    changes.push({ op: 'count', meter, value })
    return null
  }

  #set<V>(map: Map<string, V>, key: string, value: V): void {
    const before = map.get(key)
    this.#undo.push(() => void (before === undefined ? map.delete(key) : map.set(key, before)))
    map.set(key, value)
  }
}
