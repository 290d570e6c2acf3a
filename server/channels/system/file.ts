/** Notifications as files, one each, never one over another. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shareNew } from '../../ground/sharing.ts'

const MOST_A_SECOND = 100_000

export interface Folder {
  /**
   * Writes `system_notify_YYYYMMDD_HHMMSS.txt`, or with `_2`, `_3` … where that is taken; the folder is made.
   * On disk when it resolves. @param dir from the working directory. @param now ms since epoch; the name has
   * the time of this machine's zone. @throws what the disk says
   */
  write(dir: string, text: string, now: number): Promise<void>
}

/** Remembers where it got to in the second at hand, so that a storm of notifications does not try every name. */
export function createFolder(): Folder {
  let last = { stem: '', count: 0 }

  return {
    async write(dir, text, now) {
      await mkdir(dir, { recursive: true })
      const stem = join(dir, `system_notify_${stampOf(new Date(now))}`)
      if (last.stem !== stem) last = { stem, count: 0 }
      const mine = last
      while (mine.count < MOST_A_SECOND) {
        mine.count += 1
        if (await isMade(`${stem}${mine.count === 1 ? '' : `_${mine.count}`}.txt`, text)) return
      }
      throw new Error('too many notifications in one second')
    },
  }
}

/** False where there is such a file. What could not be written whole is taken away again. */
async function isMade(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx', flush: true })
    await shareNew(file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    await rm(file, { force: true }).catch(() => {})
    throw error
  }
}

/** `ENOSPC`: the code of an error of the disk, never its words, as they hold paths. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
}

function stampOf(time: Date): string {
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()]
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
  const two = (numbers: readonly number[]) => numbers.map((number) => String(number).padStart(2, '0')).join('')
  return `${two(date)}_${two(clock)}`
}
