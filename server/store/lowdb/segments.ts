/**
 * Messages at rest: files of neighbouring mids. The newest segment and what is live of older ones are in
 * memory; the rest is read when somebody asks. A segment goes to disk whole, in a checkpoint.
 */
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import { Entry, type EntryRecord } from '../state/entry.ts'
import type { Archive } from '../state/reads.ts'
import type { State } from '../state/state.ts'
import { StoreCorrupt } from '../store.ts'
import { Cache } from './cache.ts'
import { nullIfMissing, readJson, writeJson } from './file.ts'

export const SEGMENT_MESSAGES = 2_000
const SEGMENT_BYTES = 1024 * 1024
const CACHED_SEGMENTS = 8
const CACHED_COUNTS = 1_024

/** A segment as the manifest knows it. */
export interface SegmentInfo {
  readonly n: number
  readonly first: Mid
  readonly last: Mid
  readonly count: number
  readonly bytes: number
  /** when its newest message was accepted, ms since epoch */
  readonly at: number
  /** messages that are live; while there are any it is read at start and not dropped */
  readonly live: number
  readonly blobs: readonly string[]
}

interface SegmentFile {
  readonly segment: number
  readonly messages: readonly EntryRecord[]
}

export class Segments implements Archive {
  readonly #dir: string
  readonly #state: State
  #infos: SegmentInfo[] = []
  /** as they are on disk: what a manifest may say */
  readonly #written = new Map<number, SegmentInfo>()
  /** segments that are in memory whole: the newest one, and sealed ones that no checkpoint has seen yet */
  readonly #whole = new Map<number, Entry[]>()
  readonly #dirty = new Set<number>()
  readonly #files = new Cache<number, readonly Entry[]>(CACHED_SEGMENTS)
  readonly #counts = new Cache<number, ReadonlyMap<RecipientId, number>>(CACHED_COUNTS)

  readonly #size: number
  /** highest mid that was ever in a file: a journal that brings it again repeats itself */
  #archivedUpTo: Mid = ''

  /** @param size messages that fill a segment */
  constructor(dir: string, state: State, size: number) {
    this.#dir = dir
    this.#state = state
    this.#size = size
  }

  /** Takes over what a manifest lists: the newest segment whole, of others what is live. */
  async load(infos: readonly SegmentInfo[], archivedUpTo: Mid): Promise<void> {
    this.#infos = [...infos]
    this.#archivedUpTo = archivedUpTo
    for (const info of infos) {
      this.#written.set(info.n, info)
      const isNewest = info.n === infos.at(-1)?.n
      if (!isNewest && info.live === 0) continue
      const entries = await this.#read(info.n)
      for (const entry of entries) if (isNewest || entry.live > 0) this.#state.admit(entry)
      if (isNewest) this.#whole.set(info.n, entries)
    }
    this.#recount()
  }

  /** A checkpoint that a crash cut short may have left more in the newest file than its manifest says. */
  #recount(): void {
    const newest = this.#infos.pop()
    if (!newest) return
    for (const entry of this.#whole.get(newest.n) ?? []) this.#count(newest.n, entry)
  }

  get archivedUpTo(): Mid {
    return this.#archivedUpTo
  }

  get dirty(): boolean {
    return this.#dirty.size > 0
  }

  get infos(): readonly SegmentInfo[] {
    return this.#infos
  }

  /** What the next manifest lists. */
  get onDisk(): readonly SegmentInfo[] {
    return this.#infos.flatMap(({ n }) => this.#written.get(n) ?? [])
  }

  /** An entry of the state is new or was changed. */
  touch(entry: Entry, isNew: boolean): void {
    if (isNew) this.#add(entry)
    this.#dirty.add(entry.segment)
  }

  /** The mids that must be read before something about them can change. */
  missing(mids: Iterable<Mid>): Mid[] {
    return [...mids].filter((mid) => !this.#state.entries.has(mid) && this.#covering(mid) !== undefined)
  }

  /** Brings messages back to memory. What no segment has is left out. */
  async recall(mids: readonly Mid[]): Promise<void> {
    for (const mid of mids) {
      const segment = this.#covering(mid)
      if (!segment) continue
      const entry = (await this.entries(segment.n)).find((found) => found.mid === mid)
      if (entry && !this.#state.entries.has(mid)) this.#state.admit(entry)
    }
  }

  segments(): readonly SegmentInfo[] {
    return this.#infos
  }

  async entries(n: number): Promise<readonly Entry[]> {
    const whole = this.#whole.get(n)
    if (whole) return whole
    const onDisk = this.#files.get(n) ?? (await this.#readLatest(n))
    this.#files.set(n, onDisk)
    return onDisk.map((entry) => this.#state.entries.get(entry.mid) ?? entry)
  }

  async holding(n: number, recipient: RecipientId): Promise<number> {
    const whole = this.#whole.get(n)
    if (whole) return whole.reduce((count, entry) => count + Number(entry.placeOf(recipient) >= 0), 0)
    let counts = this.#counts.get(n)
    if (!counts) {
      counts = new Map(Object.entries((await readJson<Record<RecipientId, number>>(this.#countsPath(n))) ?? {}))
      this.#counts.set(n, counts)
    }
    return counts.get(recipient) ?? 0
  }

  /**
   * Writes each segment that changed.
   * @param settled resolves when everything that is in memory now is in the journal too
   */
  async writeDirty(settled: () => Promise<void>): Promise<void> {
    for (const n of [...this.#dirty]) {
      const entries = await this.entries(n)
      const isSealed = n !== this.#infos.at(-1)?.n
      this.#dirty.delete(n)
      const file: SegmentFile = { segment: n, messages: entries.map((entry) => entry.toRecord()) }
      const info = { ...this.#infoOf(n), live: entries.filter(({ live }) => live > 0).length }
      try {
        await settled()
        if (isSealed && this.#whole.has(n)) await writeJson(this.#countsPath(n), countsOf(entries))
        await writeJson(this.#path(n), file)
      } catch (error) {
        this.#dirty.add(n)
        throw error
      }
      this.#files.delete(n)
      this.#written.set(n, info)
      if (info.last > this.#archivedUpTo) this.#archivedUpTo = info.last
      this.#replaceInfo({ ...this.#infoOf(n), live: info.live })
      if (isSealed && !this.#dirty.has(n)) this.#evict(n, entries)
    }
  }

  /** Whether nothing in a segment is live. */
  isQuiet({ n, live }: SegmentInfo): boolean {
    return this.#whole.get(n)?.every((entry) => entry.live === 0) ?? live === 0
  }

  /** Whether a segment is on disk as it is in memory. */
  isWritten({ n }: SegmentInfo): boolean {
    return this.#written.has(n) && !this.#dirty.has(n)
  }

  /** Forgets a segment that is quiet and written; its files go once no manifest lists them. */
  drop(segment: SegmentInfo): void {
    const { n, first, last } = segment
    for (const mid of this.#state.entries.keys()) if (first <= mid && mid <= last) this.#state.drop(mid)
    this.#infos = this.#infos.filter((info) => info.n !== n)
    this.#written.delete(n)
    this.#whole.delete(n)
    this.#files.delete(n)
    this.#counts.delete(n)
  }

  async removeFiles({ n }: SegmentInfo): Promise<void> {
    await unlink(this.#path(n)).catch(nullIfMissing)
    await unlink(this.#countsPath(n)).catch(nullIfMissing)
  }

  #add(entry: Entry): void {
    const newest = this.#infos.at(-1)
    const isFull = newest !== undefined && (newest.count >= this.#size || newest.bytes >= SEGMENT_BYTES)
    const n = newest === undefined ? 1 : newest.n + Number(isFull)
    entry.segment = n
    this.#count(n, entry)
    const whole = this.#whole.get(n)
    if (whole) whole.push(entry)
    else this.#whole.set(n, [entry])
  }

  #count(n: number, entry: Entry): void {
    const newest = this.#infos.at(-1)
    const before = newest?.n === n ? newest : undefined
    const { at, blobs } = entry.message
    this.#replaceInfo({
      n,
      first: before?.first ?? entry.mid,
      last: entry.mid,
      count: (before?.count ?? 0) + 1,
      bytes: (before?.bytes ?? 0) + entry.size + recipientsSize(entry),
      at,
      live: 1,
      blobs: blobs.length === 0 ? (before?.blobs ?? []) : [...(before?.blobs ?? []), ...blobs],
    })
  }

  #evict(n: number, entries: readonly Entry[]): void {
    this.#whole.delete(n)
    for (const entry of entries) if (entry.live === 0) this.#state.drop(entry.mid)
  }

  /** A checkpoint may replace the file while it is read. */
  async #readLatest(n: number): Promise<Entry[]> {
    for (;;) {
      const before = this.#written.get(n)
      const entries = await this.#read(n)
      if (this.#written.get(n) === before) return entries
    }
  }

  async #read(n: number): Promise<Entry[]> {
    const file = await readJson<SegmentFile>(this.#path(n))
    if (!file) {
      throw new StoreCorrupt(`${this.#path(n)} is missing, though the manifest lists it: restore it from a backup`)
    }
    return file.messages.map((record) => {
      const entry = Entry.fromRecord(record)
      entry.segment = n
      return entry
    })
  }

  #covering(mid: Mid): SegmentInfo | undefined {
    return this.#infos.find(({ first, last }) => first <= mid && mid <= last)
  }

  #infoOf(n: number): SegmentInfo {
    const info = this.#infos.find((known) => known.n === n)
    if (!info) throw new Error(`there is no segment ${n}`)
    return info
  }

  #replaceInfo(info: SegmentInfo): void {
    const at = this.#infos.findLastIndex(({ n }) => n === info.n)
    if (at < 0) this.#infos.push(info)
    else this.#infos[at] = info
  }

  #path(n: number): string {
    return join(this.#dir, `segment-${String(n).padStart(8, '0')}.json`)
  }

  #countsPath(n: number): string {
    return join(this.#dir, `segment-${String(n).padStart(8, '0')}.recipients.json`)
  }
}

/** How many messages of a segment each recipient has: an inbox page need not read the others. */
function countsOf(entries: readonly Entry[]): Record<RecipientId, number> {
  const counts = new Map<RecipientId, number>()
  for (const { recipients } of entries) for (const id of recipients) counts.set(id, (counts.get(id) ?? 0) + 1)
  return Object.fromEntries(counts)
}

function recipientsSize({ recipients }: Entry): number {
  return recipients.reduce((size, id) => size + id.length + 3, 0)
}
