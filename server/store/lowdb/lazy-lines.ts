/**
 * Lines of what was applied already and is not in the journal yet. A disk that takes none for long must not cost
 * memory without end: then they are let go, and a checkpoint writes what memory holds.
 */
const MOST_BYTES = 8 * 1024 * 1024

export class LazyLines {
  #lines: string[] = []
  #bytes = 0
  #isAhead = false

  get length(): number {
    return this.#lines.length
  }

  /** Lines were let go, and no checkpoint has caught up yet. */
  get isAhead(): boolean {
    return this.#isAhead
  }

  push(line: string): void {
    this.#lines.push(line)
    this.#bytes += line.length
    if (this.#bytes > MOST_BYTES) this.#letGo()
  }

  /** All of them, in order. */
  take(): readonly string[] {
    const lines = this.#lines
    this.#lines = []
    this.#bytes = 0
    return lines
  }

  /** Lines that were taken and could not be written. */
  putBack(lines: readonly string[]): void {
    this.#lines = [...lines, ...this.#lines]
    for (const line of lines) this.#bytes += line.length
    if (this.#bytes > MOST_BYTES) this.#letGo()
  }

  /** A checkpoint begins now; returns what to do when it did not go through. */
  catchUp(): () => void {
    const wasAhead = this.#isAhead
    this.#isAhead = false
    return () => {
      this.#isAhead ||= wasAhead
    }
  }

  #letGo(): void {
    this.take()
    this.#isAhead = true
  }
}
