/**
 * Group commit. What arrives while one batch is being flushed makes up the next. A `sync` write is checked
 * when its batch is put together, and applied and answered when that is on disk; a `lazy` one is applied at
 * once and rides along.
 */
import { midsOf } from '../state/change.ts'
import { type Checked, Draft } from '../state/draft.ts'
import type { State } from '../state/state.ts'
import { type LazyOp, type Op, StoreBusy, StoreFailed, StoreFull, type Written } from '../store.ts'
import { FlushFailed, type Journal } from './journal.ts'
import type { Segments } from './segments.ts'

/** Beyond this nothing more is taken: the disk does not keep up. */
const MAX_QUEUED = 50_000
const BATCH_WRITES = 1_000
const BATCH_BYTES = 1024 * 1024
const LAZY_MS = 5
/** after a batch that found no space */
const RETRY_MS = 250
const MARK_AFTER_MS = 50
const OUT_OF_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

interface Queued {
  readonly ops: readonly Op[]
  resolve(written: Written): void
  reject(error: Error): void
}

interface Batch {
  readonly lines: readonly string[]
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
  #tasks: (() => Promise<void>)[] = []
  #running = false
  /** the journal says of its last line that it is durable */
  #marked = true
  #turn: NodeJS.Immediate | null = null
  #lazyTimer: NodeJS.Timeout | null = null
  #markTimer: NodeJS.Timeout | null = null
  #failed: StoreFailed | null = null
  /** set while the disk has no space */
  #full: string | null = null

  constructor(options: CommitOptions) {
    this.#options = options
  }

  get queued(): number {
    return this.#queue.length + this.#lazy.length
  }

  /** Why nothing can be written; null when all is well. */
  get fault(): string | null {
    return this.#failed?.message ?? this.#full
  }

  sync(ops: readonly Op[]): Promise<Written> {
    if (this.#failed) return Promise.reject(this.#failed)
    if (this.#queue.length >= MAX_QUEUED) return Promise.reject(new StoreBusy('too many writes wait for the disk'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ ops, resolve, reject })
      if (!this.#running) this.#turn ??= setImmediate(() => this.#start())
    })
  }

  async lazy(ops: readonly LazyOp[]): Promise<Written> {
    if (this.#failed) throw this.#failed
    const { state, segments, now } = this.#options
    const { changes, answer } = new Draft(state, now()).check(ops)
    if (segments.missing(midsOf(changes)).length > 0) return this.sync(ops)
    for (const change of changes) state.apply(change)
    const worth = changes.filter((change) => change.op !== 'raise' || change.state !== 'sent')
    if (worth.length > 0) {
      this.#lazy.push(JSON.stringify(worth))
      if (!this.#running) this.#lazyTimer ??= setTimeout(() => this.#start(), LAZY_MS)
    }
    return answer
  }

  /** Resolves when all that was written so far is on disk. Rejects when it could not be. */
  async settled(): Promise<void> {
    await this.sync([])
  }

  /** Runs `task` while no batch is being written. */
  between<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => task().then(resolve, reject))
      this.#start()
    })
  }

  /** Nothing more is written: the disk can no longer be trusted. */
  fail(cause: unknown): void {
    if (this.#failed) return
    this.#failed = new StoreFailed('the disk failed: what was being written may or may not be on it', { cause })
    for (const { reject } of this.#queue) reject(this.#failed)
    this.#queue = []
    this.#options.onFailed(this.#failed)
  }

  stop(): void {
    if (this.#turn) clearImmediate(this.#turn)
    if (this.#lazyTimer) clearTimeout(this.#lazyTimer)
    if (this.#markTimer) clearTimeout(this.#markTimer)
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    this.#turn = null
    if (this.#lazyTimer) clearTimeout(this.#lazyTimer)
    this.#lazyTimer = null
    this.#run().then(
      () => this.#ended(),
      (error: unknown) => this.fail(error),
    )
  }

  #ended(): void {
    this.#running = false
    if (this.#failed) return
    if (this.queued > 0 && this.#full === null) this.#start()
    else if (this.queued > 0) this.#lazyTimer ??= setTimeout(() => this.#start(), RETRY_MS)
    else if (!this.#marked) this.#markTimer ??= setTimeout(() => this.#mark(), MARK_AFTER_MS)
  }

  async #run(): Promise<void> {
    while (!this.#failed) {
      const task = this.#tasks.shift()
      if (task) {
        await task()
        continue
      }
      if (this.queued === 0) return
      const lazy = this.#lazy
      this.#lazy = []
      const batch = this.#build(lazy)
      try {
        if (batch.lines.length > 0) await this.#options.journal.append(batch.lines)
      } catch (error) {
        this.#refuse(batch, lazy, error)
        return
      }
      this.#full = null
      this.#marked = false
      await this.#finish(batch)
    }
  }

  #build(lazy: readonly string[]): Batch {
    const { state, now } = this.#options
    const draft = new Draft(state, now())
    const lines = [...lazy]
    const writes: { queued: Queued; checked: Checked }[] = []
    let bytes = 0
    let taken = 0
    for (const queued of this.#queue) {
      if (taken === BATCH_WRITES || bytes > BATCH_BYTES) break
      const checked = draft.check(queued.ops)
      writes.push({ queued, checked })
      taken += 1
      if (checked.changes.length === 0) continue
      const line = JSON.stringify(checked.changes)
      lines.push(line)
      bytes += line.length
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    return { lines, writes }
  }

  async #finish({ writes }: Batch): Promise<void> {
    const { state, segments } = this.#options
    const mids = writes.flatMap(({ checked }) => midsOf(checked.changes))
    for (let missing = segments.missing(mids); missing.length > 0; missing = segments.missing(mids)) {
      await segments.recall(missing)
    }
    for (const { queued, checked } of writes) {
      for (const change of checked.changes) state.apply(change)
      queued.resolve(checked.answer)
    }
  }

  /** Nothing of the batch counts; lazy lines were applied already, so they stay for the next one. */
  #refuse({ writes }: Batch, lazy: readonly string[], error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!(error instanceof FlushFailed) && OUT_OF_SPACE.has(code)) {
      this.#full = 'the disk is full'
      this.#lazy = [...lazy, ...this.#lazy]
      for (const { queued } of writes) queued.reject(new StoreFull('the disk is full: nothing was accepted'))
      return
    }
    this.#queue = [...writes.map(({ queued }) => queued), ...this.#queue]
    this.fail(error)
  }

  #mark(): void {
    this.#markTimer = null
    if (this.#running || this.queued > 0) return
    this.#marked = true
    // losing the mark costs nothing but a milder word about a damaged last line
    this.between(() => this.#options.journal.mark()).catch(() => {})
  }
}
