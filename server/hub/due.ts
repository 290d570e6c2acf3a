/**
 * The time by which work falls due. It is the wall clock's, and jumps ahead with it; but when that is set back, it goes
 * on at its pace, for else everything would wait until the wall clock comes by again.
 */
import type { Clock } from '../ground/clock.ts'

/** by less than this the clock may be set back, and work just waits */
const SLACK_MS = 1_000

export interface DueClock extends Clock {
  /** When the moment comes that the wall clock calls `at`. */
  of(at: number): number
  /** The wall clock has shown `at`, maybe in an earlier life of the hub. */
  reached(at: number): void
}

export function createDueClock(clock: Clock): DueClock {
  /** of the furthest time there was, over `elapsed` */
  let lead = -Infinity

  function reached(at: number): void {
    lead = Math.max(lead, at - clock.elapsed())
  }

  function now(): number {
    const wall = clock.now()
    reached(wall)
    const due = Math.floor(lead + clock.elapsed())
    return due - wall < SLACK_MS ? wall : due
  }

  return {
    now,
    reached,
    of: (at) => at + now() - clock.now(),
    elapsed: () => clock.elapsed(),
    after: (ms, fn) => clock.after(ms, fn),
  }
}
