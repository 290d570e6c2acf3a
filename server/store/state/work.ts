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
  /** those whose time has come and that nobody works on */
  readonly due: MidList
  /** nothing behind the first of these is handed out */
  readonly holders: MidList
  /** fences of those that somebody works on */
  readonly leases: Map<number, number>
}

interface Lease {
  readonly queue: Queue
  readonly mid: number
  readonly fence: number
}

export class Work {
  readonly #queues = new Map<RecipientId, Queue>()
  /** stale items are told by `nextOf` when they come up */
  readonly #byTime = new Heap<Queue>()
  /** by their end; those that ended before are told by their fence */
  readonly #leases = new Heap<Lease>()
  #fence = 0
  #size = 0

  /** deliveries that something is to be done for, leased or not */
  get size(): number {
    return this.#size
  }

  /** Sets when a delivery is due, and ends its lease; null: nothing more is to be done for it. */
  set(recipient: RecipientId, mid: number, dueAt: number | null, holds: boolean): void {
    const queue = this.#queues.get(recipient) ?? (dueAt === null ? null : this.#begin(recipient))
    if (!queue) return
    const before = queue.order.size
    queue.leases.delete(mid)
    queue.due.delete(mid)
    if (dueAt === null) {
      queue.dueAt.delete(mid)
      queue.order.delete(mid)
    } else {
      queue.dueAt.set(mid, dueAt)
      queue.order.add(mid)
      queue.byTime.push(dueAt, mid)
    }
    this.#size += queue.order.size - before
    if (holds && dueAt !== null) queue.holders.add(mid)
    else queue.holders.delete(mid)
    if (queue.order.size > 0) this.#schedule(queue)
    else this.#queues.delete(recipient)
  }

  /** The delivery holds back nothing any more. */
  release(recipient: RecipientId, mid: number): void {
    const queue = this.#queues.get(recipient)
    if (queue?.holders.delete(mid)) this.#schedule(queue)
  }

  /** Whether this lease is still the one that counts. */
  isHeld(recipient: RecipientId, mid: Mid, fence: number): boolean {
    return this.#queues.get(recipient)?.leases.get(Number(mid)) === fence
  }

  /** Leases one delivery that is due. */
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
      if (mid === undefined) continue
      this.#fence += 1
      queue.due.delete(mid)
      queue.leases.set(mid, this.#fence)
      this.#leases.push(now + leaseMs, { queue, mid, fence: this.#fence })
      this.#schedule(queue)
      return { recipient: queue.recipient, mid: midOf(mid), fence: this.#fence }
    }
  }

  /** When a claim can hand something out. */
  nextDue(): number | null {
    const leaseEnds = this.#nextEnd()
    for (;;) {
      const top = this.#byTime.top
      if (top === undefined) return leaseEnds
      if (nextOf(top.value) === top.at) return leaseEnds === null ? top.at : Math.min(leaseEnds, top.at)
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
      holders: new MidList(),
      leases: new Map(),
    }
    this.#queues.set(recipient, queue)
    return queue
  }

  #endLeases(now: number): void {
    for (let lease = this.#leases.popUpTo(now); lease !== undefined; lease = this.#leases.popUpTo(now)) {
      const { queue, mid, fence } = lease
      if (queue.leases.get(mid) !== fence) continue
      queue.leases.delete(mid)
      queue.byTime.push(queue.dueAt.get(mid) ?? now, mid)
      this.#schedule(queue)
    }
  }

  /** When the first lease ends that still counts. */
  #nextEnd(): number | null {
    for (;;) {
      const top = this.#leases.top
      if (top === undefined) return null
      if (top.value.queue.leases.get(top.value.mid) === top.value.fence) return top.at
      this.#leases.pop()
    }
  }

  #schedule(queue: Queue): void {
    const at = nextOf(queue)
    if (at !== null) this.#byTime.push(at, queue)
  }
}

/** When the queue can hand something out; null while all it may hand out is leased. */
function nextOf(queue: Queue): number | null {
  const { holders, dueAt, due, byTime, leases } = queue
  if (holders.first !== undefined) {
    const times = upToHolder(queue).map((mid) => dueAt.get(mid) ?? Infinity)
    return times.length === 0 ? null : Math.min(...times)
  }
  if (due.first !== undefined) return dueAt.get(due.first) ?? null
  for (;;) {
    const top = byTime.top
    if (top === undefined) return null
    if (dueAt.get(top.value) === top.at && !leases.has(top.value)) return top.at
    byTime.pop()
  }
}

/** The lowest mid that is due and not leased, nor behind a holder. */
function pick(queue: Queue, now: number): number | undefined {
  const isDue = (mid: number) => (queue.dueAt.get(mid) ?? Infinity) <= now
  if (queue.holders.first !== undefined) return upToHolder(queue).find(isDue)
  for (let mid = queue.byTime.popUpTo(now); mid !== undefined; mid = queue.byTime.popUpTo(now)) {
    if (isDue(mid) && !queue.leases.has(mid)) queue.due.add(mid)
  }
  return queue.due.first
}

/** The first holder and what came before it, as far as nobody works on it: few, since a holder is nearly always the first. */
function upToHolder({ order, holders, leases }: Queue): number[] {
  return order.upTo(holders.first ?? 0).filter((mid) => !leases.has(mid))
}
