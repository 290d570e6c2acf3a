/**
 * Messages at rest: files of neighbouring mids. The newest segment and what is live of older ones are in
 * memory; the rest is read when somebody asks. A segment goes to disk whole, in a checkpoint.
 */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import type { Entry } from '../state/entry.ts'
import type { Archive } from '../state/reads.ts'
import type { State } from '../state/state.ts'
import { missing } from './file.ts'
import { SegmentFiles } from './segment-files.ts'

export const SEGMENT_MESSAGES = 2_000
const SEGMENT_BYTES = 1024 * 1024

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

export class Segments implements Archive {
  readonly #state: State
  readonly #size: number
  readonly #files: SegmentFiles
  #infos: SegmentInfo[] = []
  /** as they are on disk: what a manifest may say */
  readonly #written = new Map<number, SegmentInfo>()
  /** segments that are in memory whole: the newest one, and sealed ones that no checkpoint has seen yet */
  readonly #whole = new Map<number, Entry[]>()
  readonly #dirty = new Set<number>()
  /** the one that is being written now */
  #writing: number | null = null
  #archivedUpTo: Mid = ''
  /** highest number there has been: none is given to two segments while both may have files */
  #lastN = 0

  /** @param size messages that fill a segment */
  constructor(dir: string, state: State, size: number) {
    this.#files = new SegmentFiles(dir)
    this.#state = state
    this.#size = size
  }

  /** Takes over what a manifest lists: the newest segment whole, of others what is live. @throws StoreCorrupt */
  async load(infos: readonly SegmentInfo[], archivedUpTo: Mid): Promise<void> {
    this.#infos = [...infos]
    this.#archivedUpTo = archivedUpTo
    this.#lastN = infos.at(-1)?.n ?? 0
    for (const info of infos) {
      this.#written.set(info.n, info)
      const isNewest = info.n === infos.at(-1)?.n
      if (!isNewest && info.live === 0) continue
      const entries = await this.#onDisk(info.n)
      for (const entry of entries) if (isNewest || entry.live > 0) this.#state.admit(entry)
      if (isNewest) this.#takeNewest(info.n, entries)
    }
  }

  /** A checkpoint that a crash cut short may have left more in the newest file than its manifest says. */
  #takeNewest(n: number, entries: readonly Entry[]): void {
    this.#files.forget(n)
    this.#whole.set(n, [...entries])
    this.#infos.pop()
    for (const entry of entries) this.#count(n, entry)
  }

  /** All messages up to this mid are in files, or were dropped: a journal that brings one repeats itself. */
  get archivedUpTo(): Mid {
    return this.#archivedUpTo
  }

  get dirty(): boolean {
    return this.#dirty.size > 0
  }

  get infos(): readonly SegmentInfo[] {
    return this.#infos
  }

  /** Messages that are kept, and their size. */
  get total(): { readonly count: number; readonly bytes: number } {
    const total = { count: 0, bytes: 0 }
    for (const { count, bytes } of this.#infos) {
      total.count += count
      total.bytes += bytes
    }
    return total
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
    return [...mids].filter((mid) => !this.#state.entries.has(mid) && this.#archiveOf(mid) !== null)
  }

  /** Brings messages back to memory; returns how many: there need not be one for each mid. @throws StoreCorrupt */
  async recall(mids: readonly Mid[]): Promise<number> {
    let found = 0
    for (const [n, wanted] of this.#bySegment(mids)) {
      const entries = await this.#onDisk(n)
      // it may have been dropped meanwhile
      if (!this.#written.has(n)) continue
      for (const entry of entries) {
        if (!wanted.has(entry.mid) || this.#state.entries.has(entry.mid)) continue
        this.#state.admit(entry)
        found += 1
      }
    }
    return found
  }

  /** Lets go of messages that were brought back and did not change. */
  release(mids: readonly Mid[]): void {
    for (const mid of mids) {
      const entry = this.#state.entries.get(mid)
      if (!entry || entry.live > 0 || this.#whole.has(entry.segment)) continue
      if (!this.#dirty.has(entry.segment) && this.#writing !== entry.segment) this.#state.drop(mid)
    }
  }

  segments(): readonly SegmentInfo[] {
    return this.#infos
  }

  async entries(n: number): Promise<readonly Entry[]> {
    const whole = this.#whole.get(n)
    return whole ?? this.#asInMemory(await this.#onDisk(n))
  }

  async holding(n: number, recipient: RecipientId): Promise<number> {
    const whole = this.#whole.get(n)
    if (whole) return whole.reduce((count, entry) => count + Number(entry.placeOf(recipient) >= 0), 0)
    return (await this.#files.counts(n)).get(recipient) ?? 0
  }

  /**
   * Writes each segment that changed, the oldest first: so there is none that was never written before one
   * that was.
   * @param settled resolves when everything that is in memory now is in the journal too
   */
  async writeDirty(settled: () => Promise<void>): Promise<void> {
    for (const info of this.#infos.filter(({ n }) => this.#dirty.has(n))) {
      const onDisk = this.#whole.has(info.n) ? [] : await this.#onDisk(info.n)
      this.#writing = info.n
      try {
        await this.#write(this.#whole.get(info.n) ?? this.#asInMemory(onDisk), this.#infoOf(info.n) ?? info, settled)
      } catch (error) {
        this.#dirty.add(info.n)
        throw error
      } finally {
        this.#writing = null
      }
    }
  }

  /** Up to the first `await` nothing can change: what is copied is what `dirty` stood for. */
  async #write(entries: readonly Entry[], info: SegmentInfo, settled: () => Promise<void>): Promise<void> {
    const { n } = info
    this.#dirty.delete(n)
    const isSealed = n !== this.#infos.at(-1)?.n
    const records = entries.map((entry) => entry.toJson())
    const live = entries.filter((entry) => entry.live > 0).length
    await settled()
    if (isSealed && this.#whole.has(n)) await this.#files.writeCounts(n, entries)
    await this.#files.write(n, records)
    this.#written.set(n, { ...info, live })
    if (info.last > this.#archivedUpTo) this.#archivedUpTo = info.last
    this.#replaceInfo({ ...(this.#infoOf(n) ?? info), live })
    if (isSealed && !this.#dirty.has(n)) this.#evict(n, entries)
  }

  /** Whether nothing in a segment is live. */
  isQuiet(n: number): boolean {
    return this.#whole.get(n)?.every((entry) => entry.live === 0) ?? this.#infoOf(n)?.live === 0
  }

  /** Whether a segment is on disk as it is in memory. */
  isWritten(n: number): boolean {
    return this.#written.has(n) && !this.#dirty.has(n)
  }

  /** Forgets segments that are quiet and written; their files go once no manifest lists them. */
  drop(segments: readonly SegmentInfo[]): void {
    const numbers = new Set(segments.map(({ n }) => n))
    for (const { mid, segment } of this.#state.entries.values()) if (numbers.has(segment)) this.#state.drop(mid)
    this.#infos = this.#infos.filter(({ n }) => !numbers.has(n))
    for (const n of numbers) {
      this.#written.delete(n)
      this.#whole.delete(n)
      this.#files.forget(n)
    }
  }

  async removeFiles(segments: readonly SegmentInfo[]): Promise<void> {
    for (const { n } of segments) await this.#files.remove(n)
  }

  #add(entry: Entry): void {
    const newest = this.#infos.at(-1)
    // one that is not here whole must not be written as if it were
    const isFull = !newest || !this.#whole.has(newest.n) || newest.count >= this.#size || newest.bytes >= SEGMENT_BYTES
    if (isFull && newest && this.#whole.has(newest.n)) this.#dirty.add(newest.n)
    if (isFull) this.#lastN += 1
    const n = isFull ? this.#lastN : newest.n
    entry.segment = n
    this.#count(n, entry)
    const whole = this.#whole.get(n)
    if (whole) whole.push(entry)
    else this.#whole.set(n, [entry])
  }

  #count(n: number, entry: Entry): void {
    const newest = this.#infos.at(-1)
    const before = newest?.n === n ? newest : undefined
    const { at, blobs } = entry
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

  #asInMemory(entries: readonly Entry[]): readonly Entry[] {
    return entries.map((entry) => this.#state.entries.get(entry.mid) ?? entry)
  }

  async #onDisk(n: number): Promise<readonly Entry[]> {
    const entries = await this.#files.read(n)
    if (entries) return entries
    // dropped while somebody was reading
    if (!this.#written.has(n)) return []
    throw missing(this.#files.path(n))
  }

  /** The segment on disk alone that may have the message. */
  #archiveOf(mid: Mid): number | null {
    const info = this.#infos.find(({ first, last }) => first <= mid && mid <= last)
    return info === undefined || this.#whole.has(info.n) ? null : info.n
  }

  #bySegment(mids: readonly Mid[]): ReadonlyMap<number, ReadonlySet<Mid>> {
    const found = new Map<number, Set<Mid>>()
    for (const mid of mids) {
      const n = this.#archiveOf(mid)
      if (n === null) continue
      const wanted = found.get(n)
      if (wanted) wanted.add(mid)
      else found.set(n, new Set([mid]))
    }
    return found
  }

  #infoOf(n: number): SegmentInfo | undefined {
    return this.#infos.find((known) => known.n === n)
  }

  #replaceInfo(info: SegmentInfo): void {
    const at = this.#infos.findLastIndex(({ n }) => n === info.n)
    if (at < 0) this.#infos.push(info)
    else this.#infos[at] = info
  }
}

/** What the recipients of a message add to its segment. */
export function recipientsSize({ recipients }: Entry): number {
  return recipients.reduce((size, id) => size + id.length + 3, 0)
}
