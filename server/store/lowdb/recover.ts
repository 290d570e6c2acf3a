/** Reads what a data folder holds: the manifest and its files, then the journals written since. */
import { constants, copyFile, open, readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Change, decodeChanges, midsOf } from '../state/change.ts'
import type { State } from '../state/state.ts'
import { StoreCorrupt, StoreVersion } from '../store.ts'
import { firstLine, type Line, scan } from './frame.ts'
import { JOURNAL_VERSION, type JournalHead, journalPath, writeJournal } from './journal.ts'
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
 * @param replay is given what a whole journal holds
 * @throws StoreCorrupt naming file, offset and what to do; StoreVersion
 */
export async function replayJournals(
  dir: string,
  { journal: first, seq }: { readonly journal: number; readonly seq: number },
  replay: (changes: readonly Change[]) => Promise<void>,
): Promise<Recovered> {
  const numbers = (await journalsIn(dir)).filter((n) => n >= first)
  const torn: string[] = []
  let last = seq
  let replayed = 0
  if (numbers.length === 0) throw missing(dir, first, [])
  for (const [at, n] of numbers.entries()) {
    const later = numbers.slice(at + 1)
    if (n !== first + at) throw missing(dir, first + at, at === 0 ? [] : [n, ...later])
    const path = journalPath(dir, n)
    const bytes = await readFile(path)
    checkHead(path, firstLine(bytes), { n, base: last })
    const { lines, damage } = scan(bytes, last)
    if (damage && (damage.acknowledged || later.length > 0)) throw corrupt(dir, n, damage, later)
    // the head stands at the seq before the first record
    const records = lines.filter((line) => line.seq > last).map(({ json }) => json)
    if (damage) torn.push(await setAside(path, { n, base: last }, records))
    await replay(records.flatMap(decodeChanges))
    replayed += records.length
    last += records.length
  }
  return { n: first - 1 + numbers.length, seq: last, replayed, torn }
}

/** Applies what a journal says. What a file has already is not added again. */
export function replayInto(state: State, segments: Segments): (changes: readonly Change[]) => Promise<void> {
  const archivedUpTo = segments.archivedUpTo
  return async (changes) => {
    // all at once, so that each segment is read once
    const recalled = segments.missing(new Set(midsOf(changes)))
    await segments.recall(recalled)
    for (const change of changes) {
      if (change.op !== 'message' || change.message.mid > archivedUpTo) state.apply(change)
    }
    segments.release(recalled)
  }
}

/** Paths of journals that no manifest needs any more. */
export async function journalsBefore(dir: string, first: number): Promise<string[]> {
  const numbers = await journalsIn(dir)
  return numbers.filter((n) => n < first).map((n) => journalPath(dir, n))
}

/** Numbers of the journals in a folder, in order. */
export async function journalsIn(dir: string): Promise<number[]> {
  const names = await readdir(dir)
  return names
    .flatMap((name) => JOURNAL.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
}

/** A head that cannot be read is left to `scan`. */
function checkHead(path: string, line: Line | null, { n, base }: { n: number; base: number }): void {
  if (!line) return
  // the checksum vouches that this is what `rotate` put here; or a record, where the head is gone
  const head: Partial<JournalHead> = JSON.parse(line.json)
  if (head.v === undefined || head.journal === undefined || head.base === undefined) return
  if (head.v > JOURNAL_VERSION) {
    throw new StoreVersion(`${path} was written by a newer version (journal ${head.v}): update this program`)
  }
  if (head.journal === n && head.base === base) return
  throw new StoreCorrupt(
    `${path} begins after line ${head.base}, but the journal before it ends with line ${base}. Nothing was changed. ` +
      'Restore the data folder from a backup; or, to start without what it holds, move it and all journals after it ' +
      'out of the folder.',
  )
}

/** Keeps a copy of a journal with a torn tail, and leaves in its place what could be read. */
async function setAside(path: string, head: { n: number; base: number }, records: readonly string[]): Promise<string> {
  const copy = `${path}.torn-${Date.now()}`
  await copyFile(path, copy, constants.COPYFILE_EXCL)
  const file = await open(copy, 'r')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
  await writeJournal(path, head, records)
  return copy
}

function missing(dir: string, n: number, later: readonly number[]): StoreCorrupt {
  const without = later.length === 0 ? '' : `; or, to start without ${all(later)}, move them out of the folder`
  return new StoreCorrupt(
    `${journalPath(dir, n)} is missing. Nothing was changed. Restore it, or the data folder, from a backup${without}.`,
  )
}

function corrupt(
  dir: string,
  n: number,
  { offset, seq }: { offset: number; seq: number },
  later: readonly number[],
): StoreCorrupt {
  const path = journalPath(dir, n)
  const aside = later.length === 0 ? '' : ` and move ${all(later)} out of the folder`
  return new StoreCorrupt(
    `${path} is damaged at byte ${offset} (line ${seq}), in a part that had been acknowledged. Nothing was changed. ` +
      'Restore the data folder from a backup; or, to start without this line and all after it, keep a copy of the ' +
      `file, cut it there (truncate -s ${offset} ${path})${aside}.`,
  )
}

function all(numbers: readonly number[]): string {
  return numbers.map((n) => basename(journalPath('', n))).join(', ')
}
