/** What a data folder holds: written last in a checkpoint, read first at a start. */
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mid } from '../../protocol/states.ts'
import { StoreCorrupt, StoreVersion } from '../store.ts'
import { nullIfMissing, readJson, syncFolder, writeJson } from './file.ts'
import { scan } from './frame.ts'
import { journalPath, writeJournal } from './journal.ts'
import { journalsIn } from './recover.ts'
import type { SegmentInfo } from './segments.ts'

export const FORMAT = 1
const RESTORE = 'Nothing was changed. Restore the data folder from a backup.'

export interface Manifest {
  readonly format: number
  /** made with the folder: a client can tell that the hub has forgotten everything */
  readonly epoch: string
  /** first journal that holds something that is not in the other files */
  readonly journal: number
  /** seq of the last line before that journal */
  readonly seq: number
  readonly lastMid: Mid
  /** highest mid that was ever in a segment */
  readonly archivedUpTo: Mid
  /** highest revision of a document */
  readonly rev: number
  readonly meters: Readonly<Record<string, number>>
  readonly segments: readonly SegmentInfo[]
  /** numbers of the files of documents; absent in manifests of older versions */
  readonly documents?: readonly number[]
}

/** Null when there is none. @throws StoreVersion, StoreCorrupt */
export async function readManifest(dir: string): Promise<Manifest | null> {
  const manifest = await readJson<Manifest>(manifestPath(dir), RESTORE)
  if (manifest && manifest.format > FORMAT) {
    throw new StoreVersion(
      `${dir} was written by a newer version (format ${manifest.format}, this one knows ${FORMAT}): update this program`,
    )
  }
  return manifest
}

/**
 * The manifest of a new folder, and its first journal: a folder with a manifest always has the journal it names.
 * @throws StoreCorrupt when the folder is not new
 */
export async function firstManifest(dir: string): Promise<Manifest> {
  const journals = await journalsIn(dir)
  // one without lines: the first start was cut short between the two
  const isNew = journals.every((n) => n === 1) && (await isEmpty(dir, journals)) && !(await hasFiles(dir))
  if (!isNew) throw new StoreCorrupt(`${manifestPath(dir)} is missing, though the folder is in use. ${RESTORE}`)
  await writeJournal(journalPath(dir, 1), { n: 1, base: 0 }, [])
  const manifest = {
    epoch: randomUUID(),
    journal: 1,
    seq: 0,
    lastMid: '',
    archivedUpTo: '',
    rev: 0,
    meters: {},
    segments: [],
    documents: [],
  }
  await writeManifest(dir, manifest)
  return { format: FORMAT, ...manifest }
}

async function isEmpty(dir: string, journals: readonly number[]): Promise<boolean> {
  if (journals.length === 0) return true
  const { lines } = scan(await readFile(journalPath(dir, 1)), 0)
  return lines.length <= 1
}

/** Whether a checkpoint ever wrote anything. */
async function hasFiles(dir: string): Promise<boolean> {
  const folders = ['messages', 'documents', 'once'].map((folder) => readdir(join(dir, folder)).catch(nullIfMissing))
  return (await Promise.all(folders)).some((names) => (names ?? []).length > 0)
}

/** Durable when it resolves. */
export async function writeManifest(dir: string, manifest: Omit<Manifest, 'format'>): Promise<void> {
  await writeJson(manifestPath(dir), { format: FORMAT, ...manifest })
  await syncFolder(dir)
}

export function manifestPath(dir: string): string {
  return join(dir, 'manifest.json')
}
