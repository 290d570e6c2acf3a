/** One timer for all that must happen within the same time: one for each would weigh more than what waits. */
import type { Clock } from '../ground/clock.ts'

export class Deadlines<T> {
  readonly #clock: Clock
  readonly #ms: number
  readonly #onLate: (item: T) => void
  /** when each is late, by the clock's `elapsed`; who waits longest stands first */
  readonly #lateAt = new Map<T, number>()
  #cancel: (() => void) | null = null

  /** @param onLate called with each item that was not deleted within `ms` */
  constructor(clock: Clock, ms: number, onLate: (item: T) => void) {
    this.#clock = clock
    this.#ms = ms
    this.#onLate = onLate
  }

  add(item: T): void {
    this.#lateAt.set(item, this.#clock.elapsed() + this.#ms)
    if (!this.#cancel) this.#lookAfter(this.#ms)
  }

  delete(item: T): void {
    this.#lateAt.delete(item)
  }

  /** Nobody is late any more. */
  close(): void {
    this.#lateAt.clear()
    this.#cancel?.()
  }

  #lookAfter(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => this.#look())
  }

  #look(): void {
    this.#cancel = null
    const now = this.#clock.elapsed()
    for (const [item, lateAt] of this.#lateAt) {
      if (lateAt > now) {
        this.#lookAfter(lateAt - now)
        return
      }
      this.#lateAt.delete(item)
      this.#onLate(item)
    }
  }
}
