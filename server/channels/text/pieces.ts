/** Long texts in pieces that the other side takes: cut where a reader would, never inside a character. */
import { layoutOf } from './layout.ts'

export type Unit = 'bytes' | 'utf16' | 'codepoints'

/** A piece of a text; `mark` is `(2/3)`, empty where the text is whole. */
export interface Piece {
  readonly text: string
  readonly mark: string
  readonly isLast: boolean
}

const MOST = 5
const ELLIPSIS = '…'

export function sizeOf(text: string, unit: Unit): number {
  if (unit === 'bytes') return Buffer.byteLength(text)
  if (unit === 'utf16') return text.length
  let count = 0
  for (const _ of text) count += 1
  return count
}

/**
 * The text in pieces, each of which fits together with its mark; the last of `most` ends in `…` where the
 * text is longer still. Nothing is lost but space at the cuts; code that a cut goes through is fenced on both
 * sides of it; links and tags stay whole where a piece can hold them.
 * @param filled how much of what fits a piece takes with its mark in it: it is too long above 1. Should grow with
 *   the piece, about evenly, and have room for some characters
 */
export function pieces(text: string, filled: (text: string, mark: string) => number, most = MOST): readonly Piece[] {
  if (filled(text, '') <= 1) return numbered([text])
  const { piece, whole, readable, after } = layoutOf(text)
  const mark = `(${most}/${most})`
  const parts: string[] = []
  let count = FIRST_TRY
  let from = 0
  while (from < text.length && parts.length < most) {
    const start = from
    const isCut = parts.length === most - 1 && filled(piece(start, text.length), mark) > 1
    const tail = isCut ? ELLIPSIS : ''
    count = Math.max(
      1,
      largest(text.length - start, count, (to) => filled(piece(start, start + to, tail), mark)),
    )
    const end = start + count
    const to = end === text.length ? end : ((isCut ? null : readable(start, end)) ?? whole(start, end))
    const part = piece(start, to, tail)
    if (part !== '') parts.push(part)
    from = after(to)
  }
  return numbered(parts)
}

function numbered(parts: readonly string[]): readonly Piece[] {
  const [first = ''] = parts
  if (parts.length < 2) return [{ text: first, mark: '', isLast: true }]
  return parts.map((text, at) => ({ text, mark: `(${at + 1}/${parts.length})`, isLast: at === parts.length - 1 }))
}

/** The text, or as much of its start as fits with `…` behind it. @param filled as for `pieces` */
export function shortened(text: string, filled: (text: string) => number): string {
  if (filled(text) <= 1) return text
  const { piece, whole } = layoutOf(text)
  const end = largest(text.length, FIRST_TRY, (count) => filled(piece(0, count, ELLIPSIS)))
  return piece(0, end === 0 ? 0 : whole(0, end), ELLIPSIS)
}

/**
 * For cards, which have a place for the title: one line of `max` at most. A title that is more than that is
 * shortened there, and stands whole at the head of the body.
 */
export function headed<T extends { readonly title: string; readonly body: string }>(
  content: T,
  max: number,
  unit: Unit = 'codepoints',
): T {
  const { title, body } = content
  const whole = title.trim()
  const [line = ''] = whole.split(/[\r\n]/, 1)
  const short = shortened(line === whole ? line : `${line}${ELLIPSIS}`, (text) => sizeOf(text, unit) / max)
  if (short === whole) return { ...content, title: whole }
  return { ...content, title: short, body: body === '' ? title : `${title}\n\n${body}` }
}

/** A count with how much it fills. */
interface Try {
  readonly count: number
  readonly fill: number
}

const FIRST_TRY = 256
/** so near the end, as a part of all, is near enough */
const NEAR = 1 / 512

/**
 * The largest count up to `high` that fills 1 at most, or nearly that; 0 if there is none. `filled` may be as dear
 * as its count is large, so each try goes to where the line through those before it says that the end is.
 */
function largest(high: number, guess: number, filled: (count: number) => number): number {
  let fits: Try = { count: 0, fill: 0 }
  let over: Try | null = null
  let count = Math.min(guess, high)
  while (count > fits.count) {
    const last = { fits, gap: over ? over.count - fits.count : Infinity }
    const fill = filled(count)
    if (fill <= 1) fits = { count, fill }
    else over = { count, fill }
    count = over ? between(fits, over, last.gap) : Math.min(high, beyond(last.fits, fits))
  }
  return fits.count
}

function beyond(last: Try, fits: Try): number {
  const slope = (fits.fill - last.fill) / (fits.count - last.count)
  return Math.floor(fits.count + (slope > 0 ? (1 - fits.fill) / slope : fits.count)) + Math.ceil(nearTo(fits) / 2)
}

/** The middle where the last try did not halve the gap; `fits` where they are near each other. */
function between(fits: Try, over: Try, lastGap: number): number {
  const gap = over.count - fits.count
  if (gap <= nearTo(fits)) return fits.count
  const step = gap > lastGap / 2 ? gap / 2 : (gap * (1 - fits.fill)) / (over.fill - fits.fill)
  return fits.count + Math.min(gap - 1, Math.max(1, Math.floor(step)))
}

function nearTo({ count }: Try): number {
  return Math.max(1, Math.floor(count * NEAR))
}
