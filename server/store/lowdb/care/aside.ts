/** A folder in the data folder that takes what nobody wants to delete. It is made when there is something to take. */
import { copyFile, mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder, syncParent } from '../file.ts'

const FOLDER_MODE = 0o700
const NAME = /^(set-aside|replaced)-\d/

/** Whether a name in a data folder is one of these. */
export function isAside(name: string): boolean {
  return NAME.test(name)
}

export class Aside {
  readonly #dir: string
  readonly #name: string
  #path: string | null = null

  /** @param now ms since epoch */
  constructor(dir: string, why: 'set-aside' | 'replaced', now: number) {
    this.#dir = dir
    this.#name = `${why}-${new Date(now).toISOString().replaceAll(':', '-')}`
  }

  /** Null: there was nothing to take. */
  get path(): string | null {
    return this.#path
  }

  /** @param file below the data folder */
  async move(file: string): Promise<void> {
    const target = await this.#placeOf(file)
    await rename(join(this.#dir, file), target)
    await syncParent(target)
    await syncParent(join(this.#dir, file))
  }

  async copy(file: string): Promise<void> {
    await copyFile(join(this.#dir, file), await this.#placeOf(file))
  }

  async #placeOf(file: string): Promise<string> {
    if (this.#path === null) {
      this.#path = join(this.#dir, this.#name)
      await mkdir(this.#path, { mode: FOLDER_MODE })
      await syncFolder(this.#dir)
    }
    const target = join(this.#path, file)
    await mkdir(dirname(target), { recursive: true, mode: FOLDER_MODE })
    return target
  }
}
