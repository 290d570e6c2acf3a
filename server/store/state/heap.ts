/** A binary heap of values by time, earliest first; values of one time come out in the order they went in. */
export class Heap<T> {
  readonly #items: { readonly at: number; readonly n: number; readonly value: T }[] = []
  #n = 0

  get top(): { readonly at: number; readonly value: T } | undefined {
    return this.#items[0]
  }

  push(at: number, value: T): void {
    const items = this.#items
    const item = { at, n: this.#n++, value }
    let place = items.length
    items.push(item)
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = items[parent]
      if (above === undefined || isBefore(above, item)) break
      items[place] = above
      place = parent
    }
    items[place] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last !== undefined && items.length > 0) this.#sink(last)
    return first?.value
  }

  /** Takes the earliest value off if its time has come. */
  popUpTo(now: number): T | undefined {
    const first = this.#items[0]
    return first !== undefined && first.at <= now ? this.pop() : undefined
  }

  #sink(item: { readonly at: number; readonly n: number; readonly value: T }): void {
    const items = this.#items
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      let smaller = items[child]
      const right = items[child + 1]
      if (smaller !== undefined && right !== undefined && isBefore(right, smaller)) {
        smaller = right
        child += 1
      }
      if (smaller === undefined || isBefore(item, smaller)) break
      items[place] = smaller
      place = child
    }
    items[place] = item
  }
}

function isBefore(
  a: { readonly at: number; readonly n: number },
  b: { readonly at: number; readonly n: number },
): boolean {
  return a.at < b.at || (a.at === b.at && a.n < b.n)
}
