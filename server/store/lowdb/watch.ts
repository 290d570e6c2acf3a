/** Looks after space, and brings about checkpoints: when the journal is long, or when nothing has happened for a while. */
import type { Clock } from '../../ground/clock.ts'
import type { Log } from '../../ground/log.ts'
import { StoreFull } from '../store.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { Commit } from './commit.ts'
import type { Journal } from './journal.ts'
import type { Segments } from './segments.ts'
import type { Space } from './space.ts'
import type { Tables } from './tables.ts'

const LOOK_MS = 1_000
const IDLE_MS = 60_000
/** after a start, so that clients can come back first */
const GRACE_MS = 5_000
/** a start that had to read more changes than this does not put off what spares the next one */
const MANY_CHANGES = 50_000
/** looks to let pass after a checkpoint that failed */
const MOST_PAUSE = 60

export interface Watch {
  /** @param replayed changes that the start had to read: what they left in memory is owed a checkpoint */
  start(replayed: number): void
  /** Does not wait for the next look. */
  hurry(): void
  stop(): void
}

export interface WatchOptions {
  readonly clock: Clock
  readonly log: Log
  readonly journal: Journal
  readonly commit: Commit
  readonly checkpoints: Checkpoints
  readonly space: Space
  readonly segments: Segments
  readonly tables: Tables
  /** bytes of journal that bring about a checkpoint */
  readonly checkpointBytes: number
}

export function createWatch(options: WatchOptions): Watch {
  const { clock, log, journal, commit, checkpoints, space, segments, tables, checkpointBytes } = options
  let seq = journal.seq
  let quietSince = clock.now()
  let cancel = () => {}
  let running = false
  /** by when a checkpoint is due, whatever happens meanwhile */
  let owedAt = Infinity
  /** looks to let pass, and how many the next failure costs */
  let pause = 0
  let nextPause = 1

  function look(): void {
    cancel = clock.after(LOOK_MS, look)
    if (journal.seq !== seq) {
      seq = journal.seq
      quietSince = clock.now()
    }
    const isDirty = segments.dirty || tables.dirty
    if (pause > 0) pause -= 1
    else if (isLong() || isOwed() || commit.lazyLines.isAhead || (isDirty && clock.now() - quietSince >= IDLE_MS))
      begin()
    space.look().then(
      () => commit.retry(),
      (error: unknown) => log.error({ err: error }, 'how much space is left could not be found out'),
    )
  }

  function isLong(): boolean {
    return journal.size >= space.longest(checkpointBytes)
  }

  function isOwed(): boolean {
    return clock.elapsed() >= owedAt
  }

  function begin(): void {
    if (running) return
    running = true
    owedAt = Infinity
    checkpoints
      .run()
      .then(
        () => (nextPause = 1),
        (error: unknown) => {
          // it tried nothing, and what it waits for is said where space runs out
          if (error instanceof StoreFull) return
          log.error({ err: error }, 'a checkpoint failed; it is tried again')
          pause = nextPause
          nextPause = Math.min(2 * nextPause, MOST_PAUSE)
        },
      )
      .finally(() => (running = false))
  }

  return {
    start(replayed) {
      if (replayed > MANY_CHANGES) begin()
      else if (replayed > 0) owedAt = clock.elapsed() + GRACE_MS
      cancel = clock.after(LOOK_MS, look)
    },
    hurry() {
      if (pause === 0 && isLong()) begin()
    },
    stop: () => cancel(),
  }
}
