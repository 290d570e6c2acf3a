/**
 * Space on the disk. When little is left nothing new is accepted, so that what was accepted can still be settled;
 * and a file is held that is given back when there is none left at all.
 */
import { randomBytes } from 'node:crypto'
import { open, stat, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../ground/log.ts'
import { isOutOfSpace } from './file.ts'

export const RESERVE_FILE = 'RESERVE'

const FILE_MODE = 0o600
/** of a small disk this part is little, and this part is held */
const SHARE = 16
const LITTLE_BYTES = 64 * 1024 * 1024
const RESERVE_BYTES = 8 * 1024 * 1024
const BLOCK_BYTES = 1024 * 1024

const LOW = 'the disk is nearly full'
const FULL = 'the disk is full'

export interface SpaceOptions {
  readonly dir: string
  readonly log: Log
  /** bytes held at most */
  readonly reserveBytes?: number
}

export class Space {
  readonly #dir: string
  readonly #path: string
  readonly #log: Log
  readonly #most: number
  /** bytes that are left, and all there are; as of the last look, but for what was written since */
  #free = Infinity
  #total = 0
  #isHeld = false
  #shortage: typeof LOW | typeof FULL | null = null
  #looking: Promise<void> | null = null

  constructor({ dir, log, reserveBytes = RESERVE_BYTES }: SpaceOptions) {
    this.#dir = dir
    this.#path = join(dir, RESERVE_FILE)
    this.#log = log
    this.#most = reserveBytes
  }

  /** Why nothing new is accepted; null: there is room. */
  get shortage(): string | null {
    return this.#shortage
  }

  /** The same for programs. */
  get fault(): 'disk-low' | 'disk-full' | null {
    if (this.#shortage === null) return null
    return this.isUsedUp ? 'disk-full' : 'disk-low'
  }

  /** Bytes that are left, and all there are, as of the last look; null where the system does not tell. */
  get room(): { readonly free: number; readonly size: number } | null {
    return this.#total === 0 ? null : { free: this.#free, size: this.#total }
  }

  /** Even the reserve is used up: nothing can be written. */
  get isUsedUp(): boolean {
    return this.#shortage === FULL
  }

  /** Soon there may be too little: whoever writes much had better look first. @param journal bytes that it has */
  isNear(journal: number): boolean {
    return this.#shortage === null && this.#free < 2 * (this.#mark + journal)
  }

  /** Whether there is space for so many bytes, and some of the reserve is left for acks and the like. */
  fits(bytes: number): boolean {
    return this.#free + (this.#isHeld ? this.#size : 0) - this.#size / 2 >= bytes
  }

  /** Takes the reserve. Where there is not even enough to begin with, it is given back at once. */
  async open(): Promise<void> {
    await this.#measure()
    const size = await stat(this.#path).then(
      (found) => found.size,
      () => 0,
    )
    this.#isHeld = size > 0 && size === this.#size
    if (this.#free >= this.#mark + this.#size) await this.#take()
    else if (this.#free < this.#size) await this.giveBack()
    if (this.#free < this.#mark || (this.#size > 0 && !this.#isHeld)) this.#change(LOW)
  }

  /** Finds out how much is left; a second call meanwhile waits for the same. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null))
    return this.#looking
  }

  /** So much was written. */
  wrote(bytes: number): void {
    this.#free -= bytes
    if (this.isUsedUp && bytes > 0) this.#change(LOW)
  }

  /** A write found no space. Resolves to whether there is more now than there was for it. */
  async giveBack(): Promise<boolean> {
    await this.#looking
    const gave = this.#isHeld
    this.#isHeld = false
    await unlink(this.#path).catch(() => {})
    if (gave) this.#log.warn('there was no space on the disk: the reserve was given back')
    if (gave || this.#shortage === null) this.#change(LOW)
    return gave
  }

  /** A write found no space, and there is nothing to give back. */
  useUp(): void {
    this.#change(FULL)
  }

  /** Does what may find no space; once more with the reserve, if it does. */
  async spend<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      if (!isOutOfSpace(error) || !(await this.giveBack())) throw error
      return task()
    }
  }

  /** Bytes of journal that are too many to be still there when space runs out: a checkpoint takes about as many. */
  longest(most: number): number {
    return Math.min(most, Math.max(this.#free, this.#size) / 4)
  }

  /** Less than this is little. */
  get #mark(): number {
    return Math.min(LITTLE_BYTES, Math.floor(this.#total / SHARE))
  }

  /** Bytes of the reserve. */
  get #size(): number {
    return Math.min(this.#most, Math.floor(this.#total / SHARE))
  }

  async #look(): Promise<void> {
    await this.#measure()
    if (this.#shortage === null) {
      if (this.#free < this.#mark) this.#change(LOW)
      return
    }
    // twice, so that it does not go to and fro
    const enough = 2 * this.#mark + (this.#isHeld ? 0 : this.#size)
    if (this.#free >= enough && (await this.#take())) this.#change(null)
  }

  /** Where the system does not tell, only writes that fail do. */
  async #measure(): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#dir).catch(() => ({ bavail: Infinity, blocks: 0, bsize: 1 }))
    this.#free = bavail * bsize
    this.#total = blocks * bsize
  }

  /** Fills the file with what no file system can make smaller. False when there is no space for it. */
  async #take(): Promise<boolean> {
    if (this.#isHeld || this.#size === 0) return true
    try {
      const file = await open(this.#path, 'w', FILE_MODE)
      try {
        const block = randomBytes(Math.min(this.#size, BLOCK_BYTES))
        for (let left = this.#size; left > 0; left -= block.length) await file.writeFile(block.subarray(0, left))
        await file.datasync()
      } finally {
        await file.close()
      }
      this.#isHeld = true
      return true
    } catch (error) {
      await unlink(this.#path).catch(() => {})
      if (!isOutOfSpace(error)) this.#log.error({ err: error }, 'the reserve could not be written')
      return false
    }
  }

  #change(shortage: typeof LOW | typeof FULL | null): void {
    if (shortage === this.#shortage) return
    const before = this.#shortage
    this.#shortage = shortage
    const facts = { free: this.#free, needed: this.#mark }
    if (shortage === null) this.#log.info(facts, 'there is space on the disk again')
    else if (shortage === FULL)
      this.#log.error(facts, 'the disk is full: what happens is kept in memory until there is space')
    else if (before === null)
      this.#log.warn(facts, 'the disk is nearly full: nothing new is accepted until there is space')
    else this.#log.warn(facts, 'the disk takes writes again; nothing new is accepted yet')
  }
}
