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
  /** Resolves when none is running. */
  idle(): Promise<void>
}

export function createCheckpoints(parts: CheckpointParts): Checkpoints {
  const { dir, messages, epoch, state, journal, commit, segments, tables } = parts
  let running: Promise<void> | null = null
  let needed = parts.needed

  async function checkpoint(): Promise<void> {
    const next = await commit.between(async () => {
      await journal.rotate().catch(failOnFlush)
      return { journal: journal.n, seq: journal.seq }
    })
    const settled = () => commit.settled()
    await segments.writeDirty(settled)
    await syncFolder(messages)
    await tables.writeDirty(settled)
    needed = next
    await saveManifest()
    for (const path of await journalsBefore(dir, needed.journal)) await unlink(path).catch(nullIfMissing)
  }

  async function saveManifest(): Promise<void> {
    await writeManifest(dir, {
      epoch,
      ...needed,
      lastMid: state.lastMid,
      archivedUpTo: segments.archivedUpTo,
      rev: state.documents.rev,
      meters: Object.fromEntries(state.meters),
      segments: segments.onDisk,
    })
  }

  function failOnFlush(error: unknown): never {
    if (error instanceof FlushFailed) commit.fail(error)
    throw error
  }

  async function idle(): Promise<void> {
    while (running) await running.catch(() => {})
  }

  /** One after the other: both write the manifest. */
  async function alone(task: () => Promise<void>): Promise<void> {
    await idle()
    running = task().finally(() => (running = null))
    await running
  }

  return {
    run: () => running ?? alone(checkpoint),
    idle,
    async drop(wanted) {
      const dropped: SegmentInfo[] = []
      await alone(async () => {
        for (const segment of wanted) {
          if (!segments.isQuiet(segment) || !segments.isWritten(segment)) continue
          segments.drop(segment)
          dropped.push(segment)
        }
        if (dropped.length > 0) await saveManifest()
        for (const segment of dropped) await segments.removeFiles(segment)
      })
      return dropped
    },
  }
}
