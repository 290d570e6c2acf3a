/** The journals of a data folder: what can be read of them, and where they are damaged. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { StoreVersion } from '../../store.ts'
import { nullIfMissing } from '../file.ts'
import { firstLine, frames, scan } from '../frame.ts'
import { JOURNAL_VERSION, type JournalHead, journalPath } from '../journal.ts'
import { journalsIn } from '../recover.ts'
import { type Finding, namedIn } from './finding.ts'

export interface JournalsFound {
  /** numbers of those that count, in order */
  readonly numbers: readonly number[]
  /** numbers of those that nothing needs any more */
  readonly old: readonly number[]
  /** the first that counts, and the seq of the line before it */
  readonly needed: Needed
  /** JSON of each line that can be read, in order, whatever is missing between */
  readonly lines: readonly string[]
  readonly findings: readonly Finding[]
}

/** The first journal that counts, and the seq of the last line before it. */
export interface Needed {
  readonly journal: number
  readonly seq: number
}

/**
 * @param needed null: no manifest says; then those that follow each other up to the last one count
 * @throws StoreVersion
 */
export async function examineJournals(dir: string, needed: Needed | null): Promise<JournalsFound> {
  const all = await journalsIn(dir)
  const first = needed?.journal ?? firstOfRun(all)
  const numbers = all.filter((n) => n >= first)
  const findings: Finding[] = []
  const lines: string[] = []
  let base = needed?.seq ?? null
  let seq = base
  let next = first
  for (const n of numbers) {
    const bytes = await readFile(journalPath(dir, n)).catch(nullIfMissing)
    if (bytes === null) continue
    const found = readJournal(journalPath(dir, n), bytes, { n, before: seq, isFollowed: n !== numbers.at(-1) })
    if (n !== next) findings.push(missing(dir, next, seq === null ? null : found.from - seq))
    else if (seq !== null && found.from !== seq) findings.push(astray(dir, n, found.from, seq))
    findings.push(...found.findings)
    lines.push(...found.lines)
    base ??= found.from
    seq = found.last
    next = n + 1
  }
  if (next === first && needed) findings.push(missing(dir, first, null))
  return { numbers, old: all.filter((n) => n < first), needed: { journal: first, seq: base ?? 0 }, lines, findings }
}

/** The first of the numbers that follow each other up to the last. */
function firstOfRun(numbers: readonly number[]): number {
  const last = numbers.length - 1
  const start = numbers.findLastIndex((n, at) => at === 0 || numbers[at - 1] !== n - 1)
  return numbers[Math.min(last, start)] ?? 1
}

interface JournalRead {
  readonly lines: readonly string[]
  /** seq of the last line before it, and of its own last one */
  readonly from: number
  readonly last: number
  readonly findings: readonly Finding[]
}

interface Place {
  readonly n: number
  /** seq that the journal before it ends with; null: nobody knows */
  readonly before: number | null
  /** there is one after it: it was complete */
  readonly isFollowed: boolean
}

function readJournal(path: string, bytes: Buffer, { n, before, isFollowed }: Place): JournalRead {
  const from = baseOf(path, bytes, n) ?? before ?? 0
  const { lines, damage } = scan(bytes, from)
  const records = lines.filter(({ seq }) => seq > from)
  const read = { lines: records.map(({ json }) => json), from, last: records.at(-1)?.seq ?? from }
  if (!damage) return { ...read, findings: [] }
  const file = basename(path)
  const good = new Set(lines.map(({ seq }) => seq))
  const bad = [...frames(bytes)].filter(({ line }) => !line || !good.has(line.seq))
  const text = bad.map(({ start, end }) => bytes.toString('utf8', start, end)).join('')
  // what never was acknowledged was promised to nobody
  if (!damage.acknowledged && !isFollowed) {
    return { ...read, findings: [{ kind: 'torn', file, offset: damage.offset, what: TORN, affected: null }] }
  }
  const gone = Math.max(bad.length, read.last - from - records.length)
  const affected = { of: 'line', count: gone, ...namedIn(text) } as const
  return { ...read, findings: [{ kind: 'journal', file, offset: damage.offset, what: DAMAGED, affected }] }
}

const TORN = 'a crash cut off its end; nothing shows that it had been acknowledged'
const DAMAGED = 'it is damaged in a part that had been acknowledged'

/** What the head says; null: it cannot be read. @throws StoreVersion */
function baseOf(path: string, bytes: Buffer, n: number): number | null {
  const line = firstLine(bytes)
  if (!line) return null
  // the checksum vouches that this is what `rotate` put here; or a record, where the head is gone
  const head: Partial<JournalHead> = JSON.parse(line.json)
  if (head.v !== undefined && head.v > JOURNAL_VERSION) {
    throw new StoreVersion(`${path} was written by a newer version (journal ${head.v}): update this program`)
  }
  return head.journal === n && head.base !== undefined ? head.base : null
}

/** @param lines how many went with it; null: nobody knows */
function missing(dir: string, n: number, lines: number | null): Finding {
  const affected = { of: 'line', count: lines, mids: [], names: [] } as const
  return { kind: 'journal', file: basename(journalPath(dir, n)), offset: null, what: 'it is missing', affected }
}

function astray(dir: string, n: number, from: number, before: number): Finding {
  const what = `it begins after line ${from}, but what is before it ends with line ${before}`
  const affected = { of: 'line', count: Math.max(0, from - before), mids: [], names: [] } as const
  return { kind: 'journal', file: basename(journalPath(dir, n)), offset: 0, what, affected }
}
