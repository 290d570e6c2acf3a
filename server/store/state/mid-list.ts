import type { Mid } from '../../protocol/states.ts'

/** Below this many leftovers in front, copying the list costs more than it frees. */
const MIN_COMPACT = 64

/** Mids in rising order. Nearly all come in at the end and leave at the front, which is cheap. */
export class MidList {
  #mids: Mid[] = []
  #head = 0

  get size(): number {
    return this.#mids.length - this.#head
  }

  get first(): Mid | undefined {
    return this.#mids[this.#head]
  }

  add(mid: Mid): void {
    const last = this.#mids.at(-1)
    if (last === undefined || last < mid) {
      this.#mids.push(mid)
      return
    }
    const at = this.#search(mid)
    if (this.#mids[at] !== mid) this.#mids.splice(at, 0, mid)
  }

  delete(mid: Mid): boolean {
    if (this.#mids[this.#head] === mid) {
      this.#head += 1
      if (this.#head > MIN_COMPACT && this.#head * 2 > this.#mids.length) {
        this.#mids = this.#mids.slice(this.#head)
        this.#head = 0
      }
      return true
    }
    const at = this.#search(mid)
    if (this.#mids[at] !== mid) return false
    this.#mids.splice(at, 1)
    return true
  }

  /** Up to `limit` mids above `mid`, lowest first. */
  after(mid: Mid, limit: number): Mid[] {
    const at = this.#search(mid)
    const start = this.#mids[at] === mid ? at + 1 : at
    return this.#mids.slice(start, start + limit)
  }

  /** All mids up to `mid`, lowest first. */
  upTo(mid: Mid): Mid[] {
    const at = this.#search(mid)
    return this.#mids.slice(this.#head, this.#mids[at] === mid ? at + 1 : at)
  }

  /** Up to `limit` mids below `mid`, highest first. */
  before(mid: Mid, limit: number): Mid[] {
    const end = this.#search(mid)
    return this.#mids.slice(Math.max(this.#head, end - limit), end).toReversed()
  }

  /** Where `mid` stands, or would stand. */
  #search(mid: Mid): number {
    let low = this.#head
    let high = this.#mids.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#mids[middle] ?? '') < mid) low = middle + 1
      else high = middle
    }
    return low
  }
}
