/** Reads what a data folder holds: the manifest and its files, then the journals written since. */
import { copyFile, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Change, midsOf } from '../state/change.ts'
import type { State } from '../state/state.ts'
import { StoreCorrupt, StoreVersion } from '../store.ts'
import { type Line, scan } from './frame.ts'
import { JOURNAL_VERSION, type JournalHead, journalPath, rewriteJournal } from './journal.ts'
import type { Segments } from './segments.ts'

const JOURNAL = /^journal-(\d{10})\.log$/

export interface Recovered {
  /** number of the last journal there is, and seq of its last line */
  readonly n: number
  readonly seq: number
  /** lines that were replayed */
  readonly replayed: number
  /** files in which what could not be read was kept */
  readonly torn: readonly string[]
}

/**
 * Replays all journals from `first` on. A torn tail is kept aside, and cut.
 * @param needed number of the first journal that counts, and seq of the last line before it
 * @throws StoreCorrupt naming file, offset and what to do; StoreVersion
 */
export async function replayJournals(
  dir: string,
  { journal: first, seq }: { readonly journal: number; readonly seq: number },
  replay: (changes: readonly Change[]) => Promise<void>,
): Promise<Recovered> {
  const numbers = await journalsFrom(dir, first)
  const torn: string[] = []
  let last = seq
  let replayed = 0
  for (const [at, n] of numbers.entries()) {
    if (n !== first + at) throw missing(dir, first + at)
    const path = journalPath(dir, n)
    const isLast = at === numbers.length - 1
    const { lines, damage } = scan(await readFile(path), last)
    const [head, ...records] = lines
    if (damage && (damage.acknowledged || !isLast)) throw corrupt(path, damage, numbers.slice(at + 1))
    if (head && (damage === null || damage.seq > last)) checkHead(path, head, n, last)
    if (damage) torn.push(await setAside(path, { n, base: last }, records))
    for (const { json } of records) {
      // the checksum vouches that this is what an earlier write of changes put here
      await replay(JSON.parse(json) as Change[])
      replayed += 1
    }
    last += records.length
  }
  return { n: Math.max(first - 1, ...numbers), seq: last, replayed, torn }
}

/** Applies what a journal says. What a file has already is not added again. */
export function replayInto(state: State, segments: Segments): (changes: readonly Change[]) => Promise<void> {
  const archivedUpTo = segments.archivedUpTo
  return async (changes) => {
    await segments.recall(segments.missing(midsOf(changes)))
    for (const change of changes) {
      if (change.op !== 'message' || change.message.mid > archivedUpTo) state.apply(change)
    }
  }
}

/** Names of journals that no manifest needs any more. */
export async function journalsBefore(dir: string, first: number): Promise<string[]> {
  const names = await readdir(dir)
  return names.filter((name) => numberOf(name) !== null && Number(numberOf(name)) < first).map((name) => join(dir, name))
}

async function journalsFrom(dir: string, first: number): Promise<number[]> {
  const numbers = (await readdir(dir)).flatMap((name) => numberOf(name) ?? [])
  return numbers.filter((n) => n >= first).toSorted((a, b) => a - b)
}

function numberOf(name: string): number | null {
  const [, digits] = JOURNAL.exec(name) ?? []
  return digits === undefined ? null : Number(digits)
}

function checkHead(path: string, line: Line, n: number, base: number): void {
  // the checksum vouches that this is what `rotate` put here
  const head = JSON.parse(line.json) as JournalHead
  if (head.v > JOURNAL_VERSION) {
    throw new StoreVersion(`${path} was written by a newer version (journal ${head.v}): update this program`)
  }
  if (head.journal !== n || head.base !== base) {
    throw new StoreCorrupt(`${path} does not follow the journal before it: restore the data folder from a backup`)
  }
}

/** Keeps a copy of a journal with a torn tail, and leaves in its place what could be read. */
async function setAside(path: string, head: { n: number; base: number }, records: readonly Line[]): Promise<string> {
  const copy = `${path}.torn-${Date.now()}`
  await copyFile(path, copy)
  await rewriteJournal(path, head, records.map(({ json }) => json))
  return copy
}

function missing(dir: string, n: number): StoreCorrupt {
  return new StoreCorrupt(`${journalPath(dir, n)} is missing: restore it, or the whole data folder, from a backup`)
}

function corrupt(path: string, damage: { offset: number; seq: number }, later: readonly number[]): StoreCorrupt {
  const aside = later.length === 0 ? '' : ` and move the ${later.length} journals after it out of the folder`
  return new StoreCorrupt(
    `${path} is damaged at byte ${damage.offset} (line ${damage.seq}), in a part that had been acknowledged. ` +
      'Nothing was changed. Restore the data folder from a backup; or, to start without this line and all after it, ' +
      `cut the file there (truncate -s ${damage.offset} ${basename(path)})${aside}.`,
  )
}
