/** What is written to the journal and flushed at once. */
import { type Change, encodeChanges } from '../state/change.ts'
import { type Checked, Draft } from '../state/draft.ts'
import type { State } from '../state/state.ts'
import { type Op, StoreFull, type Written } from '../store.ts'

const BATCH_WRITES = 1_000
const BATCH_BYTES = 1024 * 1024
const SETTLING = new Set<Change['op']>(['raise', 'step', 'attempt'])

/** A write that waits for its batch. */
export interface Queued {
  readonly ops: readonly Op[]
  resolve(written: Written): void
  reject(error: Error): void
}

export interface Batch {
  readonly lines: readonly string[]
  /** those of the lines that were applied already */
  readonly lazy: readonly string[]
  readonly writes: readonly { readonly queued: Queued; readonly checked: Checked }[]
}

export interface BatchParts {
  readonly queue: readonly Queued[]
  readonly lazy: readonly string[]
  readonly state: State
  readonly now: number
  /** why nothing new is accepted */
  readonly shortage: string | null
}

/** Puts a batch together from the first of the queue; `taken` of them are in it, or were refused. */
export function buildBatch({ queue, lazy, state, now, shortage }: BatchParts): {
  readonly batch: Batch
  readonly taken: number
} {
  const draft = new Draft(state, now)
  const lines = [...lazy]
  const writes: { queued: Queued; checked: Checked }[] = []
  let bytes = 0
  let taken = 0
  for (const queued of queue) {
    if (taken === BATCH_WRITES || bytes > BATCH_BYTES) break
    taken += 1
    try {
      const checked = draft.check(queued.ops)
      if (shortage !== null && isNew(checked.changes)) {
        draft.takeBack()
        queued.reject(fullOf(shortage))
        continue
      }
      const line = checked.changes.length > 0 ? encodeChanges(checked.changes) : null
      writes.push({ queued, checked })
      if (line === null) continue
      lines.push(line)
      bytes += line.length
    } catch (error) {
      // what JSON cannot hold; the draft has begun with it, so the batch ends here
      queued.reject(error instanceof Error ? error : new Error(String(error)))
      break
    }
  }
  return { batch: { lines, lazy, writes }, taken }
}

/** Whether the changes bring a message and settle none: what is told of one that failed comes with its end. */
export function isNew(changes: readonly Change[]): boolean {
  return changes.some(({ op }) => op === 'message') && !changes.some(({ op }) => SETTLING.has(op))
}

export function fullOf(shortage: string): StoreFull {
  return new StoreFull(`${shortage}: nothing was accepted`)
}
