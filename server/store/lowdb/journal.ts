/** The journal in front of lowdb: lines are appended and flushed; what is in it survives a power cut. */
import { fdatasync, ftruncate, write } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Tally } from '../../ground/tally.ts'
import { replaceFile, syncFolder, syncParent } from './file.ts'
import { encodeLine } from './frame.ts'

export const JOURNAL_VERSION = 1

/** a line without changes */
const MARK = '[]'

/** seconds */
const FLUSH_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024]

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

/** The file that is being written. One call at a time. After FlushFailed every call fails. */
export class Journal {
  /** seconds that each flush took */
  readonly flushes = new Tally(FLUSH_BOUNDS)
  /** lines that each append made durable */
  readonly batches = new Tally(BATCH_BOUNDS)
  readonly #dir: string
  #file: FileHandle | null = null
  #n: number
  /** seq of the last line written, and of the last one flushed */
  #seq: number
  #durable: number
  #size = 0
  /** the last line says of all before it that it is durable */
  #marked = true
  #failed: FlushFailed | null = null

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
  /** Whether damage to any line but the last would be told from a torn tail. */
  get marked(): boolean {
    return this.#marked
  }

  /** Begins the next file, which lines go to from now on. When it fails they go on into this one. */
  async rotate(): Promise<void> {
    await this.#flush()
    const n = this.#n + 1
    const line = headLine(n, this.#seq)
    const file = await replaceFile(journalPath(this.#dir, n), line)
    // from here on the new file may be there after a power cut: it must not be without this
    try {
      await this.#trust(() => syncFolder(this.#dir))
    } catch (error) {
      await file.close()
      throw error
    }
    await this.#file?.close()
    this.#file = file
    this.#n = n
    this.#size = Buffer.byteLength(line)
    this.#marked = true
  }

  /** Appends one line for each and flushes. When writing fails nothing stays behind of it. */
  async append(jsons: readonly string[]): Promise<void> {
    await this.#write(jsons)
    this.#marked = false
    await this.#flush()
    this.batches.add(jsons.length)
  }

  /** Notes, without a flush, that all before it is durable: so a damaged last line is not taken for a torn one. */
  async mark(): Promise<void> {
    if (this.#marked) return
    await this.#write([MARK])
    this.#marked = true
  }

  /** Flushes, marks and closes. Closed it is in any case. */
  async close(): Promise<void> {
    const file = this.#file
    if (!file) return
    try {
      await this.#flush()
      // a full disk: the mark only sharpens what is said of damage
      await this.mark().catch(() => {})
      await this.#flush()
    } finally {
      this.#file = null
      await file.close()
    }
  }

  async #write(jsons: readonly string[]): Promise<void> {
    if (this.#failed) throw this.#failed
    const { fd } = this.#open()
    const first = this.#seq + 1
    const lines = jsons.map((json, at) => encodeLine({ seq: first + at, durable: this.#durable, json }))
    const bytes = Buffer.from(lines.join(''))
    try {
      for (let done = 0; done < bytes.length;) done += await writeAt(fd, bytes, done, this.#size + done)
    } catch (error) {
      await this.#trust(() => cutBack(fd, this.#size))
      throw error
    }
    this.#size += bytes.length
    this.#seq += jsons.length
  }

  async #flush(): Promise<void> {
    const file = this.#file
    if (this.#failed) throw this.#failed
    if (!file || this.#durable === this.#seq) return
    const begun = performance.now()
    await this.#trust(() => flush(file.fd))
    this.flushes.add((performance.now() - begun) / 1_000)
    this.#durable = this.#seq
  }

  /** After a flush that failed the pages may be gone while a second flush succeeds: it is never tried again. */
  async #trust(flushing: () => Promise<void>): Promise<void> {
    try {
      await flushing()
    } catch (cause) {
      this.#failed = new FlushFailed('the disk did not confirm a flush', { cause })
      throw this.#failed
    }
  }

  #open(): FileHandle {
    if (!this.#file) throw new Error('the journal is not open')
    return this.#file
  }
}

/**
 * Puts a journal file with these lines in place, durable and as one that was acknowledged.
 * @param base seq of the last line before the file
 */
export async function writeJournal(
  path: string,
  { n, base }: { readonly n: number; readonly base: number },
  jsons: readonly string[],
): Promise<void> {
  const durable = base + jsons.length
  const lines = jsons.map((json, at) => encodeLine({ seq: base + 1 + at, durable, json }))
  const file = await replaceFile(path, [headLine(n, base), ...lines].join(''))
  await file.close()
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

/** Ends a file at `size`, durably: what was refused must not come back after a power cut. */
async function cutBack(fd: number, size: number): Promise<void> {
  await new Promise<void>((resolve, reject) => ftruncate(fd, size, (error) => (error ? reject(error) : resolve())))
  await flush(fd)
}

function flush(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(fd, (error) => (error ? reject(error) : resolve())))
}
