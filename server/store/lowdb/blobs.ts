import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { nullIfMissing, syncFolder } from './file.ts'

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
const ID = /^[0-9a-f-]{36}$/

export interface Blobs {
  open(): Promise<void>
  /** Streams to disk; durable when it resolves. @throws RangeError when larger, and nothing stays behind */
  put(data: AsyncIterable<Uint8Array>, maxBytes: number): Promise<{ id: string; size: number }>
  read(id: string): AsyncIterable<Uint8Array>
  remove(id: string): Promise<void>
}

/** Large bodies, each in a file of its own. */
export function createBlobs(dir: string): Blobs {
  const folder = join(dir, 'blobs')

  return {
    open: async () => void (await mkdir(folder, { recursive: true, mode: FOLDER_MODE })),

    async put(data, maxBytes) {
      const id = randomUUID()
      const temporary = join(folder, `${id}.tmp`)
      const file = await open(temporary, 'wx', FILE_MODE)
      let size = 0
      try {
        for await (const part of data) {
          size += part.length
          if (size > maxBytes) throw new RangeError(`the blob is larger than ${maxBytes} bytes`)
          await file.write(part)
        }
        await file.datasync()
      } catch (error) {
        await unlink(temporary)
        throw error
      } finally {
        await file.close()
      }
      await rename(temporary, join(folder, id))
      await syncFolder(folder)
      return { id, size }
    },

    read(id) {
      if (!ID.test(id)) throw new Error(`there is no blob ${id}`)
      return createReadStream(join(folder, id))
    },

    async remove(id) {
      if (ID.test(id)) await unlink(join(folder, id)).catch(nullIfMissing)
    },
  }
}
