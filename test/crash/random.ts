/** Seeded chance: one stream per actor, so that adding an actor does not change what the others do. */
export interface Random {
  /** in [0, 1) */
  next(): number
  /** whole number in [from, to) */
  between(from: number, to: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly [T, ...T[]]): T
  shuffle<T>(items: readonly T[]): T[]
}

/** A stream of chance that depends on the seed and on its owner's name only. */
export function random(seed: number, owner: string): Random {
  let state = seed >>> 0
  for (const letter of owner) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193) >>> 0

  // mulberry32: small, fast, and good enough to spread a workload
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from))

  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (items) => items[between(0, items.length)] ?? items[0],
    shuffle: (items) =>
      items
        .map((item) => ({ item, rank: next() }))
        .toSorted((a, b) => a.rank - b.rank)
        .map(({ item }) => item),
  }
}
