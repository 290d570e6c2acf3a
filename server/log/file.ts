/** One file of the log: lines wait here until they are written, and the file is put aside when it is full. */
import { appendFileSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../ground/clock.ts'
import { shareNew } from '../ground/sharing.ts'
import { asideName } from './backups.ts'

/** characters that wait at most while the disk takes none */
const MAX_WAITING = 4 * 1024 * 1024
/** between two looks at what the path leads to */
const LOOK_MS = 250
/** until a file that could not be put aside is tried again */
const ASIDE_AGAIN_MS = 60_000

export interface Flushed {
  /** the file was full and stands aside now */
  readonly aside: boolean
  /** lines that came while too many were waiting */
  readonly lost: number
  /** why a full file could not be put aside; its lines went into it all the same */
  readonly trouble: unknown
}

export interface LogFile {
  readonly path: string
  readonly hasWork: boolean
  add(line: string): void
  /** One at a time. @throws what the disk says; what was not written stays */
  flush(): Promise<Flushed>
  /** What waits, at once, as far as the disk lets it: the process ends. */
  flushSync(): void
  /** The next flush opens the file anew. */
  reopen(): void
  close(): Promise<void>
}

/**
 * Lines that are written go to whatever the path leads to: a file that was renamed or removed is noticed.
 * @param maxBytes at which a file is full
 */
export function createLogFile(path: string, maxBytes: number, clock: Clock): LogFile {
  let handle: FileHandle | null = null
  let mustReopen = false
  let lookedAt = -Infinity
  let notAsideBefore = -Infinity
  let size = 0
  let lines: string[] = []
  let waiting = 0
  let lost = 0
  let chunk = Buffer.alloc(0)
  let isWriting = false

  async function shut(): Promise<void> {
    const old = handle
    handle = null
    await old?.close()
  }

  async function opened(): Promise<FileHandle> {
    if (handle && (mustReopen || (await isGone(handle)))) await shut()
    mustReopen = false
    if (handle) return handle
    await mkdir(dirname(path), { recursive: true })
    handle = await open(path, 'a')
    size = (await handle.stat()).size
    if (size === 0) await shareNew(path)
    return handle
  }

  /** Whether the path leads elsewhere. The size is read again too: somebody may have emptied the file. */
  async function isGone(file: FileHandle): Promise<boolean> {
    if (clock.elapsed() - lookedAt < LOOK_MS) return false
    lookedAt = clock.elapsed()
    const [mine, there] = await Promise.all([
      file.stat({ bigint: true }),
      stat(path, { bigint: true }).catch(() => null),
    ])
    size = Number(mine.size)
    return there === null || there.ino !== mine.ino || there.dev !== mine.dev
  }

  async function putAside(): Promise<unknown> {
    await shut()
    try {
      await rename(path, await asideName(path, clock.now()))
      return null
    } catch (error) {
      notAsideBefore = clock.elapsed() + ASIDE_AGAIN_MS
      return error
    }
  }

  function take(): Buffer<ArrayBuffer> {
    const text = lines.join('')
    lines = []
    waiting = 0
    return Buffer.from(text)
  }

  return {
    path,
    get hasWork() {
      return lines.length > 0 || chunk.length > 0 || mustReopen
    },

    add(line) {
      if (waiting > MAX_WAITING) {
        lost += 1
        return
      }
      waiting += line.length
      lines.push(line)
    },

    async flush() {
      let file = await opened()
      const isFull = size >= maxBytes && clock.elapsed() >= notAsideBefore
      const trouble = isFull ? await putAside() : null
      if (isFull) file = await opened()
      if (chunk.length === 0) chunk = take()
      isWriting = true
      try {
        while (chunk.length > 0) {
          const { bytesWritten } = await file.write(chunk)
          size += bytesWritten
          chunk = chunk.subarray(bytesWritten)
        }
      } finally {
        isWriting = false
      }
      const gone = lost
      lost = 0
      return { aside: isFull && trouble === null, lost: gone, trouble }
    },

    flushSync() {
      const left = isWriting ? take() : Buffer.concat([chunk, take()])
      if (!isWriting) chunk = Buffer.alloc(0)
      if (left.length === 0) return
      try {
        appendFileSync(path, left)
        size += left.length
      } catch {
        // nobody is left who could be told
      }
    },

    reopen() {
      mustReopen = true
    },

    close: shut,
  }
}
