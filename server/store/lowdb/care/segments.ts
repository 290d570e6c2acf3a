/** The segments of a data folder: whether they hold what the manifest says, and what they hold. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mid } from '../../../protocol/states.ts'
import { Entry } from '../../state/entry.ts'
import { exists, lostPath, nullIfMissing } from '../file.ts'
import { type CountsFile, countsFile, type SegmentFile, segmentFile } from '../segment-files.ts'
import { recipientsSize, type SegmentInfo } from '../segments.ts'
import { type Finding, namedIn } from './finding.ts'
import { readStored } from './stored.ts'

const FOLDER = 'messages'
const NAME = /^segment-(\d{8})\.(recipients\.)?json$/

export interface SegmentsFound {
  /** what a manifest may list: those that can be read */
  readonly infos: readonly SegmentInfo[]
  readonly findings: readonly Finding[]
}

/** One that is listed, or that there is where nothing is listed. */
interface Wanted {
  readonly n: number
  readonly info: SegmentInfo | null
  readonly isNewest: boolean
}

/**
 * @param listed null: no manifest says; then all that are there count
 * @param onEntry is given each message that can be read
 */
export async function examineSegments(
  dir: string,
  listed: readonly SegmentInfo[] | null,
  onEntry: (entry: Entry) => void,
): Promise<SegmentsFound> {
  const present = await segmentsIn(dir)
  const wanted: readonly Wanted[] = listed
    ? listed.map((info) => ({ n: info.n, info, isNewest: info === listed.at(-1) }))
    : present.map((n) => ({ n, info: null, isNewest: false }))
  const infos: SegmentInfo[] = []
  const findings: Finding[] = []
  for (const one of wanted) {
    const found = await examineSegment(dir, one, infos.at(-1)?.last ?? '', onEntry)
    if (found.info) infos.push(found.info)
    findings.push(...found.findings)
  }
  const newest = listed?.at(-1)?.n ?? Infinity
  const known = new Set(wanted.map(({ n }) => n))
  // what a checkpoint wrote that a crash cut short comes again with the journal
  const orphans = present.filter((n) => !known.has(n) && n < newest)
  return { infos, findings: [...findings, ...(await Promise.all(orphans.map((n) => orphan(dir, n)))).flat()] }
}

async function examineSegment(
  dir: string,
  { n, info, isNewest }: Wanted,
  before: Mid,
  onEntry: (entry: Entry) => void,
): Promise<{ readonly info: SegmentInfo | null; readonly findings: readonly Finding[] }> {
  const path = join(dir, FOLDER, segmentFile(n))
  const file = join(FOLDER, segmentFile(n))
  const stored = await readStored<SegmentFile>(path)
  if (stored.state !== 'sound') {
    const isGivenUp = stored.state === 'missing' && (await exists(lostPath(path)))
    if (isGivenUp) return { info, findings: [] }
    if (!info && stored.state === 'missing') return { info: null, findings: await orphan(dir, n) }
    return { info: null, findings: [await damageOf(dir, n, file, info, stored)] }
  }
  const entries = stored.data.messages.map((record) => Entry.fromRecord(record))
  const found = infoOf(n, entries)
  // of an earlier life of the store, where nothing says which files count
  if (!info && (found.first <= before || stored.data.segment !== n)) return { info: null, findings: [stray(file)] }
  for (const entry of entries) onEntry(entry)
  const counts = await examineCounts(dir, n)
  const isAsListed = !info || (found.first === info.first && found.last >= info.last && found.count >= info.count)
  if (isAsListed && (isNewest || !info || found.count === info.count)) return { info: info ?? found, findings: counts }
  const gone = Math.max(0, (info?.count ?? 0) - found.count)
  const what = `it holds ${found.count} messages from ${found.first} to ${found.last}, not the ${info?.count} from ${info?.first} to ${info?.last} that the manifest lists`
  const affected = { of: 'message', count: gone, mids: [], names: [] } as const
  return { info: found, findings: [...counts, { kind: 'segment', file, offset: null, what, affected }] }
}

/** A segment as a manifest lists it. */
function infoOf(n: number, entries: readonly Entry[]): SegmentInfo {
  return {
    n,
    first: entries[0]?.mid ?? '',
    last: entries.at(-1)?.mid ?? '',
    count: entries.length,
    bytes: entries.reduce((sum, entry) => sum + entry.size + recipientsSize(entry), 0),
    at: entries.at(-1)?.at ?? 0,
    live: entries.filter(({ live }) => live > 0).length,
    blobs: entries.flatMap(({ blobs }) => blobs),
  }
}

/** What is gone with a segment, as the manifest, what is left of it, and the counts beside it say. */
async function damageOf(
  dir: string,
  n: number,
  file: string,
  info: SegmentInfo | null,
  stored:
    | { readonly state: 'missing' }
    | { readonly state: 'damaged'; what: string; offset: number | null; text: string },
): Promise<Finding> {
  const counts = await readStored<CountsFile>(join(dir, FOLDER, countsFile(n)))
  const beside = counts.state === 'sound' ? [...counts.data.once, ...Object.keys(counts.data.often)] : []
  const { mids, names } = namedIn(stored.state === 'damaged' ? stored.text : '')
  const [what, offset] = stored.state === 'damaged' ? [stored.what, stored.offset] : ['it is missing', null]
  const range = info
    ? `; its messages are those from ${info.first} to ${info.last}, ${info.live} of them still to be delivered`
    : ''
  const affected = {
    of: 'message',
    count: info?.count ?? mids.length,
    mids,
    names: [...new Set([...beside, ...names])],
  } as const
  return { kind: 'segment', file, offset, what: `${what}${range}`, affected }
}

async function examineCounts(dir: string, n: number): Promise<readonly Finding[]> {
  const stored = await readStored<CountsFile>(join(dir, FOLDER, countsFile(n)))
  if (stored.state !== 'damaged') return []
  const what = `${stored.what}; it can be counted again`
  return [{ kind: 'counts', file: join(FOLDER, countsFile(n)), offset: stored.offset, what, affected: null }]
}

function stray(file: string): Finding {
  return { kind: 'orphan', file, offset: null, what: 'its messages are in other segments', affected: null }
}

async function orphan(dir: string, n: number): Promise<Finding[]> {
  const files = [segmentFile(n), countsFile(n)]
  const there = await Promise.all(files.map((name) => exists(join(dir, FOLDER, name))))
  return files
    .filter((_, at) => there[at])
    .map((name) => ({
      kind: 'orphan',
      file: join(FOLDER, name),
      offset: null,
      what: 'the manifest does not list it',
      affected: null,
    }))
}

/** Numbers of the segments that have any file, in order. */
async function segmentsIn(dir: string): Promise<number[]> {
  const names = (await readdir(join(dir, FOLDER)).catch(nullIfMissing)) ?? []
  const numbers = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number)
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}
