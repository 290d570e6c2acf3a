import type { Mid } from '../../protocol/states.ts'

/** Below this many leftovers in front, copying the list costs more than it frees. */
const MIN_COMPACT = 64
const MID_DIGITS = 13

/**
 * Mids in rising order. Nearly all come in at the end and leave at the front, which is cheap. They are held
 * as plain numbers, which the garbage collector need not look at.
 */
export class MidList {
  #mids: number[] = []
  #head = 0

  get size(): number {
    return this.#mids.length - this.#head
  }

  get first(): Mid | undefined {
    const first = this.#mids[this.#head]
    return first === undefined ? undefined : midOf(first)
  }

  add(mid: Mid): void {
    const n = Number(mid)
    const last = this.#mids.at(-1)
    if (last === undefined || last < n) {
      this.#mids.push(n)
      return
    }
    const at = this.#search(n)
    if (this.#mids[at] !== n) this.#mids.splice(at, 0, n)
  }

  delete(mid: Mid): boolean {
    const n = Number(mid)
    const at = this.#mids[this.#head] === n ? this.#head : this.#search(n)
    if (this.#mids[at] !== n) return false
    if (at === this.#mids.length - 1) this.#mids.pop()
    else if (at === this.#head) this.#head += 1
    else this.#mids.splice(at, 1)
    this.#compact()
    return true
  }

  /** Up to `limit` mids above `mid`, lowest first. */
  after(mid: Mid, limit: number): Mid[] {
    const start = this.#search(Number(mid) + 1)
    return this.#mids.slice(start, start + limit).map(midOf)
  }

  /** All mids up to `mid`, lowest first. */
  upTo(mid: Mid): Mid[] {
    return this.#mids.slice(this.#head, this.#search(Number(mid) + 1)).map(midOf)
  }

  /** Up to `limit` mids below `mid`, highest first. */
  before(mid: Mid, limit: number): Mid[] {
    const end = this.#search(Number(mid))
    return this.#mids
      .slice(Math.max(this.#head, end - limit), end)
      .toReversed()
      .map(midOf)
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

function midOf(n: number): Mid {
  return String(n).padStart(MID_DIGITS, '0')
}
