import { existsSync, readdirSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const LIBRARIES = '/usr/lib'
const LIBRARY = 'faketime/libfaketimeMT.so.1'

/** Why a machine cannot have one; null where it can. */
export function whyNoWallClock(): string | null {
  return libraryPath() === null ? 'libfaketime is not installed' : null
}

/** The wall clock of one process, which jumps when it is told to; what measures durations does not see it. */
export class WallClock {
  readonly #file: string
  /** ms that it is ahead of the real one */
  #ahead = 0

  private constructor(file: string) {
    this.#file = file
  }

  /** @param from what it shows at first: `2028-02-28T23:59:58Z`; null: the time */
  static async make(dir: string, from: string | null): Promise<WallClock> {
    const clock = new WallClock(join(dir, 'clock'))
    await clock.jump(from === null ? 0 : Date.parse(from) - Date.now())
    return clock
  }

  /** of the process whose clock it is */
  get env(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: libraryPath() ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  async jump(ms: number): Promise<void> {
    this.#ahead += ms
    const sign = this.#ahead < 0 ? '-' : '+'
    await writeFile(`${this.#file}.new`, `${sign}${(Math.abs(this.#ahead) / 1_000).toFixed(3)}\n`)
    // in one step: half a line is another time
    await rename(`${this.#file}.new`, this.#file)
  }
}

function libraryPath(): string | null {
  if (!existsSync(LIBRARIES)) return null
  const paths = [LIBRARIES, ...readdirSync(LIBRARIES).map((name) => join(LIBRARIES, name))]
  return paths.map((path) => join(path, LIBRARY)).find((path) => existsSync(path)) ?? null
}
