/**
 * The store on lowdb: what is in memory (state/), a journal in front that makes a write durable in one flush
 * shared by all that come together, and lowdb files behind that hold everything at rest.
 */
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { isOver, type Kept } from '../state/prune.ts'
import { createReads } from '../state/reads.ts'
import { State } from '../state/state.ts'
import type { LazyOp, Op, Store, Written } from '../store.ts'
import { createBlobs } from './blobs.ts'
import { createCheckpoints } from './checkpoint.ts'
import { Commit } from './commit.ts'
import { syncParent } from './file.ts'
import { Journal } from './journal.ts'
import { lockFolder } from './lock.ts'
import { firstManifest, readManifest } from './manifest.ts'
import { replayInto, replayJournals } from './recover.ts'
import { SEGMENT_MESSAGES, type SegmentInfo, Segments } from './segments.ts'
import { Tables } from './tables.ts'

const FOLDER_MODE = 0o700
/** a start replays no more than about this */
const CHECKPOINT_BYTES = 32 * 1024 * 1024
const LOOK_MS = 1_000
const IDLE_MS = 60_000

export interface LowdbOptions {
  /** made when it is not there, with mode 0700 */
  readonly dir: string
  readonly clock: Clock
  readonly log: Log
  /** called once, when the disk can no longer be trusted: the process should end */
  readonly onFailed: (error: Error) => void
  /** bytes of journal that bring about a checkpoint */
  readonly checkpointBytes?: number
  /** messages that fill a segment */
  readonly segmentMessages?: number
}

export function createLowdbStore(options: LowdbOptions): Store {
  const { dir, clock, log } = options
  const messages = join(dir, 'messages')
  const state = new State()
  const segments = new Segments(messages, state, options.segmentMessages ?? SEGMENT_MESSAGES)
  const tables = new Tables(dir, state)
  const blobs = createBlobs(dir)
  let opened: Opened | null = null

  state.onEntry = (entry, isNew) => segments.touch(entry, isNew)
  state.onDocument = (kind, id) => tables.documentChanged(kind, id)
  state.onOnce = (once) => tables.keyAdded(once)

  function parts(): Opened {
    if (!opened) throw new Error('the store is not open')
    return opened
  }

  return {
    ...createReads(state, segments),

    async open() {
      await makeFolder(messages)
      const unlock = lockFolder(dir)
      try {
        await blobs.open()
        const { torn, ...rest } = await start(options, messages, state, segments, tables)
        opened = { ...rest, unlock }
        watch(opened)
        return { epoch: rest.epoch, torn }
      } catch (error) {
        unlock()
        throw error
      }
    },

    async close() {
      const { commit, checkpoints, journal, unlock, stopWatching } = parts()
      opened = null
      stopWatching()
      try {
        await commit.settled()
        // the journal holds all of it: this only makes the next start short
        if (isDirty()) await checkpoints.run().catch(noteFailure)
        await checkpoints.stop()
        await commit.between(() => journal.close())
      } finally {
        commit.stop()
        await checkpoints.stop()
        // where that failed; nothing is being written any more
        await journal.close().catch((error: unknown) => log.error({ err: error }, 'the journal was not closed well'))
        unlock()
      }
    },

    health() {
      if (!opened) return { writable: false, durable: true, reason: 'the store is not open', queued: 0 }
      const { fault, queued } = opened.commit
      return { writable: fault === null, durable: true, reason: fault, queued }
    },

    async write(...[ops, how]: [readonly Op[], 'sync'] | [readonly LazyOp[], 'lazy']): Promise<Written> {
      const { commit } = parts()
      return how === 'sync' ? commit.sync(ops) : commit.lazy(ops)
    },

    onChange(listener) {
      state.listeners.add(listener)
      return () => void state.listeners.delete(listener)
    },

    putBlob: (data, maxBytes) => blobs.put(data, maxBytes),
    readBlob: (id) => blobs.read(id),

    async prune(keep, budgetMs) {
      const { checkpoints } = parts()
      await tables.dropExpired(clock.now())
      const { wanted, more } = over(keep, budgetMs)
      if (wanted.some(({ n }) => !segments.isWritten(n))) await checkpoints.run()
      const dropped = wanted.length === 0 ? [] : await checkpoints.drop(wanted)
      const used = new Set(segments.infos.flatMap((segment) => segment.blobs))
      for (const id of dropped.flatMap((segment) => segment.blobs)) if (!used.has(id)) await blobs.remove(id)
      return { dropped: dropped.reduce((sum, { count }) => sum + count, 0), more }
    },
  }

  function noteFailure(error: unknown): void {
    log.error({ err: error }, 'a checkpoint failed; it is tried again')
  }

  function isDirty(): boolean {
    return segments.dirty || tables.dirty
  }

  /** Brings about a checkpoint when the journal is long, or when nothing has happened for a while. */
  function watch(store: Opened): void {
    const { journal, checkpoints } = store
    let seq = journal.seq
    let quietSince = clock.now()
    const look = () => {
      if (journal.seq !== seq) {
        seq = journal.seq
        quietSince = clock.now()
      }
      const isLong = journal.size >= (options.checkpointBytes ?? CHECKPOINT_BYTES)
      if (isLong || (isDirty() && clock.now() - quietSince >= IDLE_MS)) {
        checkpoints.run().catch(noteFailure)
      }
      store.stopWatching = clock.after(LOOK_MS, look)
    }
    store.stopWatching = clock.after(LOOK_MS, look)
  }

  /** The oldest segments that policy lets go of and nobody needs. */
  function over(keep: Kept, budgetMs: number): { wanted: SegmentInfo[]; more: boolean } {
    const started = performance.now()
    const total = { count: 0, bytes: 0 }
    for (const { count, bytes } of segments.infos) {
      total.count += count
      total.bytes += bytes
    }
    const wanted: SegmentInfo[] = []
    for (const segment of segments.infos) {
      if (!isOver(keep, segment, total, clock.now())) break
      if (performance.now() - started > budgetMs) return { wanted, more: true }
      if (!segments.isQuiet(segment.n)) continue
      wanted.push(segment)
      total.count -= segment.count
      total.bytes -= segment.bytes
    }
    return { wanted, more: false }
  }
}

type Opened = Omit<Awaited<ReturnType<typeof start>>, 'torn'> & {
  readonly unlock: () => void
  stopWatching: () => void
}

/** Recovers the state and begins a new journal. @throws StoreCorrupt, StoreVersion */
async function start(options: LowdbOptions, messages: string, state: State, segments: Segments, tables: Tables) {
  const { dir, clock, log, onFailed } = options
  const manifest = (await readManifest(dir)) ?? (await firstManifest(dir))
  state.lastMid = manifest.lastMid
  state.documents.rev = manifest.rev
  for (const [meter, value] of Object.entries(manifest.meters)) state.meters.set(meter, value)
  await tables.load()
  await segments.load(manifest.segments, manifest.archivedUpTo)
  const needed = { journal: manifest.journal, seq: manifest.seq }
  const recovered = await replayJournals(dir, needed, replayInto(state, segments))

  const journal = new Journal(dir, recovered.n, recovered.seq)
  await journal.rotate()
  const commit = new Commit({ state, segments, journal, now: () => clock.now(), onFailed })
  const { epoch } = manifest
  const checkpoints = createCheckpoints({ dir, messages, epoch, state, journal, commit, segments, tables, needed })
  if (recovered.replayed > 0) {
    checkpoints.run().catch((error: unknown) => log.error({ err: error }, 'a checkpoint failed; it is tried again'))
  }
  return { epoch, torn: recovered.torn, journal, commit, checkpoints, stopWatching: () => {} }
}

/** Makes a folder with those above it, so that a power cut does not take it away. */
async function makeFolder(path: string): Promise<void> {
  const whole = resolve(path)
  const first = await mkdir(whole, { recursive: true, mode: FOLDER_MODE })
  if (first === undefined) return
  for (let made = whole; made.length >= first.length; made = dirname(made)) await syncParent(made)
}
