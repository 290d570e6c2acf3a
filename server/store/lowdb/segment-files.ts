/** The files of segments, and what was last read of them. */
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipientId } from '../../protocol/address.ts'
import { Entry, type EntryRecord } from '../state/entry.ts'
import { StoreCorrupt } from '../store.ts'
import { Cache } from './cache.ts'
import { exists, lostPath, nullIfMissing, readJson, writeJson } from './file.ts'

const CACHED_SEGMENTS = 8
/** recipients in all counts together: some 80 bytes each */
const CACHED_COUNTS = 300_000
/** what a map costs before it holds anything, in the same coin */
const EMPTY_COUNTS = 10

/** Names in the folder of messages. */
export function segmentFile(n: number): string {
  return `segment-${String(n).padStart(8, '0')}.json`
}

export function countsFile(n: number): string {
  return `segment-${String(n).padStart(8, '0')}.recipients.json`
}

export interface SegmentFile {
  readonly segment: number
  readonly messages: readonly EntryRecord[]
}

/** How many messages of a segment each recipient has: an inbox page need not read the others. */
export type Counts = ReadonlyMap<RecipientId, number>

export interface CountsFile {
  /** those with one message: all the members of a large group, and a list is much faster than an object */
  readonly once: readonly RecipientId[]
  readonly often: Readonly<Record<RecipientId, number>>
}

export class SegmentFiles {
  readonly #dir: string
  readonly #entries = new Cache<number, readonly Entry[]>(CACHED_SEGMENTS)
  readonly #counts = new Cache<number, Counts>(CACHED_COUNTS, ({ size }) => EMPTY_COUNTS + size)
  /** all that want a segment now share one reading; one that is no longer here is of an older file */
  readonly #reading = new Map<number, Promise<readonly Entry[] | null>>()

  constructor(dir: string) {
    this.#dir = dir
  }

  /** All messages of a segment; null when there is no such file. @throws StoreCorrupt */
  async read(n: number): Promise<readonly Entry[] | null> {
    const known = this.#entries.get(n)
    if (known) return known
    const reading = this.#reading.get(n) ?? this.#begin(n)
    const entries = await reading
    if (this.#reading.get(n) !== reading) return this.read(n)
    this.#reading.delete(n)
    if (entries) this.#entries.set(n, entries)
    return entries
  }

  /** Read from the file beside the segment, or counted again where that cannot be read. */
  async counts(n: number): Promise<Counts> {
    const known = this.#counts.get(n)
    if (known) return known
    const beside = await readJson<CountsFile>(this.#countsPath(n)).catch(nullIfCorrupt)
    const counts = beside ? fromFile(beside) : countsOf((await this.read(n)) ?? [])
    this.#counts.set(n, counts)
    return counts
  }

  /** @param messages the JSON text of each */
  async write(n: number, messages: readonly string[]): Promise<void> {
    await writeJson(this.path(n), messages, (texts) => `{"segment":${n},"messages":[${texts.join(',')}]}`)
    this.forget(n)
  }

  /** Writes beside a segment that grows no more what `counts` needs. */
  async writeCounts(n: number, entries: readonly Entry[]): Promise<void> {
    await writeJson(this.#countsPath(n), toFile(countsOf(entries)))
    this.#counts.delete(n)
  }

  /** What was read of it is no longer true. */
  forget(n: number): void {
    this.#entries.delete(n)
    this.#counts.delete(n)
    this.#reading.delete(n)
  }

  async remove(n: number): Promise<void> {
    this.forget(n)
    await unlink(this.path(n)).catch(nullIfMissing)
    await unlink(this.#countsPath(n)).catch(nullIfMissing)
  }

  path(n: number): string {
    return join(this.#dir, segmentFile(n))
  }

  #begin(n: number): Promise<readonly Entry[] | null> {
    const reading = this.#readFile(n)
    this.#reading.set(n, reading)
    // whoever waits for it is told; the next one tries again
    reading.catch(() => {
      if (this.#reading.get(n) === reading) this.#reading.delete(n)
    })
    return reading
  }

  async #readFile(n: number): Promise<readonly Entry[] | null> {
    const file = await readJson<SegmentFile>(this.path(n))
    if (!file) return (await exists(lostPath(this.path(n)))) ? [] : null
    return file.messages.map((record) => {
      const entry = Entry.fromRecord(record)
      entry.segment = n
      return entry
    })
  }

  #countsPath(n: number): string {
    return join(this.#dir, countsFile(n))
  }
}

function countsOf(entries: readonly Entry[]): Counts {
  const counts = new Map<RecipientId, number>()
  for (const { recipients } of entries) for (const id of recipients) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

function toFile(counts: Counts): CountsFile {
  const once: RecipientId[] = []
  const often: [RecipientId, number][] = []
  for (const [id, count] of counts) {
    if (count === 1) once.push(id)
    else often.push([id, count])
  }
  return { once, often: Object.fromEntries(often) }
}

function fromFile({ once, often }: CountsFile): Counts {
  const counts = new Map<RecipientId, number>()
  for (const id of once) counts.set(id, 1)
  for (const [id, count] of Object.entries(often)) counts.set(id, count)
  return counts
}

function nullIfCorrupt(error: unknown): null {
  if (error instanceof StoreCorrupt) return null
  throw error
}
