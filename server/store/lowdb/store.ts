/**
 * The store on lowdb: what is in memory (state/), a journal in front that makes a write durable in one flush
 * shared by all that come together, and lowdb files behind that hold everything at rest.
 */
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '../../ground/clock.ts'
import type { Log } from '../../ground/log.ts'
import { figuresOf } from '../state/figures.ts'
import { isOver, type Kept } from '../state/prune.ts'
import { createReads } from '../state/reads.ts'
import { State } from '../state/state.ts'
import { type LazyOp, type Op, type Store, StoreFull, type Written } from '../store.ts'
import { fullOf } from './batch.ts'
import { createBlobs } from './blobs.ts'
import { type Checkpoints, createCheckpoints } from './checkpoint.ts'
import { Commit } from './commit.ts'
import { syncParent } from './file.ts'
import { Journal } from './journal.ts'
import { lockFolder } from './lock.ts'
import { firstManifest, readManifest } from './manifest.ts'
import { replayInto, replayJournals } from './recover.ts'
import { SEGMENT_MESSAGES, type SegmentInfo, Segments } from './segments.ts'
import { Space } from './space.ts'
import { Tables } from './tables.ts'
import { createWatch } from './watch.ts'

const FOLDER_MODE = 0o700
/** a start replays no more than about this */
const CHECKPOINT_BYTES = 32 * 1024 * 1024
const LAST_CHECKPOINT_MS = 1_000

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
  /** bytes of disk that are held at most, so that acks and the like can be written when there are no others left */
  readonly reserveBytes?: number
}

export function createLowdbStore(options: LowdbOptions): Store {
  const { dir, clock, log } = options
  const messages = join(dir, 'messages')
  const state = new State()
  const segments = new Segments(messages, state, options.segmentMessages ?? SEGMENT_MESSAGES)
  const tables = new Tables(dir, state)
  const blobs = createBlobs(dir)
  const space = new Space(options)
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
        await space.open()
        await blobs.open()
        const { torn, replayed, ...rest } = await start(options, { messages, state, segments, tables, space })
        await blobs.sweep(usedBlobs()).catch((error: unknown) => log.warn({ err: error }, 'old blobs were not removed'))
        opened = { ...rest, unlock }
        opened.watch.start(replayed)
        return { epoch: rest.epoch, torn }
      } catch (error) {
        unlock()
        throw error
      }
    },

    async close() {
      const { commit, checkpoints, journal, watch, unlock } = parts()
      opened = null
      watch.stop()
      try {
        await commit.settled()
        if (segments.dirty || tables.dirty) await lastCheckpoint(checkpoints)
        await checkpoints.stop()
        if (commit.lazyLines.isAhead) throw new StoreFull('the disk is full: what happened last was not kept')
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
      const closed = { fault: 'store-closed', reason: 'the store is not open', queued: 0 } as const
      const { fault, reason, queued } = opened?.commit ?? closed
      return { writable: fault === null, fault, durable: true, reason, queued }
    },

    async figures() {
      const disk = opened && {
        flushes: opened.journal.flushes,
        batches: opened.journal.batches,
        journal: opened.journal.size,
        kept: segments.total,
        space: space.room,
      }
      return { ...figuresOf(state), disk }
    },

    async write(...[ops, how]: [readonly Op[], 'sync'] | [readonly LazyOp[], 'lazy']): Promise<Written> {
      const { commit } = parts()
      return how === 'sync' ? commit.sync(ops) : commit.lazy(ops)
    },

    onChange(listener) {
      state.listeners.add(listener)
      return () => void state.listeners.delete(listener)
    },

    async putBlob(data, maxBytes) {
      if (space.shortage !== null) throw fullOf(space.shortage)
      return blobs.put(data, maxBytes)
    },
    readBlob: (id) => blobs.read(id),

    async prune(keep, budgetMs) {
      const { checkpoints } = parts()
      await tables.dropExpired(clock.now())
      const { wanted, more } = over(keep, budgetMs)
      if (wanted.some(({ n }) => !segments.isWritten(n))) await checkpoints.run().catch(unlessFull)
      const dropped = wanted.length === 0 ? [] : await checkpoints.drop(wanted)
      const used = usedBlobs()
      for (const id of dropped.flatMap((segment) => segment.blobs)) if (!used.has(id)) await blobs.remove(id)
      return { dropped: dropped.reduce((sum, { count }) => sum + count, 0), more }
    },
  }

  /** The journal holds all of it: this only makes the next start short, and nobody waits long for that. */
  async function lastCheckpoint(checkpoints: Checkpoints): Promise<void> {
    const done = checkpoints.run().catch(noteFailure)
    let cancel = () => {}
    const late = new Promise<void>((resolve) => (cancel = clock.after(LAST_CHECKPOINT_MS, resolve)))
    await Promise.race([done, late])
    cancel()
  }

  function noteFailure(error: unknown): void {
    log.error({ err: error }, 'the last checkpoint failed: the next start reads the journal')
  }

  /** Without space for a checkpoint what is written already can be dropped all the same, which makes some. */
  function unlessFull(error: unknown): void {
    if (!(error instanceof StoreFull)) throw error
  }

  function usedBlobs(): ReadonlySet<string> {
    return new Set(segments.infos.flatMap((segment) => segment.blobs))
  }

  /** The oldest segments that policy lets go of and nobody needs. */
  function over(keep: Kept, budgetMs: number): { wanted: SegmentInfo[]; more: boolean } {
    const started = performance.now()
    const total = { ...segments.total }
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

type Opened = Omit<Awaited<ReturnType<typeof start>>, 'torn' | 'replayed'> & {
  readonly unlock: () => void
}

interface Parts {
  readonly messages: string
  readonly state: State
  readonly segments: Segments
  readonly tables: Tables
  readonly space: Space
}

/** Recovers the state and begins a new journal. @throws StoreCorrupt, StoreVersion */
async function start(options: LowdbOptions, parts: Parts) {
  const { dir, clock, log, onFailed, checkpointBytes = CHECKPOINT_BYTES } = options
  const { state, segments, tables, space } = parts
  const manifest = (await readManifest(dir)) ?? (await firstManifest(dir))
  state.lastMid = manifest.lastMid
  state.documents.rev = manifest.rev
  for (const [meter, value] of Object.entries(manifest.meters)) state.meters.set(meter, value)
  await tables.load(manifest.documents)
  await segments.load(manifest.segments, manifest.archivedUpTo)
  const needed = { journal: manifest.journal, seq: manifest.seq }
  const recovered = await replayJournals(dir, needed, replayInto(state, segments))
  // that was in an earlier life
  state.reached.clear()

  const journal = new Journal(dir, recovered.n, recovered.seq)
  await space.spend(() => journal.rotate())
  const onNear = () => watch.hurry()
  const commit = new Commit({ state, segments, journal, space, now: () => clock.now(), onNear, onFailed })
  const checkpoints = createCheckpoints({ dir, epoch: manifest.epoch, journal, commit, needed, ...parts })
  const watch = createWatch({ clock, log, journal, commit, checkpoints, space, segments, tables, checkpointBytes })
  const { torn, replayed } = recovered
  return { epoch: manifest.epoch, torn, replayed, journal, commit, checkpoints, watch }
}

/** Makes a folder with those above it, so that a power cut does not take it away. */
async function makeFolder(path: string): Promise<void> {
  const whole = resolve(path)
  const first = await mkdir(whole, { recursive: true, mode: FOLDER_MODE })
  if (first === undefined) return
  for (let made = whole; made.length >= first.length; made = dirname(made)) await syncParent(made)
}
