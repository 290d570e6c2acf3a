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
  let length = FIRST_TRY
  const longest = (from: number, tail = '') =>
    from + largest(text.length - from, length, (count) => filled(piece(from, from + count, tail), `(${most}/${most})`))
  const parts: string[] = []
  let from = 0
  while (from < text.length && parts.length < most) {
    const end = Math.max(longest(from), from + 1)
    length = end - from
    const to = end === text.length ? end : (readable(from, end) ?? whole(from, end))
    const part = to < text.length && parts.length === most - 1 ? ended(from) : piece(from, to)
    if (part !== '') parts.push(part)
    from = after(to)
  }
  return numbered(parts)

  function ended(from: number): string {
    const end = longest(from, ELLIPSIS)
    return piece(from, end === from ? from : whole(from, end), ELLIPSIS)
  }
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
/** after so many tries it is enough to be so near the end, as a part of all */
const GOOD_TRIES = 5
const NEAR = 1 / 128

/**
 * The largest count up to `high` that fills 1 at most; 0 if there is none. `filled` may be as dear as its count is
 * large, so each try goes to where the line through those before it says that the end is.
 */
function largest(high: number, guess: number, filled: (count: number) => number): number {
  let fits: Try = { count: 0, fill: 0 }
  let over: Try | null = null
  let count = Math.min(guess, high)
  for (let tries = 1; count > fits.count; tries += 1) {
    const near = tries < GOOD_TRIES ? 1 : Math.ceil(fits.count * NEAR)
    const last = { fits, gap: over ? over.count - fits.count : Infinity }
    const fill = filled(count)
    if (fill <= 1) fits = { count, fill }
    else over = { count, fill }
    count = over ? between(fits, over, last.gap, near) : Math.min(high, beyond(last.fits, fits) + near)
  }
  return fits.count
}

function beyond(last: Try, fits: Try): number {
  const slope = (fits.fill - last.fill) / (fits.count - last.count)
  return Math.floor(fits.count + (slope > 0 ? (1 - fits.fill) / slope : fits.count))
}

/** The middle where the last try did not halve the gap; `fits` where they are near each other. */
function between(fits: Try, over: Try, lastGap: number, near: number): number {
  const gap = over.count - fits.count
  if (gap <= near) return fits.count
  const step = gap > lastGap / 2 ? gap / 2 : (gap * (1 - fits.fill)) / (over.fill - fits.fill)
  return fits.count + Math.min(gap - 1, Math.max(1, Math.floor(step)))
}
