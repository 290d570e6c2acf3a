/** Where a Markdown text can be cut: what must stay in one piece, and what has to be closed and opened again. */

/** From `start` up to but not including `end`, in UTF-16 units. */
interface Range {
  readonly start: number
  readonly end: number
}

/** Fenced code with both of its fences, or up to the end of the text where the second is missing. */
interface Code extends Range {
  /** the line that opens it again in another piece */
  readonly opening: string
  readonly closing: string
}

export interface Layout {
  /** The text between two cuts without the space around them, `tail` behind it, and code fenced in it. */
  piece(from: number, to: number, tail?: string): string
  /** The nearest cut at or before `to` that breaks no character, link or tag; behind `from` in any case. */
  whole(from: number, to: number): number
  /** A paragraph's end, else a line's, else a word's, in the last half of what lies between; null if there is none. */
  readable(from: number, to: number): number | null
  /** Where the text goes on behind a cut; indentation stays. */
  after(cut: number): number
}

/** A fence line (CommonMark 4.5), a link or an image, a tag, a bare URL. Each part is linear. */
const ATOMS =
  /^[ \t]*(?<fence>`{3,20}(?!`)|~{3,20}(?!~))(?<info>[^\n`]*)$|!?\[[^[\]\n]*\]\([^()\s]*\)|<[a-z/!@#][^<>\n]*>|https?:\/\/(?:(?![<>()[\]])[!-~])+/gim
/** what is longer would leave the piece before it nearly empty */
const MAX_ATOM = 2_000
const SPACE = /\s*\n|\s+/y
const MAX_INFO = 20
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

export function layoutOf(text: string): Layout {
  const { atoms, codes } = read(text)

  function whole(from: number, to: number): number {
    let cut = to
    for (let atom = around(atoms, cut); atom && atom.start > from; atom = around(atoms, cut)) cut = atom.start
    const character = graphemes.segment(text).containing(cut)?.index ?? cut
    if (character > from) return character
    const [first = ''] = text.slice(from, from + 2)
    return isLowSurrogate(text, cut) ? Math.max(cut - 1, from + first.length) : Math.max(cut, from + first.length)
  }

  return {
    piece(from, to, tail = '') {
      const before = around(codes, from)
      const behind = around(codes, to)
      const opening = before ? `${before.opening}\n` : ''
      const closing = behind ? `\n${behind.closing}` : ''
      return `${opening}${text.slice(from, to).trimEnd()}${tail}${closing}`
    },
    whole,
    readable(from, to) {
      for (const gap of ['\n\n', '\n', ' ']) {
        let at = text.lastIndexOf(gap, to)
        while (at > (from + to) / 2) {
          const atom = around(atoms, at)
          if (!atom) return at
          at = text.lastIndexOf(gap, atom.start)
        }
      }
      return null
    },
    after(cut) {
      SPACE.lastIndex = cut
      return SPACE.test(text) ? SPACE.lastIndex : cut
    },
  }
}

function read(text: string): { readonly atoms: readonly Range[]; readonly codes: readonly Code[] } {
  const atoms: Range[] = []
  const codes: Code[] = []
  let open: Omit<Code, 'end'> | null = null
  for (const { index: start, 0: found, groups } of text.matchAll(ATOMS)) {
    const end = start + found.length
    const fence = groups?.['fence']
    if (fence === undefined) {
      if (found.length <= MAX_ATOM) atoms.push({ start, end })
    } else if (open === null) {
      const info = (groups?.['info'] ?? '').trim().split(/\s/, 1).join('').slice(0, MAX_INFO)
      open = { start, opening: fence + info, closing: fence }
      // a cut behind it would leave code without a line
      atoms.push({ start, end: end + 2 })
    } else if (fence.startsWith(open.closing) && groups?.['info']?.trim() === '') {
      codes.push({ ...open, end })
      open = null
      atoms.push({ start: start - 2, end })
    }
  }
  if (open !== null) codes.push({ ...open, end: text.length + 1 })
  return { atoms, codes }
}

/** The range that a cut at `at` would break. @param ranges in order */
function around<T extends Range>(ranges: readonly T[], at: number): T | null {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ranges[middle]?.start ?? at) < at) low = middle + 1
    else high = middle
  }
  const range = ranges[low - 1]
  return range && at < range.end ? range : null
}

function isLowSurrogate(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff
}
