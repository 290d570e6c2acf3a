/**
 * Moves what the journal holds into the lowdb files, a segment at a time, so that a start stays short. A
 * crash anywhere in it is harmless: until the manifest names the new files, the journals before are replayed.
 */
import { unlink } from 'node:fs/promises'
import type { State } from '../state/state.ts'
import { StoreFull } from '../store.ts'
import type { Commit } from './commit.ts'
import { nullIfMissing, syncFolder } from './file.ts'
import { FlushFailed, type Journal } from './journal.ts'
import { writeManifest } from './manifest.ts'
import { journalsBefore } from './recover.ts'
import type { SegmentInfo, Segments } from './segments.ts'
import type { Space } from './space.ts'
import type { Tables } from './tables.ts'

/** of a message in a file, beside its text and recipients; about */
const OVERHEAD_BYTES = 256

/** The first journal whose lines are not all in the files, and the seq of the line before it. */
export interface Needed {
  readonly journal: number
  readonly seq: number
}

export interface CheckpointParts {
  readonly dir: string
  readonly messages: string
  readonly epoch: string
  readonly state: State
  readonly journal: Journal
  readonly commit: Commit
  readonly space: Space
  readonly segments: Segments
  readonly tables: Tables
  readonly needed: Needed
}

export interface Checkpoints {
  /** Runs one; a second call meanwhile waits for the same. @throws StoreFull: there is no space for it, or not now */
  run(): Promise<void>
  /** Takes segments out of the store, with their files, as far as nothing in them came to life meanwhile. */
  drop(segments: readonly SegmentInfo[]): Promise<readonly SegmentInfo[]>
  /** Lets none begin, and breaks off the one that runs after the file in hand; resolves then. */
  stop(): Promise<void>
}

export function createCheckpoints(parts: CheckpointParts): Checkpoints {
  const { dir, messages, epoch, state, journal, commit, space, segments, tables } = parts
  let needed = parts.needed
  let stopped = false
  /** a checkpoint that runs or waits its turn */
  let running: Promise<void> | null = null
  /** the last of those that wait */
  let last: Promise<unknown> = Promise.resolve()
  /** dropped, and their files not yet removed */
  let gone: readonly SegmentInfo[] = []

  /** One that cannot end for lack of space would only take it from acks for a while. */
  async function checkpointIfFits(): Promise<void> {
    await space.look()
    if (space.isUsedUp || !space.fits(growthOf(segments))) throw new StoreFull('there is no space for a checkpoint')
    await space.spend(checkpoint)
  }

  async function checkpoint(): Promise<void> {
    const { next, fallBehind } = await commit.between(async () => {
      await journal.rotate().catch(failOnFlush)
      return { next: { journal: journal.n, seq: journal.seq }, fallBehind: commit.lazyLines.catchUp() }
    })
    try {
      await writeAll(next)
    } catch (error) {
      fallBehind()
      throw error
    }
    for (const path of await journalsBefore(dir, needed.journal)) await unlink(path).catch(nullIfMissing)
  }

  async function writeAll(next: Needed): Promise<void> {
    const settled = () => (stopped ? Promise.reject(new Error('the store is closed')) : commit.settled())
    await segments.writeDirty(settled)
    await tables.writeDirty(settled)
    needed = next
    await saveManifest()
  }

  async function saveManifest(): Promise<void> {
    // what it names must be there, also what a checkpoint wrote that failed later on
    await syncFolder(messages)
    await writeManifest(dir, {
      epoch,
      ...needed,
      lastMid: state.lastMid,
      archivedUpTo: segments.archivedUpTo,
      rev: state.documents.rev,
      meters: Object.fromEntries(state.meters),
      segments: segments.onDisk,
      documents: tables.shards,
    })
    await segments.removeFiles(gone)
    gone = []
  }

  function failOnFlush(error: unknown): never {
    if (error instanceof FlushFailed) commit.fail(error)
    throw error
  }

  /** One after the other: each writes the manifest. */
  function alone<T>(task: () => Promise<T>): Promise<T> {
    if (stopped) return Promise.reject(new Error('the store is closed'))
    const done = last.then(task)
    last = done.catch(() => {})
    return done
  }

  return {
    run() {
      running ??= alone(checkpointIfFits).finally(() => (running = null))
      return running
    },

    drop: (wanted) =>
      alone(async () => {
        const dropped = wanted.filter(({ n }) => segments.isQuiet(n) && segments.isWritten(n))
        if (dropped.length === 0) return dropped
        segments.drop(dropped)
        gone = [...gone, ...dropped]
        await space.spend(saveManifest)
        return dropped
      }),

    async stop() {
      stopped = true
      await last
    },
  }
}

/** Bytes of disk that a checkpoint takes before it gives some back, about: files grow, and one is there twice. */
function growthOf(segments: Segments): number {
  const before = new Map(segments.onDisk.map((info) => [info.n, sizeOf(info)]))
  let growth = 0
  let largest = 0
  for (const info of segments.infos.filter(({ n }) => !segments.isWritten(n))) {
    const size = sizeOf(info)
    growth += size - (before.get(info.n) ?? 0)
    largest = Math.max(largest, size)
  }
  return growth + largest
}

function sizeOf({ bytes, count }: SegmentInfo): number {
  return bytes + count * OVERHEAD_BYTES
}
