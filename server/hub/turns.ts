/**
 * Work that comes in floods and may wait a moment, like reading on after an ack: done at the end of the turn of the
 * event loop, so much in each, so that others get theirs.
 */

/** of the unit that `work` returns */
const ROOM = 256

export class Turns<T> {
  readonly #work: (item: T) => number
  readonly #waiting = new Set<T>()

  /** @param work does it for one item and returns what that costs, in messages that go out */
  constructor(work: (item: T) => number) {
    this.#work = work
  }

  add(item: T): void {
    if (this.#waiting.size === 0) setImmediate(() => this.#run())
    this.#waiting.add(item)
  }

  #run(): void {
    let room = ROOM
    for (const item of this.#waiting) {
      if (room <= 0) {
        setImmediate(() => this.#run())
        return
      }
      this.#waiting.delete(item)
      room -= this.#work(item)
    }
  }
}
