/** The journal in front of lowdb: lines are appended and flushed; what is in it survives a power cut. */
import { fdatasync, ftruncate, write } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { syncFolder, syncParent } from './file.ts'
import { encodeLine } from './frame.ts'

export const JOURNAL_VERSION = 1

const flush = promisify(fdatasync)
const truncate = promisify(ftruncate)
const FILE_MODE = 0o600
/** a line without changes */
const MARK = '[]'

/** First line of each file. `base` is the seq of the last line before it. */
export interface JournalHead {
  readonly journal: number
  readonly v: number
  readonly base: number
}

/** The flush failed: what it should have made durable may or may not be on disk. */
export class FlushFailed extends Error {
  override readonly name = 'FlushFailed'
}

export function journalPath(dir: string, n: number): string {
  return join(dir, `journal-${String(n).padStart(10, '0')}.log`)
}

/** The file that is being written. One `append` at a time. */
export class Journal {
  readonly #dir: string
  #file: FileHandle | null = null
  #n: number
  /** seq of the last line written, and of the last one flushed */
  #seq: number
  #durable: number
  #size = 0

  /** @param n number of the last file there has been, `seq` of the last line */
  constructor(dir: string, n: number, seq: number) {
    this.#dir = dir
    this.#n = n
    this.#seq = seq
    this.#durable = seq
  }

  get n(): number {
    return this.#n
  }
  get seq(): number {
    return this.#seq
  }
  /** bytes in the current file */
  get size(): number {
    return this.#size
  }

  /** Begins the next file, which lines go to from now on. */
  async rotate(): Promise<void> {
    await this.#flush()
    const n = this.#n + 1
    const file = await open(journalPath(this.#dir, n), 'wx', FILE_MODE)
    const line = headLine(n, this.#seq)
    await file.writeFile(line)
    await file.datasync()
    await syncFolder(this.#dir)
    await this.#file?.close()
    this.#file = file
    this.#n = n
    this.#size = Buffer.byteLength(line)
  }

  /**
   * Appends one line for each and flushes. When writing fails nothing stays behind of it; after FlushFailed
   * nothing more may be appended.
   */
  async append(jsons: readonly string[]): Promise<void> {
    await this.#write(jsons)
    await this.#flush()
  }

  /** Notes, without a flush, that all before it is durable: so a damaged last line is not taken for a torn one. */
  async mark(): Promise<void> {
    await this.#write([MARK])
  }

  async close(): Promise<void> {
    await this.#flush()
    await this.#file?.close()
    this.#file = null
  }

  async #write(jsons: readonly string[]): Promise<void> {
    const { fd } = this.#open()
    const first = this.#seq + 1
    const lines = jsons.map((json, at) => encodeLine({ seq: first + at, durable: this.#durable, json }))
    const bytes = Buffer.from(lines.join(''))
    try {
      for (let done = 0; done < bytes.length; ) done += await writeAt(fd, bytes, done, this.#size + done)
    } catch (error) {
      await truncate(fd, this.#size)
      throw error
    }
    this.#size += bytes.length
    this.#seq += jsons.length
  }

  async #flush(): Promise<void> {
    if (!this.#file || this.#durable === this.#seq) return
    try {
      await flush(this.#file.fd)
    } catch (cause) {
      throw new FlushFailed('the disk did not confirm a flush', { cause })
    }
    this.#durable = this.#seq
  }

  #open(): FileHandle {
    if (!this.#file) throw new Error('the journal is not open')
    return this.#file
  }
}

/**
 * Puts lines into a journal file in place of what it holds. Nothing of it counts as acknowledged.
 * @param base seq of the last line before the file
 */
export async function rewriteJournal(
  path: string,
  { n, base }: { readonly n: number; readonly base: number },
  jsons: readonly string[],
): Promise<void> {
  const lines = jsons.map((json, at) => encodeLine({ seq: base + 1 + at, durable: base, json }))
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', FILE_MODE)
  try {
    await file.writeFile([headLine(n, base), ...lines].join(''))
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncParent(path)
}

function headLine(n: number, base: number): string {
  const head: JournalHead = { journal: n, v: JOURNAL_VERSION, base }
  return encodeLine({ seq: base, durable: base, json: JSON.stringify(head) })
}

/** Bytes written: fewer than asked for when the disk is nearly full. */
function writeAt(fd: number, bytes: Buffer, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, from, bytes.length - from, position, (error, written) => {
      if (error) reject(error)
      else resolve(written)
    })
  })
}
