import type { Memory } from './types.ts'

/** The part of localStorage that is used. */
export interface MemoryStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

export interface MemoryOptions {
  /** how many messages it remembers; 1,000 unless told */
  limit?: number | undefined
  /** where it outlives a reload of the page, such as `localStorage` */
  storage?: MemoryStorage | undefined
  /** under which key it is kept there; one for each recipient and device */
  key?: string | undefined
}

/** Remembers the last messages that were handled. */
export function createMemory({ limit = 1_000, storage, key = 'carillon' }: MemoryOptions = {}): Memory {
  const mids = new Set(read(storage, key))
  return {
    has: (mid) => mids.has(mid),
    add(mid) {
      mids.add(mid)
      for (const oldest of mids) {
        if (mids.size <= limit) break
        mids.delete(oldest)
      }
      if (storage) write(storage, key, [...mids].join(' '))
    },
  }
}

function read(storage: MemoryStorage | undefined, key: string): readonly string[] {
  return storage?.getItem(key)?.split(' ') ?? []
}

/** A storage that is full costs the memory of a reload, not the message. */
function write(storage: MemoryStorage, key: string, value: string): void {
  try {
    storage.setItem(key, value)
  } catch {
    // kept in this connection all the same
  }
}
