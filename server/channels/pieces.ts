/** Long texts in pieces that the other side takes: cut where a reader would, never inside a character. */
import { layoutOf } from './layout.ts'

export type Unit = 'bytes' | 'utf16' | 'codepoints'

/** A piece of a text; `mark` is `(2/3)`, empty where the text is whole. */
export interface Piece {
  readonly text: string
  readonly mark: string
}

const MOST = 5
const ELLIPSIS = '…'
const FIRST_STRIDE = 256

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
 * @param fits whether a piece, with its mark in it, is short enough; it should have room for some characters
 */
export function pieces(text: string, fits: (text: string, mark: string) => boolean, most = MOST): readonly Piece[] {
  if (fits(text, '')) return [{ text, mark: '' }]
  const { piece, whole, readable, after } = layoutOf(text)
  const fitting = (part: string) => fits(part, `(${most}/${most})`)
  const parts: string[] = []
  let from = 0
  while (from < text.length && parts.length < most) {
    const start = from
    const longest = largest(start + 1, text.length, (to) => fitting(piece(start, to)))
    const last = parts.length === most - 1
    const to = longest === text.length ? longest : (readable(start, longest) ?? whole(start, longest))
    const part = last && to < text.length ? ended(start) : piece(start, to)
    if (part !== '') parts.push(part)
    from = after(to)
  }
  return numbered(parts)

  function ended(start: number): string {
    const longest = largest(start, text.length, (to) => fitting(piece(start, to, ELLIPSIS)))
    return piece(start, longest === start ? start : whole(start, longest), ELLIPSIS)
  }
}

function numbered(parts: readonly string[]): readonly Piece[] {
  const [whole = '', ...others] = parts
  if (others.length === 0) return [{ text: whole, mark: '' }]
  return parts.map((text, at) => ({ text, mark: `(${at + 1}/${parts.length})` }))
}

/** The text, or as much of its start as fits with `…` behind it. */
export function shortened(text: string, fits: (text: string) => boolean): string {
  if (fits(text)) return text
  const { piece, whole } = layoutOf(text)
  const longest = largest(0, text.length, (to) => fits(piece(0, to, ELLIPSIS)))
  return piece(0, longest === 0 ? 0 : whole(0, longest), ELLIPSIS)
}

/**
 * For cards, which have a place for the title: one line of `max` code points at most. A title that is more
 * than that is shortened there, and stands whole at the head of the body.
 */
export function headed<T extends { readonly title: string; readonly body: string }>(content: T, max: number): T {
  const { title, body } = content
  const [line = ''] = title.trim().split(/[\r\n]/, 1)
  if (line === title.trim() && sizeOf(line, 'codepoints') <= max) return { ...content, title: line }
  const short = shortened(
    line === title.trim() ? line : `${line}${ELLIPSIS}`,
    (text) => sizeOf(text, 'codepoints') <= max,
  )
  return { ...content, title: short, body: body === '' ? title : `${title}\n\n${body}` }
}

/**
 * The largest number up to `high` for which `holds`; `low` if there is none. Found by growing steps and then by
 * halving: `holds` may be as dear as its number is large.
 */
function largest(low: number, high: number, holds: (count: number) => boolean): number {
  let [known, most] = [low, high]
  for (let stride = FIRST_STRIDE; known < most; stride *= 2) {
    const next = Math.min(high, known + stride)
    if (!holds(next)) {
      most = next - 1
      break
    }
    known = next
  }
  while (known < most) {
    const middle = Math.ceil((known + most) / 2)
    if (holds(middle)) known = middle
    else most = middle - 1
  }
  return known
}
