/** A copy of a data folder, and a data folder from a copy. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { Mistake } from '../../../ground/mistake.ts'
import { nullIfMissing, syncParent } from '../file.ts'
import { LOCK_FILE, lockFolder } from '../lock.ts'
import { manifestPath } from '../manifest.ts'
import { RESERVE_FILE } from '../space.ts'
import { Aside, isAside } from './aside.ts'
import { copyStore } from './copy.ts'
import { type Examination, examine } from './examine.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
/** in the place of the manifest until all is there, so that no hub starts on half of it */
const BEING_RESTORED = 'this folder is being restored from a backup\n'
/** they make no folder a used one */
const EMPTY = new Set([LOCK_FILE, RESERVE_FILE, 'lost+found'])

/**
 * Everything that was accepted before the call is in the copy; a hub may run on the folder meanwhile.
 * @param to a folder that is empty or not there
 * @returns the copy as it was found to be: as sound as the folder is
 * @throws Mistake
 */
export async function backup(from: string, to: string): Promise<Examination> {
  apart(from, to)
  const there = await readdir(to).catch(nullIfMissing)
  if (there !== null && there.length > 0) throw new Mistake(`${to} is not empty: a backup needs a folder of its own`)
  await mkdir(to, { recursive: true, mode: FOLDER_MODE })
  await syncParent(resolve(to))
  await copyStore(from, to)
  return examine(to)
}

export interface Restored {
  readonly after: Examination
  /** where that is what was in the folder before; null: it was empty */
  readonly aside: string | null
}

/**
 * @param force what is in the folder is put aside
 * @param now ms since epoch
 * @throws Mistake: the backup is none, or damaged; the folder is not empty
 * @throws StoreLocked, StoreVersion
 */
export async function restore(
  from: string,
  to: string,
  { force, now }: { readonly force: boolean; readonly now: number },
): Promise<Restored> {
  apart(from, to)
  const source = await examine(from)
  if (!source.isSound) throw new Mistake(`${from} is damaged: carillon store check --data ${from} says where`)
  await mkdir(to, { recursive: true, mode: FOLDER_MODE })
  const unlock = lockFolder(to)
  try {
    const aside = new Aside(to, 'replaced', now)
    const there = (await readdir(to)).filter((name) => !EMPTY.has(name) && !isAside(name))
    if (there.length > 0 && !force) {
      throw new Mistake(
        `${to} is not empty: with --force what is in it is put aside, in a folder beside the restored files`,
      )
    }
    for (const name of there) await aside.move(name)
    await writeFile(manifestPath(to), BEING_RESTORED, { mode: FILE_MODE, flush: true })
    await copyStore(from, to)
    return { after: await examine(to), aside: aside.path }
  } finally {
    unlock()
  }
}

/** @throws Mistake */
function apart(from: string, to: string): void {
  const [one, other] = [resolve(from), resolve(to)]
  if (one === other || one.startsWith(other + sep) || other.startsWith(one + sep)) {
    throw new Mistake(`${to} and ${from} lie in each other: a backup needs a place of its own`)
  }
}
