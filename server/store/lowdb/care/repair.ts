/**
 * Puts a damaged data folder in order. What nobody was promised is tidied up; what somebody was, is given up only
 * when told so. Nothing that may still be of use is deleted: it is put aside.
 */
import { randomUUID } from 'node:crypto'
import { unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { midOf } from '../../state/mid-list.ts'
import { exists, lostPath, nullIfMissing } from '../file.ts'
import { journalPath, writeJournal } from '../journal.ts'
import { lockFolder } from '../lock.ts'
import { writeManifest } from '../manifest.ts'
import { replayJournals } from '../recover.ts'
import { segmentFile } from '../segment-files.ts'
import { RESERVE_FILE } from '../space.ts'
import { Aside } from './aside.ts'
import { type Examination, examine, type Rest } from './examine.ts'
import { type Finding, isDamage } from './finding.ts'
import type { Needed } from './journals.ts'

const FILE_MODE = 0o600

export interface Repair {
  /** what was tidied up */
  readonly mended: readonly Finding[]
  /** what was given up */
  readonly lost: readonly Finding[]
  /** the folder as it is now */
  readonly after: Examination
  /** where that is what was put aside; null: nothing was */
  readonly aside: string | null
}

/**
 * @param now ms since epoch
 * @throws StoreLocked, StoreVersion, Mistake
 */
export async function repair(
  dir: string,
  { acceptLoss, now }: { readonly acceptLoss: boolean; readonly now: number },
): Promise<Repair> {
  // before the lock, which would make a folder of any
  await examine(dir)
  const unlock = lockFolder(dir)
  try {
    const aside = new Aside(dir, 'set-aside', now)
    const before = await examine(dir)
    const lost = acceptLoss ? before.findings.filter(isDamage) : []
    if (lost.length > 0) await giveUp(before, lost, aside, now)
    const { findings, rest } = lost.length > 0 ? await examine(dir) : before
    // without a manifest nobody knows what is left over
    const mended = rest.manifest ? findings.filter((one) => !isDamage(one)) : []
    for (const finding of mended) await mend(dir, rest, finding, aside)
    return { mended, lost, after: await examine(dir), aside: aside.path }
  } finally {
    unlock()
  }
}

/** A crash anywhere in it leaves the damage as it is, or nothing of it: the manifest decides. */
async function giveUp({ dir, rest }: Examination, lost: readonly Finding[], aside: Aside, now: number): Promise<void> {
  await unlink(join(dir, RESERVE_FILE)).catch(nullIfMissing)
  const kinds = new Set(lost.map(({ kind }) => kind))
  const isJournalNew = kinds.has('journal') || kinds.has('manifest')
  const needed = isJournalNew ? await newJournal(dir, rest) : rest.journals.needed
  if (kinds.has('manifest') && (await exists(join(dir, 'manifest.json')))) await aside.copy('manifest.json')
  if (isJournalNew || kinds.has('segment') || kinds.has('documents')) await newManifest(dir, rest, needed, now)

  const kept = new Set(rest.segments.map(({ n }) => join('messages', segmentFile(n))))
  const files = lost.filter(
    ({ kind, file }) => kind === 'documents' || kind === 'keys' || (kind === 'segment' && !kept.has(file)),
  )
  await putAside(
    dir,
    files.flatMap(({ file }) => [file, file.replace(/\.json$/, '.recipients.json')]),
    aside,
  )
  if (isJournalNew)
    await putAside(
      dir,
      rest.journals.numbers.map((n) => journalPath('', n)),
      aside,
    )
  for (const { kind, file } of lost) {
    if (kind === 'blob') await writeFile(join(dir, lostPath(file)), '', { mode: FILE_MODE })
  }
}

/** One journal with all lines that can be read: changes may come again, and without others, without harm. */
async function newJournal(dir: string, { journals }: Rest): Promise<Needed> {
  const { numbers, old, needed, lines } = journals
  const n = Math.max(needed.journal, ...numbers, ...old) + 1
  await writeJournal(journalPath(dir, n), { n, base: needed.seq }, lines)
  return { journal: n, seq: needed.seq }
}

/** Where there is none to go by, a new epoch says that the store may have forgotten something. */
async function newManifest(dir: string, rest: Rest, needed: Needed, now: number): Promise<void> {
  const { manifest, segments, documents, archivedUpTo, rev } = rest
  const lastMid = manifest ? rest.lastMid : midOf(Math.max(Number(rest.lastMid), now))
  const { epoch, meters } = manifest ?? { epoch: randomUUID(), meters: {} }
  await writeManifest(dir, { epoch, ...needed, lastMid, archivedUpTo, rev, meters, segments, documents })
}

async function mend(dir: string, { journals }: Rest, { kind, file }: Finding, aside: Aside): Promise<void> {
  if (kind === 'torn') await replayJournals(dir, journals.needed, async () => {})
  else if (kind === 'leftover') await unlink(join(dir, file))
  else await aside.move(file)
}

async function putAside(dir: string, files: readonly string[], aside: Aside): Promise<void> {
  for (const file of new Set(files)) if (await exists(join(dir, file))) await aside.move(file)
}
