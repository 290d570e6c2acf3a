/** Documents and idempotency keys at rest: documents in shards, keys by the hour they expire in. */
import { mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { OnceKey } from '../state/change.ts'
import type { State } from '../state/state.ts'
import type { Kind } from '../store.ts'
import { exists, lostPath, missing, nullIfMissing, readJson, syncFolder, writeJson } from './file.ts'

export const SHARDS = 16
const HOUR_MS = 3_600_000
const FOLDER_MODE = 0o700

interface StoredDocument {
  readonly kind: Kind
  readonly id: string
  readonly value: unknown
  readonly rev: number
}

export class Tables {
  readonly #documents: string
  readonly #keys: string
  readonly #state: State
  readonly #dirtyShards = new Set<number>()
  /** those that have a file, for good */
  readonly #shards = new Set<number>()
  readonly #dirtyHours = new Set<number>()

  constructor(dir: string, state: State) {
    this.#documents = join(dir, 'documents')
    this.#keys = join(dir, 'once')
    this.#state = state
  }

  get dirty(): boolean {
    return this.#dirtyShards.size > 0 || this.#dirtyHours.size > 0
  }

  /** Numbers of the files of documents: what a manifest may list. */
  get shards(): readonly number[] {
    return [...this.#shards].toSorted((a, b) => a - b)
  }

  /** @param listed by the manifest; absent in those of older versions. @throws StoreCorrupt */
  async load(listed: readonly number[] = []): Promise<void> {
    await mkdir(this.#documents, { recursive: true, mode: FOLDER_MODE })
    await mkdir(this.#keys, { recursive: true, mode: FOLDER_MODE })
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const path = this.#shardPath(shard)
      const stored = await readJson<StoredDocument[]>(path)
      if (stored) this.#shards.add(shard)
      else if (listed.includes(shard) && !(await exists(lostPath(path)))) throw missing(path)
      for (const { kind, id, value, rev } of stored ?? []) this.#state.documents.put(kind, id, value, rev)
    }
    for (const hour of await this.#hours()) {
      for (const once of (await readJson<OnceKey[]>(this.#hourPath(hour))) ?? []) this.#state.once.set(once.key, once)
    }
  }

  documentChanged(kind: Kind, id: string): void {
    this.#dirtyShards.add(shardOf(kind, id))
  }

  keyAdded({ expiresAt }: OnceKey): void {
    this.#dirtyHours.add(hourOf(expiresAt))
  }

  /** @param settled resolves when everything that is in memory now is in the journal too */
  async writeDirty(settled: () => Promise<void>): Promise<void> {
    const shards = take(this.#dirtyShards)
    const hours = take(this.#dirtyHours)
    const documents = group(shards, this.#state.documents.all(), ({ kind, id }) => shardOf(kind, id))
    const keys = group(hours, this.#state.once.values(), ({ expiresAt }) => hourOf(expiresAt))
    try {
      await settled()
      for (const [shard, items] of documents) await writeJson(this.#shardPath(shard), items)
      for (const [hour, items] of keys) await writeJson(this.#hourPath(hour), items)
      if (shards.length > 0) await syncFolder(this.#documents)
      for (const shard of shards) this.#shards.add(shard)
      if (hours.length > 0) await syncFolder(this.#keys)
    } catch (error) {
      for (const shard of shards) this.#dirtyShards.add(shard)
      for (const hour of hours) this.#dirtyHours.add(hour)
      throw error
    }
  }

  /** Forgets keys whose time is over, and their files. */
  async dropExpired(now: number): Promise<void> {
    this.#state.forgetKeys(now)
    for (const hour of await this.#hours()) {
      if (hour < hourOf(now)) await unlink(this.#hourPath(hour)).catch(nullIfMissing)
    }
  }

  async #hours(): Promise<number[]> {
    const names = await readdir(this.#keys)
    return names.filter((name) => name.endsWith('.json')).map((name) => Number.parseInt(name, 10))
  }

  #shardPath(shard: number): string {
    return join(this.#documents, shardFile(shard))
  }

  #hourPath(hour: number): string {
    return join(this.#keys, `${hour}.json`)
  }
}

/** A name in the folder of documents. */
export function shardFile(shard: number): string {
  return `shard-${String(shard).padStart(2, '0')}.json`
}

function shardOf(kind: Kind, id: string): number {
  return crc32(`${kind} ${id}`) % SHARDS
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS)
}

function take(set: Set<number>): number[] {
  const items = [...set]
  set.clear()
  return items
}

/** What belongs to each of `keys`; what belongs to none is left out. */
function group<T>(keys: readonly number[], items: Iterable<T>, keyOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>(keys.map((key) => [key, []]))
  if (keys.length > 0) for (const item of items) groups.get(keyOf(item))?.push(item)
  return groups
}
