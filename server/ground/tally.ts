/** A distribution, counted as Prometheus wants it: plain numbers, cheap enough for the hottest path. */

export class Tally {
  /** rising */
  readonly bounds: readonly number[]
  /** values above the bound before and up to this one; one place more, for what lies above all bounds */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  add(value: number): void {
    const { bounds, counts } = this
    let place = 0
    while (place < bounds.length && value > (bounds[place] ?? 0)) place += 1
    counts[place] = (counts[place] ?? 0) + 1
    this.sum += value
  }
}

/** Adds to one of several counters. The keys are words of the code, never of a caller, so that there are few. */
export function count<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
