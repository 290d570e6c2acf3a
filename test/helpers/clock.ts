import type { Clock } from '../../server/ground/clock.ts'

export interface TestClock extends Clock {
  /** Moves time on and runs what falls due, in order; lets pending promises settle between. */
  advance(ms: number): Promise<void>
  /** Sets the wall clock only: timers do not follow. */
  jump(ms: number): void
  readonly pending: number
}

/** A clock that stands still until it is turned. */
export function testClock(start = 1_800_000_000_000): TestClock {
  let wall = start
  let elapsed = 0
  const timers = new Set<{ at: number; fn: () => void }>()
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

  return {
    now: () => wall,
    elapsed: () => elapsed,
    after(ms, fn) {
      const timer = { at: elapsed + ms, fn }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      const until = elapsed + ms
      for (;;) {
        await settle()
        const due = [...timers].filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at)[0]
        if (!due) break
        timers.delete(due)
        wall += Math.max(0, due.at - elapsed)
        elapsed = Math.max(elapsed, due.at)
        due.fn()
      }
      wall += until - elapsed
      elapsed = until
      await settle()
    },
    jump(ms) {
      wall += ms
    },
    get pending() {
      return timers.size
    },
  }
}
