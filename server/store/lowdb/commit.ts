/**
 * Group commit. What arrives while one batch is being flushed makes up the next. A `sync` write is checked
 * when its batch is put together, and applied and answered when that is on disk; a `lazy` one is applied at
 * once and rides along.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Mid } from '../../protocol/states.ts'
import { type Change, encodeChanges, midsOf } from '../state/change.ts'
import { Draft } from '../state/draft.ts'
import type { State } from '../state/state.ts'
import { type LazyOp, type Op, StoreBusy, StoreFailed, type StoreFault, type Written } from '../store.ts'
import { splitArchived } from './archived.ts'
import { type Batch, buildBatch, fullOf, isNew, type Queued } from './batch.ts'
import { isOutOfSpace } from './file.ts'
import type { Journal } from './journal.ts'
import { LazyLines } from './lazy-lines.ts'
import type { Segments } from './segments.ts'
import type { Space } from './space.ts'

/** Beyond this nothing more is taken: the disk does not keep up. */
const MAX_QUEUED = 50_000
const LAZY_MS = 5
const MARK_AFTER_MS = 50

interface Task {
  run(): Promise<void>
  reject(error: Error): void
}

export interface CommitOptions {
  readonly state: State
  readonly segments: Segments
  readonly journal: Journal
  readonly space: Space
  readonly now: () => number
  /** called before a batch while space comes to an end */
  readonly onNear: () => void
  /** called once, when the disk can no longer be trusted */
  readonly onFailed: (error: Error) => void
}

export class Commit {
  readonly #options: CommitOptions
  #queue: Queued[] = []
  /** what is in memory and not in the journal yet */
  readonly lazyLines = new LazyLines()
  /** what must happen while no batch is being written */
  #tasks: Task[] = []
  /** lines of the batch that is being written */
  #inFlight = 0
  #running = false
  #turn: NodeJS.Immediate | null = null
  #lazyTimer: NodeJS.Timeout | null = null
  #markTimer: NodeJS.Timeout | null = null
  /** since the last line; on a full disk it may have failed */
  #isMarkTried = false
  /** why nothing is taken any more: the disk failed, or the store was closed */
  #ended: Error | null = null
  /** the disk may take again what it could not */
  #mayRetry = false

  constructor(options: CommitOptions) {
    this.#options = options
  }

  /** Writes that are not on disk yet. */
  get queued(): number {
    return this.#queue.length + this.lazyLines.length + this.#inFlight
  }

  /** Why nothing new is accepted; null when all is well. */
  get fault(): StoreFault | null {
    if (this.#ended) return this.#ended instanceof StoreFailed ? 'disk-failed' : 'store-closed'
    return this.#options.space.fault
  }

  /** The same in words. */
  get reason(): string | null {
    return this.#ended?.message ?? this.#options.space.shortage
  }

  /** Tries again to write what waits for space. */
  retry(): void {
    if (!this.#options.space.isUsedUp || this.lazyLines.length === 0) return
    this.#mayRetry = true
    this.#start()
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
    this.lazyLines.push(line)
    if (!this.#running) this.#lazyTimer ??= setTimeout(() => this.#start(), LAZY_MS)
  }

  get #hasWork(): boolean {
    if (this.#queue.length > 0) return true
    return this.lazyLines.length > 0 && (this.#mayRetry || !this.#options.space.isUsedUp)
  }

  get #isWaitedFor(): boolean {
    return this.#queue.length > 0 || this.#tasks.length > 0
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
    // what came in after the last look
    if (this.#isWaitedFor) this.#start()
    else if (this.#hasWork) this.#lazyTimer ??= setTimeout(() => this.#start(), LAZY_MS)
    else if (!this.#options.journal.marked && !this.#isMarkTried)
      this.#markTimer ??= setTimeout(() => this.#mark(), MARK_AFTER_MS)
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const task = this.#tasks.shift()
      if (task) await task.run()
      else if (!this.#hasWork) return
      else {
        await this.#commit()
        // what comes in with this turn of the event loop shares the next flush
        await nextTurn()
        // lazy lines alone are not worth one yet
        if (!this.#isWaitedFor) return
      }
    }
  }

  /** One batch. */
  async #commit(): Promise<void> {
    const { journal, space } = this.#options
    if (space.isNear(journal.size)) {
      await space.look()
      this.#options.onNear()
    }
    const batch = this.#build()
    this.#inFlight = batch.lines.length
    const { size } = journal
    try {
      if (batch.lines.length > 0) await journal.append(batch.lines)
    } catch (error) {
      return await this.#refuse(batch, error)
    } finally {
      this.#inFlight = 0
    }
    if (batch.lines.length > 0) this.#isMarkTried = false
    space.wrote(journal.size - size)
    try {
      await this.#finish(batch)
    } catch (error) {
      this.#abandon(batch, error)
    }
  }

  #build(): Batch {
    const { state, space, now } = this.#options
    this.#mayRetry = false
    const waiting = { queue: this.#queue, lazy: this.lazyLines.take() }
    const { batch, taken } = buildBatch({ ...waiting, state, now: now(), shortage: space.shortage })
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    return batch
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

  /**
   * Nothing of the batch counts. What is new is refused; the rest is tried again with the reserve. Lazy lines were
   * applied already, so they stay in any case.
   */
  async #refuse(batch: Batch, error: unknown): Promise<void> {
    if (!isOutOfSpace(error)) return this.#abandon(batch, error)
    const { space } = this.#options
    const fresh = batch.writes.filter(({ checked }) => isNew(checked.changes))
    const isWorthIt = (await space.giveBack()) || fresh.length > 0
    if (!isWorthIt) space.useUp()
    const refused = isWorthIt ? fresh : batch.writes
    for (const { queued } of refused) queued.reject(fullOf(space.shortage ?? ''))
    const again = batch.writes.filter((one) => !refused.includes(one)).map(({ queued }) => queued)
    this.lazyLines.putBack(batch.lazy)
    this.#queue = [...again, ...this.#queue]
  }

  /** What becomes of the batch is not known. */
  #abandon({ writes }: Batch, error: unknown): void {
    this.#queue = [...writes.map(({ queued }) => queued), ...this.#queue]
    this.fail(error)
  }

  #mark(): void {
    this.#markTimer = null
    if (this.#running) return
    this.#isMarkTried = true
    // losing the mark costs nothing but a milder word about a damaged last line
    this.between(() => this.#options.journal.mark()).catch(() => {})
  }
}
