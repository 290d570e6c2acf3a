/** A JSON file that survives power cuts: the adapter under lowdb. */
import { access, type FileHandle, open, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Adapter, Low } from 'lowdb'
import { StoreCorrupt } from '../store.ts'

const FILE_MODE = 0o600
const OUT_OF_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const HEAD = /^\{"crc":"([0-9a-f]{8})","data":/
const TAIL = '}\n'

/**
 * `{"crc":"…","data":…}`: one JSON object, the checksum over the text of `data`. One write at a time, and
 * flushing the folder after it, is the caller's care.
 */
class DurableJsonFile<T> implements Adapter<T> {
  readonly #path: string
  readonly #stringify: (data: T) => string

  constructor(path: string, stringify: (data: T) => string = JSON.stringify) {
    this.#path = path
    this.#stringify = stringify
  }

  /** Null when there is no such file. @throws StoreCorrupt */
  async read(): Promise<T | null> {
    const text = await readFile(this.#path, 'utf8').catch(nullIfMissing)
    if (text === null) return null
    const data = dataIn(text)
    if (data === null) {
      throw new StoreCorrupt(`${this.#path} is damaged: its checksum does not match.`)
    }
    // the checksum vouches that this is what an earlier write of the same T put here
    const value: T = JSON.parse(data)
    return value
  }

  async write(data: T): Promise<void> {
    const text = this.#stringify(data)
    const file = await replaceFile(this.#path, `{"crc":"${checksum(text)}","data":${text}${TAIL}`)
    await file.close()
  }
}

/** The JSON text of `data` in a file; null when its checksum does not match. */
export function dataIn(text: string): string | null {
  const head = HEAD.exec(text)
  if (!head || !text.endsWith(TAIL)) return null
  const data = text.slice(head[0].length, -TAIL.length)
  return checksum(data) === head[1] ? data : null
}

/**
 * Reads a file through lowdb; null when there is none.
 * @param advice what to do when it is damaged
 * @throws StoreCorrupt
 */
export async function readJson<T>(path: string, advice = adviceFor(path)): Promise<T | null> {
  const low = new Low<T | null>(new DurableJsonFile<T | null>(path), null)
  try {
    await low.read()
  } catch (error) {
    throw error instanceof StoreCorrupt ? new StoreCorrupt(`${error.message} ${advice}`) : error
  }
  return low.data
}

/** Writes a file through lowdb. It lasts once its folder was synced. */
export async function writeJson<T>(path: string, data: T, stringify?: (data: T) => string): Promise<void> {
  await new Low<T>(new DurableJsonFile<T>(path, stringify), data).write()
}

/** Where an operator puts a file that the store shall do without. */
export function lostPath(path: string): string {
  return `${path}.lost`
}

/** What can be done about a file that cannot be read and that the store can do without. */
function adviceFor(path: string): string {
  return (
    'Nothing was changed. Restore the data folder from a backup; or, to go on without what this file held, ' +
    `rename it to ${lostPath(path)} (create that file if there is nothing to rename).`
  )
}

/** Of a file that a manifest lists. */
export function missing(path: string): StoreCorrupt {
  return new StoreCorrupt(`${path} is missing, though the manifest lists it. ${adviceFor(path)}`)
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Puts a file in place whole or not at all: written beside it, flushed, then renamed. Returns it open. It
 * lasts once its folder was synced.
 */
export async function replaceFile(path: string, text: string): Promise<FileHandle> {
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', FILE_MODE)
  try {
    await file.writeFile(text)
    await file.datasync()
    await rename(temporary, path)
  } catch (error) {
    await file.close()
    // on a full disk the half of it is in the way
    await unlink(temporary).catch(() => {})
    throw error
  }
  return file
}

/** Makes what was created, renamed and removed in a folder last. */
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

/** Whether a write found no space on the disk. */
export function isOutOfSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && OUT_OF_SPACE.has(String(error.code))
}

export function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
