/** "Did you mean": the known word that is nearest to one that nobody knows. */

/**
 * The item whose word is nearest, the first of equals; null where none is near enough to be meant.
 * @param wordOf what the item is called
 */
export function nearest<Item>(word: string, items: readonly Item[], wordOf: (item: Item) => string): Item | null {
  let best: Item | null = null
  let least = Math.floor(word.length / 3) + 1
  for (const item of items) {
    const far = distance(word.toLowerCase(), wordOf(item).toLowerCase())
    if (far >= least) continue
    best = item
    least = far
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours from one word to the other. */
function distance(from: string, to: string): number {
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      next[column] = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + cost,
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    before = last
    last = next
  }
  return last[to.length] ?? 0
}
