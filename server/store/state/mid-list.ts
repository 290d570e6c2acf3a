import type { Mid } from '../../protocol/states.ts'

/** Below this many leftovers in front, copying the list costs more than it frees. */
const MIN_COMPACT = 64
const MID_DIGITS = 13

/**
 * Mids in rising order, as plain numbers: the garbage collector need not look at them, and a group push reads
 * its mid once. Nearly all come in at the end and leave at the front, which is cheap.
 */
export class MidList {
  #mids: number[] = []
  #head = 0

  get size(): number {
    return this.#mids.length - this.#head
  }

  get first(): number | undefined {
    return this.#mids[this.#head]
  }

  add(n: number): void {
    const last = this.#mids.at(-1)
    if (last === undefined || last < n) {
      this.#mids.push(n)
      return
    }
    const at = this.#search(n)
    if (this.#mids[at] !== n) this.#mids.splice(at, 0, n)
  }

  delete(n: number): boolean {
    const at = this.#mids[this.#head] === n ? this.#head : this.#search(n)
    if (this.#mids[at] !== n) return false
    if (at === this.#mids.length - 1) this.#mids.pop()
    else if (at === this.#head) this.#head += 1
    else this.#mids.splice(at, 1)
    this.#compact()
    return true
  }

  /** Up to `limit` mids above `n`, lowest first. */
  after(n: number, limit: number): number[] {
    const start = this.#search(n + 1)
    return this.#mids.slice(start, start + limit)
  }

  /** All mids up to `n`, lowest first. */
  upTo(n: number): number[] {
    return this.#mids.slice(this.#head, this.#search(n + 1))
  }

  /** Up to `limit` mids below `n`, highest first. */
  before(n: number, limit: number): number[] {
    const end = this.#search(n)
    return this.#mids.slice(Math.max(this.#head, end - limit), end).toReversed()
  }

  #compact(): void {
    const isEmpty = this.#head > 0 && this.#head === this.#mids.length
    if (!isEmpty && (this.#head <= MIN_COMPACT || this.#head * 2 <= this.#mids.length)) return
    this.#mids = this.#mids.slice(this.#head)
    this.#head = 0
  }

  /** Where `n` stands, or would stand. */
  #search(n: number): number {
    let low = this.#head
    let high = this.#mids.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#mids[middle] ?? 0) < n) low = middle + 1
      else high = middle
    }
    return low
  }
}

export function midOf(n: number): Mid {
  return String(n).padStart(MID_DIGITS, '0')
}
