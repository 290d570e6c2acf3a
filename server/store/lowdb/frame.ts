/**
 * A line of the journal: `crc32 seq durable json`. The checksum is over all that follows it. `durable` is
 * the highest seq known to be on disk when the line was written: it tells a torn tail, which was never
 * acknowledged, from damage to something that was.
 */
import { crc32 } from 'node:zlib'

const CRC_DIGITS = 8
const SPACE = 0x20
const LF = 0x0a

export interface Line {
  readonly seq: number
  readonly durable: number
  readonly json: string
}

export function encodeLine({ seq, durable, json }: Line): string {
  const rest = `${seq} ${durable} ${json}`
  return `${crc32(rest).toString(16).padStart(CRC_DIGITS, '0')} ${rest}\n`
}

/** What a journal file holds. `damage` is the first place that cannot be read. */
export interface Scan {
  /** in order, without those that cannot be read; after damage only what was never acknowledged */
  readonly lines: readonly Line[]
  readonly damage: {
    readonly offset: number
    /** seq of the line that should stand there */
    readonly seq: number
    /** a later line proves that what stood there had been acknowledged */
    readonly acknowledged: boolean
  } | null
}

/** Reads all lines of a file whose first line has the seq `first`. */
export function scan(bytes: Buffer, first: number): Scan {
  const lines: Line[] = []
  let expected = first
  let damage: { offset: number; seq: number; acknowledged: boolean } | null = null
  for (const { start, line } of frames(bytes)) {
    if (line?.seq !== expected) damage ??= { offset: start, seq: expected, acknowledged: false }
    if (line && damage && line.durable >= damage.seq) damage.acknowledged = true
    if (line && line.seq >= expected) {
      lines.push(line)
      expected = line.seq + 1
    }
  }
  return { lines, damage }
}

/** A line of a file with its place; null: what stands there is none. */
export interface Frame {
  readonly start: number
  readonly end: number
  readonly line: Line | null
}

export function* frames(bytes: Buffer): Generator<Frame> {
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(LF, start)
    const line = feed < 0 ? null : decodeLine(bytes.subarray(start, feed))
    const end = feed < 0 ? bytes.length : feed + 1
    yield { start, end, line }
    start = end
  }
}

/** The first line of a file; null when it cannot be read. */
export function firstLine(bytes: Buffer): Line | null {
  const end = bytes.indexOf(LF)
  return end < 0 ? null : decodeLine(bytes.subarray(0, end))
}

function decodeLine(bytes: Buffer): Line | null {
  if (bytes[CRC_DIGITS] !== SPACE) return null
  const rest = bytes.subarray(CRC_DIGITS + 1)
  if (crc32(rest).toString(16).padStart(CRC_DIGITS, '0') !== bytes.toString('latin1', 0, CRC_DIGITS)) return null
  const seqEnd = rest.indexOf(SPACE)
  const durableEnd = rest.indexOf(SPACE, seqEnd + 1)
  if (seqEnd < 0 || durableEnd < 0) return null
  return {
    seq: Number(rest.toString('latin1', 0, seqEnd)),
    durable: Number(rest.toString('latin1', seqEnd + 1, durableEnd)),
    json: rest.toString('utf8', durableEnd + 1),
  }
}
