/** Deliveries that something is to be done for, by when it is due; and who does it, leased. */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import { Heap } from './heap.ts'
import { MidList, midOf } from './mid-list.ts'

/** The work of one recipient; mids as numbers. */
interface Queue {
  readonly recipient: RecipientId
  readonly order: MidList
  readonly dueAt: Map<number, number>
  /** by due time; stale items are told by `dueAt` when they come up */
  readonly byTime: Heap<number>
  /** those whose time has come */
  readonly due: MidList
  /** nothing behind this one is handed out */
  holder: number | null
  lease: { readonly mid: number; readonly fence: number; readonly endsAt: number } | null
}

export class Work {
  readonly #queues = new Map<RecipientId, Queue>()
  /** stale items are told by `nextOf` when they come up */
  readonly #byTime = new Heap<Queue>()
  /** few: no more than one process can work on at a time */
  readonly #leased = new Set<Queue>()
  #fence = 0

  /** Sets when a delivery is due, and ends its lease; null: nothing more is to be done for it. */
  set(recipient: RecipientId, mid: number, dueAt: number | null, holds: boolean): void {
    const queue = this.#queues.get(recipient) ?? (dueAt === null ? null : this.#begin(recipient))
    if (!queue) return
    if (dueAt === null) {
      queue.dueAt.delete(mid)
      queue.due.delete(mid)
      queue.order.delete(mid)
    } else {
      queue.due.delete(mid)
      queue.dueAt.set(mid, dueAt)
      queue.order.add(mid)
      queue.byTime.push(dueAt, mid)
    }
    if (holds) queue.holder = mid
    else if (queue.holder === mid) queue.holder = null
    if (queue.lease?.mid === mid) this.#free(queue)
    if (queue.order.size > 0) this.#schedule(queue)
    else this.#end(queue)
  }

  /** The delivery holds back nothing any more. */
  release(recipient: RecipientId, mid: number): void {
    const queue = this.#queues.get(recipient)
    if (queue?.holder !== mid) return
    queue.holder = null
    this.#schedule(queue)
  }

  /** Whether this lease is still the one that counts. */
  isHeld(recipient: RecipientId, mid: Mid, fence: number): boolean {
    const lease = this.#queues.get(recipient)?.lease
    return lease?.mid === Number(mid) && lease.fence === fence
  }

  /** Leases what is due, one delivery of a recipient at a time. */
  claim(now: number, leaseMs: number): { recipient: RecipientId; mid: Mid; fence: number } | null {
    this.#endLeases(now)
    for (;;) {
      const queue = this.#byTime.popUpTo(now)
      if (queue === undefined) return null
      const nextAt = nextOf(queue)
      if (nextAt === null) continue
      if (nextAt > now) {
        this.#byTime.push(nextAt, queue)
        continue
      }
      const mid = pick(queue, now)
      this.#fence += 1
      queue.lease = { mid, fence: this.#fence, endsAt: now + leaseMs }
      this.#leased.add(queue)
      return { recipient: queue.recipient, mid: midOf(mid), fence: this.#fence }
    }
  }

  /** When a claim can hand something out. */
  nextDue(): number | null {
    let earliest: number | null = null
    for (const { lease } of this.#leased) {
      if (lease && (earliest === null || lease.endsAt < earliest)) earliest = lease.endsAt
    }
    for (;;) {
      const top = this.#byTime.top
      if (top === undefined) return earliest
      if (nextOf(top.value) === top.at) return earliest === null ? top.at : Math.min(earliest, top.at)
      this.#byTime.pop()
    }
  }

  #begin(recipient: RecipientId): Queue {
    const queue: Queue = {
      recipient,
      order: new MidList(),
      dueAt: new Map(),
      byTime: new Heap(),
      due: new MidList(),
      holder: null,
      lease: null,
    }
    this.#queues.set(recipient, queue)
    return queue
  }

  #end(queue: Queue): void {
    this.#free(queue)
    this.#queues.delete(queue.recipient)
  }

  #free(queue: Queue): void {
    queue.lease = null
    this.#leased.delete(queue)
  }

  #endLeases(now: number): void {
    for (const queue of this.#leased) {
      if (queue.lease && queue.lease.endsAt > now) continue
      this.#free(queue)
      this.#schedule(queue)
    }
  }

  #schedule(queue: Queue): void {
    const at = nextOf(queue)
    if (at !== null) this.#byTime.push(at, queue)
  }
}

/** When the queue can hand something out; null while it is leased or empty. */
function nextOf(queue: Queue): number | null {
  if (queue.lease) return null
  if (isHolding(queue)) return Math.min(...upToHolder(queue).map((mid) => queue.dueAt.get(mid) ?? Infinity))
  const first = queue.due.first
  if (first !== undefined) return queue.dueAt.get(first) ?? null
  for (;;) {
    const top = queue.byTime.top
    if (top === undefined) return null
    if (queue.dueAt.get(top.value) === top.at) return top.at
    queue.byTime.pop()
  }
}

/** Of a queue that has something due: the lowest mid that is, not behind the holder. */
function pick(queue: Queue, now: number): number {
  const isDue = (mid: number) => (queue.dueAt.get(mid) ?? Infinity) <= now
  if (isHolding(queue)) return upToHolder(queue).find(isDue) ?? queue.holder ?? 0
  for (let mid = queue.byTime.popUpTo(now); mid !== undefined; mid = queue.byTime.popUpTo(now)) {
    if (isDue(mid)) queue.due.add(mid)
  }
  return queue.due.first ?? 0
}

function isHolding({ holder, dueAt }: Queue): boolean {
  return holder !== null && dueAt.has(holder)
}

/** The holder and what came before it: few, since a holder is nearly always the first. */
function upToHolder({ order, holder }: Queue): number[] {
  return order.upTo(holder ?? 0)
}
