/**
 * Group commit. What arrives while one batch is being flushed makes up the next. A `sync` write is checked
 * when its batch is put together, and applied and answered when that is on disk; a `lazy` one is applied at
 * once and rides along.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Mid } from '../../protocol/states.ts'
import { type Change, encodeChanges, midsOf } from '../state/change.ts'
import { type Checked, Draft } from '../state/draft.ts'
import type { State } from '../state/state.ts'
import { type LazyOp, type Op, StoreBusy, StoreFailed, StoreFull, type Written } from '../store.ts'
import { splitArchived } from './archived.ts'
import { isOutOfSpace } from './file.ts'
import type { Journal } from './journal.ts'
import type { Segments } from './segments.ts'

/** Beyond this nothing more is taken: the disk does not keep up. */
const MAX_QUEUED = 50_000
const BATCH_WRITES = 1_000
const BATCH_BYTES = 1024 * 1024
const LAZY_MS = 5
/** while the disk has no space */
const RETRY_MS = 250
const MARK_AFTER_MS = 50
/** a line without changes: whether there is space again is found out with one */
const NOTHING = '[]'

interface Queued {
  readonly ops: readonly Op[]
  resolve(written: Written): void
  reject(error: Error): void
}

interface Task {
  run(): Promise<void>
  reject(error: Error): void
}

interface Batch {
  readonly lines: readonly string[]
  /** those of the lines that were applied already */
  readonly lazy: readonly string[]
  readonly writes: readonly { readonly queued: Queued; readonly checked: Checked }[]
}

export interface CommitOptions {
  readonly state: State
  readonly segments: Segments
  readonly journal: Journal
  readonly now: () => number
  /** called once, when the disk can no longer be trusted */
  readonly onFailed: (error: Error) => void
}

export class Commit {
  readonly #options: CommitOptions
  #queue: Queued[] = []
  /** lines of lazy writes, in order */
  #lazy: string[] = []
  /** what must happen while no batch is being written */
  #tasks: Task[] = []
  /** lines of the batch that is being written */
  #inFlight = 0
  #running = false
  #turn: NodeJS.Immediate | null = null
  #lazyTimer: NodeJS.Timeout | null = null
  #markTimer: NodeJS.Timeout | null = null
  /** why nothing is taken any more: the disk failed, or the store was closed */
  #ended: Error | null = null
  /** set while the disk has no space */
  #full: string | null = null

  constructor(options: CommitOptions) {
    this.#options = options
  }

  /** Writes that are not on disk yet. */
  get queued(): number {
    return this.#queue.length + this.#lazy.length + this.#inFlight
  }

  /** Why nothing can be written; null when all is well. */
  get fault(): string | null {
    return this.#ended?.message ?? this.#full
  }

  sync(ops: readonly Op[]): Promise<Written> {
    if (this.#queue.length >= MAX_QUEUED) return Promise.reject(new StoreBusy('too many writes wait for the disk'))
    const missing = this.#options.segments.missing(midsOf(ops))
    return missing.length === 0 ? this.#enqueue(ops) : this.#recalled(missing, ops)
  }

  async lazy(ops: readonly LazyOp[]): Promise<Written> {
    if (this.#ended) throw this.#ended
    // a condition must see the batch that is being written
    if (ops.some((op) => op.op === 'put' && op.rev !== undefined)) return this.sync(ops)
    const { state, segments, now } = this.#options
    const { changes, answer } = new Draft(state, now()).check(ops)
    const archived = segments.missing(midsOf(changes))
    if (archived.length === 0) {
      this.#apply(changes)
      return answer
    }
    const { here, there } = splitArchived(changes, new Set(archived))
    this.#apply(here)
    await this.sync(there)
    return answer
  }

  /** Resolves when all that was written so far is on disk. Rejects when it could not be. */
  async settled(): Promise<void> {
    await this.#enqueue([])
  }

  /** Runs `task` while no batch is being written. */
  between<T>(task: () => Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#tasks.push({ run: () => task().then(resolve, reject), reject })
      this.#start()
    })
  }

  /** Nothing more is written: the disk can no longer be trusted. */
  fail(cause: unknown): void {
    const isFirst = this.#ended === null
    const error = new StoreFailed('the disk failed: what was being written may or may not be on it', { cause })
    this.stop(error)
    if (isFirst) this.#options.onFailed(error)
  }

  /** Takes nothing more; what waits is told `why`. */
  stop(why = new Error('the store is closed')): void {
    this.#ended ??= why
    for (const { reject } of [...this.#queue, ...this.#tasks]) reject(this.#ended)
    this.#queue = []
    this.#tasks = []
    if (this.#turn) clearImmediate(this.#turn)
    if (this.#lazyTimer) clearTimeout(this.#lazyTimer)
    if (this.#markTimer) clearTimeout(this.#markTimer)
  }

  /** Reads first what it changes. An archive that cannot be read is told to this write alone. */
  async #recalled(missing: readonly Mid[], ops: readonly Op[]): Promise<Written> {
    const { segments } = this.#options
    try {
      await segments.recall(missing)
      return await this.#enqueue(ops)
    } finally {
      segments.release(missing)
    }
  }

  #enqueue(ops: readonly Op[]): Promise<Written> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#queue.push({ ops, resolve, reject })
      if (!this.#running) this.#turn ??= setImmediate(() => this.#start())
    })
  }

  /** Applies what is not on disk yet, and sees to it that it soon is. */
  #apply(changes: readonly Change[]): void {
    const { state } = this.#options
    const worth = changes.filter((change) => change.op !== 'raise' || change.state !== 'sent')
    const line = worth.length > 0 ? encodeChanges(worth) : null
    for (const change of changes) state.apply(change)
    if (line === null) return
    this.#lazy.push(line)
    if (!this.#running) this.#lazyTimer ??= setTimeout(() => this.#start(), LAZY_MS)
  }

  get #hasWork(): boolean {
    return this.#queue.length > 0 || this.#lazy.length > 0
  }

  #start(): void {
    if (this.#running || this.#ended) return
    this.#running = true
    this.#turn = null
    if (this.#lazyTimer) clearTimeout(this.#lazyTimer)
    this.#lazyTimer = null
    this.#run().then(
      () => this.#rest(),
      (error: unknown) => this.fail(error),
    )
  }

  #rest(): void {
    this.#running = false
    if (this.#ended) return
    if (this.#full !== null) this.#lazyTimer ??= setTimeout(() => this.#start(), RETRY_MS)
    // what came in after the last look
    else if (this.#hasWork || this.#tasks.length > 0) this.#start()
    else if (!this.#options.journal.marked) this.#markTimer ??= setTimeout(() => this.#mark(), MARK_AFTER_MS)
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const task = this.#tasks.shift()
      if (task) await task.run()
      else if (!this.#hasWork && this.#full === null) return
      else if (!(await this.#commit())) return
      // what comes in with this turn of the event loop shares the next flush
      else await nextTurn()
    }
  }

  /** One batch. False when there is no space for it. */
  async #commit(): Promise<boolean> {
    const { journal } = this.#options
    if (this.#full !== null && this.#queue.length === 0 && !(await journal.hasRoom())) return false
    const batch = this.#build()
    this.#inFlight = batch.lines.length
    try {
      if (batch.lines.length > 0) await journal.append(batch.lines)
    } catch (error) {
      return this.#refuse(batch, error)
    } finally {
      this.#inFlight = 0
    }
    if (batch.lines.length > 0) this.#full = null
    try {
      await this.#finish(batch)
    } catch (error) {
      this.#abandon(batch, error)
    }
    return true
  }

  #build(): Batch {
    const { state, now } = this.#options
    const draft = new Draft(state, now())
    const lazy = this.#lazy
    this.#lazy = []
    const lines = [...lazy]
    const writes: { queued: Queued; checked: Checked }[] = []
    let bytes = 0
    let taken = 0
    for (const queued of this.#queue) {
      if (taken === BATCH_WRITES || bytes > BATCH_BYTES) break
      taken += 1
      try {
        const checked = draft.check(queued.ops)
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
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    if (lines.length === 0 && this.#full !== null) lines.push(NOTHING)
    return { lines, lazy, writes }
  }

  async #finish({ writes }: Batch): Promise<void> {
    const { state, segments } = this.#options
    const mids = writes.flatMap(({ checked }) => midsOf(checked.changes))
    // a checkpoint may have evicted again what `sync` recalled
    for (let missing = segments.missing(mids); missing.length > 0; missing = segments.missing(mids)) {
      if ((await segments.recall(missing)) === 0) break
    }
    for (const { queued, checked } of writes) {
      for (const change of checked.changes) state.apply(change)
      queued.resolve(checked.answer)
    }
  }

  /** Nothing of the batch counts; lazy lines were applied already, so they stay for the next one. */
  #refuse(batch: Batch, error: unknown): false {
    if (!isOutOfSpace(error)) return this.#abandon(batch, error)
    this.#full = 'the disk is full'
    this.#lazy = [...batch.lazy, ...this.#lazy]
    for (const { queued } of batch.writes) queued.reject(new StoreFull('the disk is full: nothing was accepted'))
    return false
  }

  /** What becomes of the batch is not known. */
  #abandon({ writes }: Batch, error: unknown): false {
    this.#queue = [...writes.map(({ queued }) => queued), ...this.#queue]
    this.fail(error)
    return false
  }

  #mark(): void {
    this.#markTimer = null
    if (this.#running) return
    // losing the mark costs nothing but a milder word about a damaged last line
    this.between(() => this.#options.journal.mark()).catch(() => {})
  }
}
