/** What retention may drop: the oldest first, as long as there is more than policy keeps. */
export interface Kept {
  readonly ageMs?: number
  readonly count?: number
  readonly bytes?: number
}

/** One thing that can be dropped: a message, or a segment of them. */
export interface Droppable {
  readonly at: number
  readonly count: number
  readonly bytes: number
}

/** Whether policy lets go of `item`, the oldest of what `total` sums up. */
export function isOver(
  { ageMs, count, bytes }: Kept,
  item: Droppable,
  total: Omit<Droppable, 'at'>,
  now: number,
): boolean {
  if (ageMs !== undefined && item.at < now - ageMs) return true
  if (count !== undefined && total.count - item.count >= count) return true
  return bytes !== undefined && total.bytes - item.bytes >= bytes
}
