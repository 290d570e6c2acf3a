/** One clock for all sessions that wait for something: it ticks while there are any, and does so in slices. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../ground/clock.ts'

/** how many are looked after before others get their turn */
const SLICE = 500

export interface TicksOptions<T> {
  readonly clock: Clock
  readonly everyMs: number
  /** Looks after one; false: it wants no more ticks. */
  readonly tick: (item: T) => boolean
  readonly failed: (error: unknown) => void
}

export class Ticks<T> {
  readonly #options: TicksOptions<T>
  readonly #items = new Set<T>()
  #ticking = false

  constructor(options: TicksOptions<T>) {
    this.#options = options
  }

  add(item: T): void {
    this.#items.add(item)
    if (!this.#ticking) this.#schedule()
  }

  delete(item: T): void {
    this.#items.delete(item)
  }

  #schedule(): void {
    const { clock, everyMs, failed } = this.#options
    this.#ticking = true
    clock.after(everyMs, () => {
      void this.#tickAll()
        .catch(failed)
        .then(() => {
          this.#ticking = this.#items.size > 0
          if (this.#ticking) this.#schedule()
        })
    })
  }

  async #tickAll(): Promise<void> {
    let ticked = 0
    // those that come while others get their turn wait for the next tick
    for (const item of Array.from(this.#items)) {
      if (this.#items.has(item) && !this.#options.tick(item)) this.#items.delete(item)
      ticked += 1
      if (ticked % SLICE === 0) await nextTurn()
    }
  }
}
