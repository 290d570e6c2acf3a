/** A JSON file that survives power cuts: the adapter under lowdb. */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Adapter, Low } from 'lowdb'
import { StoreCorrupt } from '../store.ts'

const FILE_MODE = 0o600
const HEAD = /^\{"crc":"([0-9a-f]{8})","data":/
const TAIL = '}\n'

/**
 * `{"crc":"…","data":…}`: one JSON object, the checksum over the text of `data`. Written to a temporary
 * file, flushed, then renamed; the caller flushes the folder. One write at a time is the caller's care.
 */
class DurableJsonFile<T> implements Adapter<T> {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Null when there is no such file. @throws StoreCorrupt */
  async read(): Promise<T | null> {
    const text = await readFile(this.#path, 'utf8').catch(nullIfMissing)
    if (text === null) return null
    const head = HEAD.exec(text)
    const data = head && text.endsWith(TAIL) ? text.slice(head[0].length, -TAIL.length) : null
    if (!head || data === null || checksum(data) !== head[1]) {
      throw new StoreCorrupt(
        `${this.#path} is damaged (its checksum does not match). Nothing was changed. ` +
          'Restore the data folder from a backup; or move this file aside to start without what it holds.',
      )
    }
    // the checksum vouches that this is what an earlier write of the same T put here
    return JSON.parse(data) as T
  }

  async write(data: T): Promise<void> {
    const text = JSON.stringify(data)
    const temporary = `${this.#path}.tmp`
    const file = await open(temporary, 'w', FILE_MODE)
    try {
      await file.writeFile(`{"crc":"${checksum(text)}","data":${text}${TAIL}`)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#path)
  }
}

/** Reads a file through lowdb; null when there is none. @throws StoreCorrupt */
export async function readJson<T>(path: string): Promise<T | null> {
  const low = new Low<T | null>(new DurableJsonFile<T | null>(path), null)
  await low.read()
  return low.data
}

/** Writes a file through lowdb. It lasts once its folder was synced. */
export async function writeJson<T>(path: string, data: T): Promise<void> {
  await new Low<T>(new DurableJsonFile<T>(path), data).write()
}

/** Makes renames and removals in a folder last. */
export async function syncFolder(path: string): Promise<void> {
  const folder: FileHandle = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Makes a file that was just created last. */
export async function syncParent(path: string): Promise<void> {
  await syncFolder(dirname(path))
}

export function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
