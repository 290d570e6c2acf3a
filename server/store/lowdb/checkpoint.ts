/**
 * Moves what the journal holds into the lowdb files, a segment at a time, so that a start stays short. A
 * crash anywhere in it is harmless: until the manifest names the new files, the journals before are replayed.
 */
import { unlink } from 'node:fs/promises'
import type { State } from '../state/state.ts'
import type { Commit } from './commit.ts'
import { nullIfMissing, syncFolder } from './file.ts'
import { FlushFailed, type Journal } from './journal.ts'
import { writeManifest } from './manifest.ts'
import { journalsBefore } from './recover.ts'
import type { SegmentInfo, Segments } from './segments.ts'
import type { Tables } from './tables.ts'

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
  readonly segments: Segments
  readonly tables: Tables
  readonly needed: Needed
}

export interface Checkpoints {
  /** Runs one; a second call meanwhile waits for the same. */
  run(): Promise<void>
  /** Takes segments out of the store, with their files, as far as nothing in them came to life meanwhile. */
  drop(segments: readonly SegmentInfo[]): Promise<readonly SegmentInfo[]>
  /** Resolves when none is running, and lets none begin. */
  stop(): Promise<void>
}

export function createCheckpoints(parts: CheckpointParts): Checkpoints {
  const { dir, messages, epoch, state, journal, commit, segments, tables } = parts
  let needed = parts.needed
  let stopped = false
  /** a checkpoint that runs or waits its turn */
  let running: Promise<void> | null = null
  /** the last of those that wait */
  let last: Promise<unknown> = Promise.resolve()
  /** dropped, and their files not yet removed */
  let gone: readonly SegmentInfo[] = []

  async function checkpoint(): Promise<void> {
    const next = await commit.between(async () => {
      await journal.rotate().catch(failOnFlush)
      return { journal: journal.n, seq: journal.seq }
    })
    const settled = () => commit.settled()
    await segments.writeDirty(settled)
    await tables.writeDirty(settled)
    needed = next
    await saveManifest()
    for (const path of await journalsBefore(dir, needed.journal)) await unlink(path).catch(nullIfMissing)
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
      running ??= alone(checkpoint).finally(() => (running = null))
      return running
    },

    drop: (wanted) =>
      alone(async () => {
        const dropped = wanted.filter(({ n }) => segments.isQuiet(n) && segments.isWritten(n))
        if (dropped.length === 0) return dropped
        segments.drop(dropped)
        gone = [...gone, ...dropped]
        await saveManifest()
        return dropped
      }),

    async stop() {
      stopped = true
      await last
    },
  }
}
