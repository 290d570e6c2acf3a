import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreFull } from '../store.ts'
import { isOutOfSpace, nullIfMissing, syncFolder, syncParent } from './file.ts'

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
const ID = /^[0-9a-f-]{36}$/
const TEMPORARY = '.tmp'

export interface Blobs {
  open(): Promise<void>
  /**
   * Streams to disk; durable when it resolves. When it fails nothing stays behind.
   * @throws RangeError when larger; StoreFull
   */
  put(data: AsyncIterable<Uint8Array>, maxBytes: number): Promise<{ id: string; size: number }>
  read(id: string): AsyncIterable<Uint8Array>
  remove(id: string): Promise<void>
  /** Removes what no message names: it was put, and a crash or a refusal came before its message was accepted. */
  sweep(used: ReadonlySet<string>): Promise<void>
}

/** Large bodies, each in a file of its own. */
export function createBlobs(dir: string): Blobs {
  const folder = join(dir, 'blobs')

  /** Returns the size. */
  async function write(path: string, data: AsyncIterable<Uint8Array>, maxBytes: number): Promise<number> {
    const file = await open(path, 'wx', FILE_MODE)
    try {
      let size = 0
      for await (const part of data) {
        size += part.length
        if (size > maxBytes) throw new RangeError(`the blob is larger than ${maxBytes} bytes`)
        // unlike `write` it does not stop half way
        await file.writeFile(part)
      }
      await file.datasync()
      return size
    } finally {
      await file.close()
    }
  }

  return {
    async open() {
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
      await syncParent(folder)
      const unfinished = (await readdir(folder)).filter((name) => name.endsWith(TEMPORARY))
      for (const name of unfinished) await unlink(join(folder, name))
    },

    async put(data, maxBytes) {
      const id = randomUUID()
      const temporary = join(folder, `${id}${TEMPORARY}`)
      try {
        const size = await write(temporary, data, maxBytes)
        await rename(temporary, join(folder, id))
        await syncFolder(folder)
        return { id, size }
      } catch (error) {
        await unlink(temporary).catch(() => {})
        throw isOutOfSpace(error) ? new StoreFull('the disk is full: the blob was not kept') : error
      }
    },

    async *read(id) {
      if (!ID.test(id)) throw new Error(`there is no blob ${id}`)
      yield* createReadStream(join(folder, id))
    },

    async remove(id) {
      if (ID.test(id)) await unlink(join(folder, id)).catch(nullIfMissing)
    },

    async sweep(used) {
      const orphans = (await readdir(folder)).filter((name) => ID.test(name) && !used.has(name))
      for (const name of orphans) await unlink(join(folder, name))
    },
  }
}
