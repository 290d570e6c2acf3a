/** Drops settled messages that are older or more than the operator keeps. */
import type { Clock } from '../ground/clock.ts'
import type { Log } from '../ground/log.ts'
import type { Store } from './store.ts'

const FIRST_MS = 60_000
/** between two parts of one round, so that pushes are not held up */
const PAUSE_MS = 200
const BUDGET_MS = 20

export interface RetentionOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly keep: { readonly ageMs?: number; readonly count?: number; readonly bytes?: number }
  /** ms between two rounds */
  readonly everyMs: number
}

/** Prunes a minute after the start at the latest, then again and again, in small parts. Returns how to stop, after the part in hand. */
export function startRetention({ store, clock, log, keep, everyMs }: RetentionOptions): () => Promise<void> {
  let part: Promise<void> = Promise.resolve()
  let stopped = false
  let cancel = clock.after(Math.min(FIRST_MS, everyMs), begin)

  function begin(): void {
    part = prune()
      .catch((error: unknown) => {
        log.error({ err: error }, 'old messages could not be dropped')
        return everyMs
      })
      .then((pause) => {
        if (!stopped) cancel = clock.after(pause, begin)
      })
  }

  /** One part; returns ms until the next. */
  async function prune(): Promise<number> {
    const { dropped, more } = await store.prune(keep, BUDGET_MS)
    if (dropped > 0) log.info({ dropped }, 'old messages were dropped')
    return more ? PAUSE_MS : everyMs
  }

  return async () => {
    stopped = true
    cancel()
    await part
  }
}
