/** What a data folder holds: written last in a checkpoint, read first at a start. */
import { join } from 'node:path'
import type { Mid } from '../../protocol/states.ts'
import { StoreVersion } from '../store.ts'
import { readJson, syncFolder, writeJson } from './file.ts'
import type { SegmentInfo } from './segments.ts'

const FORMAT = 1

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
}

/** Null for a new folder. @throws StoreVersion, StoreCorrupt */
export async function readManifest(dir: string): Promise<Manifest | null> {
  const manifest = await readJson<Manifest>(pathIn(dir))
  if (manifest && manifest.format > FORMAT) {
    throw new StoreVersion(
      `${dir} was written by a newer version (format ${manifest.format}, this one knows ${FORMAT}): update this program`,
    )
  }
  return manifest
}

/** Durable when it resolves. */
export async function writeManifest(dir: string, manifest: Omit<Manifest, 'format'>): Promise<void> {
  await writeJson(pathIn(dir), { format: FORMAT, ...manifest })
  await syncFolder(dir)
}

function pathIn(dir: string): string {
  return join(dir, 'manifest.json')
}
