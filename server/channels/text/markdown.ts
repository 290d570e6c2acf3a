/**
 * Markdown as people write it in chats, read into lines and spans that a channel prints in its vendor's own
 * markup. A line stays a line; what is no markup stands for itself. Takes time in proportion to the text,
 * whatever is in it.
 */

export type Span =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  /** http, https or mailto, as browsers write it; `words` with their markup, none where the URL stands for itself */
  | { readonly kind: 'link'; readonly url: string; readonly text: string; readonly words: readonly Span[] }
  /** never in one of its own kind */
  | { readonly kind: Style; readonly spans: readonly Span[] }

export type Line =
  | { readonly kind: 'text' | 'heading' | 'quote'; readonly spans: readonly Span[] }
  /** `number`: null in a list of dots; `indent`: in spaces */
  | { readonly kind: 'item'; readonly indent: number; readonly number: number | null; readonly spans: readonly Span[] }
  /** fenced code or a table, without its fences; may hold several lines */
  | { readonly kind: 'code'; readonly text: string }

type Style = 'strong' | 'em' | 'strike'

export const FENCE = /^[ \t]*(`{3,20}(?!`)|~{3,20}(?!~))([^`]*)$/
/** may be one of the next four */
const MARKED = /^[ \t]*[-#>*+_\d]/
const HEADING = /^ {0,3}#{1,6}[ \t]+(\S.*)$/
const QUOTE = /^ {0,3}(?:> ?)+(.*)$/
const ITEM = /^([ \t]*)(?:[-*+]|(\d{1,9})[.)])[ \t]+(\S.*)$/
export const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/
/** the line under the head of a table */
const UNDERLINE = /^[ \t]*[|:-][ \t|:-]*$/
const TAB = '    '

/** A line for each line, but one for all of a block of code or a table. Never throws. */
export function readMarkdown(text: string): readonly Line[] {
  const source = text.split(/\r\n|\r|\n/)
  const lines: Line[] = []
  let at = 0
  while (at < source.length) {
    const block = fenced(source, at) ?? table(source, at)
    lines.push(block ? { kind: 'code', text: block.text } : lineOf(source[at] ?? ''))
    at = block ? block.next : at + 1
  }
  return lines
}

/** The text of spans without markup. */
export function wordsOf(spans: readonly Span[]): string {
  return spans.map((span) => ('spans' in span ? wordsOf(span.spans) : span.text)).join('')
}

interface Block {
  readonly text: string
  /** the line behind it */
  readonly next: number
}

/** Code from a fence on, up to one of the same sign and at least its length, or to the end. Null for another line. */
export function fenced(source: readonly string[], start: number): Block | null {
  const fence = FENCE.exec(source[start] ?? '')?.[1]
  if (fence === undefined) return null
  let end = start + 1
  while (end < source.length && !closes(source[end] ?? '', fence)) end += 1
  return { text: source.slice(start + 1, end).join('\n'), next: end + 1 }
}

function closes(line: string, fence: string): boolean {
  const [, sign = '', info = ''] = FENCE.exec(line) ?? []
  return sign.startsWith(fence) && info.trim() === ''
}

function table(source: readonly string[], start: number): Block | null {
  const head = source[start] ?? ''
  const underline = source[start + 1] ?? ''
  if (!head.includes('|') || !underline.includes('|') || !underline.includes('-')) return null
  if (!UNDERLINE.test(underline)) return null
  let end = start + 2
  while (source[end]?.includes('|')) end += 1
  return { text: source.slice(start, end).join('\n'), next: end }
}

function lineOf(line: string): Line {
  if (!MARKED.test(line)) return { kind: 'text', spans: readSpans(line.trimEnd()) }
  if (RULE.test(line)) return { kind: 'text', spans: [{ kind: 'text', text: '———' }] }
  const heading = HEADING.exec(line)?.[1]
  if (heading !== undefined) return { kind: 'heading', spans: readSpans(heading.trimEnd()) }
  const quote = QUOTE.exec(line)?.[1]
  if (quote !== undefined) return { kind: 'quote', spans: readSpans(quote.trimEnd()) }
  const [, before = '', number, item] = ITEM.exec(line) ?? []
  if (item === undefined) return { kind: 'text', spans: readSpans(line.trimEnd()) }
  return {
    kind: 'item',
    indent: before.replaceAll('\t', TAB).length,
    number: number === undefined ? null : Number(number),
    spans: readSpans(item.trimEnd()),
  }
}

/**
 * What stands for more than itself, the first that fits. None looks further ahead than its own next sign. Names of
 * groups would cost half the speed.
 */
const TOKEN = new RegExp(
  [
    /\\([!-/:-@[-`{-~])/,
    /(?<!`)(`{1,3})(?!`)([^`]+)\2(?!`)/,
    /!?\[([^[\]]*)\]\(((?:[^\s()<>]|\([^\s()<>]*\))+)(?:[ \t]+"[^"]*")?\)/,
    /<(https?:\/\/[^\s<>[\]]+)>/,
    // not up to the full stop of a sentence, or the mark behind it
    /(https?:\/\/[\w.~:/?#@!$&'*+,;=%-]*[a-z\d/#=&%+@$-])/,
    /(\*+|_+|~+)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gi',
)
/** how a token begins */
const SIGN = /[\\`[<*_~]|https?:/i
const LINKS = /^(https?:\/\/|mailto:)./i

/** One line, or several that belong together. */
export function readSpans(text: string): readonly Span[] {
  if (!SIGN.test(text)) return text === '' ? [] : [{ kind: 'text', text }]
  let frame = frameIn(null)
  let from = 0
  for (const found of text.matchAll(TOKEN)) {
    const { 0: token, 8: mark, index } = found
    say(frame, text.slice(from, index))
    from = index + token.length
    if (mark === undefined) tell(frame, found)
    else frame = marked(frame, mark, text[index - 1] ?? ' ', text[from] ?? ' ')
  }
  say(frame, text.slice(from))
  while (frame.parent) frame = undone(frame, frame.parent)
  return frame.spans
}

/** What a token says that is no mark. */
function tell(frame: Frame, [token, escaped, , code, label = '', target, pointed, bare]: RegExpExecArray): void {
  if (escaped !== undefined) return say(frame, escaped)
  if (code !== undefined) return void frame.spans.push({ kind: 'code', text: code })
  const given = target ?? pointed ?? bare ?? ''
  if (!LINKS.test(given) || !URL.canParse(given)) return say(frame, token)
  const words = readSpans(label)
  const text = words.length === 0 ? given : wordsOf(words)
  frame.spans.push({ kind: 'link', url: new URL(given).href, text, words })
}

/** Spans that a mark opened and none has closed yet. There is one of a style at most, so they are never deep. */
interface Frame {
  readonly parent: Frame | null
  readonly mark: string
  readonly spans: Span[]
}

const STYLES: Readonly<Record<string, Style>> = { '*': 'em', _: 'em', '**': 'strong', __: 'strong', '~~': 'strike' }
const WORD = /[\p{L}\p{N}]/u
const MOST_SIGNS = 3

function frameIn(parent: Frame | null, mark = ''): Frame {
  return { parent, mark, spans: [] }
}

function say({ spans }: Frame, text: string): void {
  const last = spans.at(-1)
  if (text === '') return
  if (last?.kind === 'text') spans[spans.length - 1] = { kind: 'text', text: last.text + text }
  else spans.push({ kind: 'text', text })
}

/**
 * A run of signs closes what the same signs opened, then opens, or is none: `2 * 3`, `snake_case`.
 * @returns the frame that what follows belongs to
 */
function marked(current: Frame, run: string, before: string, behind: string): Frame {
  const [sign = ''] = run
  const [wordBefore, wordBehind] = [before, behind].map((next) => sign === '_' && WORD.test(next))
  let frame = current
  let rest = run.length > MOST_SIGNS ? '' : run
  if (before.trim() !== '' && !wordBehind) {
    for (let open = opened(frame, rest); open?.parent; open = opened(frame, rest)) {
      frame = closed(frame, open, open.parent)
      rest = rest.slice(open.mark.length)
    }
  }
  if (behind.trim() !== '' && !wordBefore) {
    for (const mark of rest.length === MOST_SIGNS ? [sign + sign, sign] : [rest]) {
      const style = STYLES[mark]
      if (style === undefined || innermost(frame, (open) => STYLES[open] === style)) continue
      frame = frameIn(frame, mark)
      rest = rest.slice(mark.length)
    }
  }
  say(frame, run.length > MOST_SIGNS ? run : rest)
  return frame
}

/** The innermost frame that these signs close, or else that a start of them does. */
function opened(current: Frame, signs: string): Frame | null {
  return (
    innermost(current, (mark) => mark === signs) ?? innermost(current, (mark) => mark !== '' && signs.startsWith(mark))
  )
}

function innermost(current: Frame, is: (mark: string) => boolean): Frame | null {
  let frame: Frame | null = current
  while (frame && !is(frame.mark)) frame = frame.parent
  return frame
}

/** What was opened inside of it and not closed was no markup. */
function closed(current: Frame, target: Frame, parent: Frame): Frame {
  let frame = current
  while (frame !== target && frame.parent) frame = undone(frame, frame.parent)
  parent.spans.push({ kind: STYLES[target.mark] ?? 'em', spans: target.spans })
  return parent
}

function undone({ mark, spans }: Frame, parent: Frame): Frame {
  say(parent, mark)
  for (const span of spans) {
    if (span.kind === 'text') say(parent, span.text)
    else parent.spans.push(span)
  }
  return parent
}
