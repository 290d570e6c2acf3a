/**
 * Markdown as people write it into messages, as HTML for mails: headings, bold, italic, strike, code, fences,
 * lists, quotes, rules, links. Every other sign stands for itself, raw HTML too: nothing of the text becomes
 * markup but what is made here. Takes time in proportion to the text, whatever is in it.
 */
import { escaped } from '../text/escape.ts'
import { FENCE, fenced, readSpans, RULE, type Span } from '../text/markdown.ts'

const MAX_DEPTH = 6
const styles = {
  p: 'margin:0 0 12px',
  heading: 'margin:16px 0 8px;line-height:1.3;font-size:',
  list: 'margin:0 0 12px;padding-left:24px',
  quote: 'margin:0 0 12px;padding-left:12px;border-left:4px solid #d0d7de;color:#57606a',
  pre: 'margin:0 0 12px;padding:12px;background:#f3f4f6;border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 monospace',
  code: 'padding:1px 4px;background:#f3f4f6;border-radius:4px;font-family:monospace',
  rule: 'margin:16px 0;border:0;border-top:1px solid #d0d7de',
  link: 'color:#0969da',
} as const
const headingSizes = ['20px', '18px', '16px', '15px', '14px', '14px'] as const

const HEADING = /^ {0,3}(#{1,6})[ \t]+(\S.*)$/
const QUOTE = /^ {0,3}> ?/
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+)(?=\S)/

/** The text as HTML, styled by attributes only. */
export function markdownToHtml(text: string): string {
  return blocks(text.replaceAll(/\r\n?/g, '\n').replaceAll('\t', '    ').split('\n'), 0)
}

interface Block {
  readonly html: string
  /** the line behind it */
  readonly next: number
}

function blocks(lines: readonly string[], depth: number): string {
  const found: string[] = []
  let at = 0
  while (at < lines.length) {
    if (lines[at]?.trim() === '') {
      at += 1
      continue
    }
    const block = code(lines, at) ?? single(lines, at) ?? nested(lines, at, depth) ?? paragraph(lines, at)
    found.push(block.html)
    at = block.next
  }
  return found.join('\n')
}

function code(lines: readonly string[], start: number): Block | null {
  const block = fenced(lines, start)
  return block && { html: `<pre style="${styles.pre}">${escaped(block.text)}</pre>`, next: block.next }
}

/** What takes one line. */
function single(lines: readonly string[], at: number): Block | null {
  const line = lines[at] ?? ''
  const next = at + 1
  if (RULE.test(line)) return { html: `<hr style="${styles.rule}">`, next }
  const [, signs, text = ''] = HEADING.exec(line) ?? []
  if (signs === undefined) return null
  // the title of the mail is the only h1
  const tag = `h${Math.min(signs.length + 1, 6)}`
  const style = styles.heading + (headingSizes[signs.length - 1] ?? '14px')
  return { html: `<${tag} style="${style}">${inline(withoutClosing(text))}</${tag}>`, next }
}

/** `## Title ##` closes what it opened. */
function withoutClosing(text: string): string {
  const bare = text.trimEnd()
  let end = bare.length
  while (bare[end - 1] === '#') end -= 1
  return bare[end - 1] === ' ' ? bare.slice(0, end).trimEnd() : bare
}

function nested(lines: readonly string[], start: number, depth: number): Block | null {
  if (depth >= MAX_DEPTH) return null
  return quote(lines, start, depth) ?? list(lines, start, depth)
}

function quote(lines: readonly string[], start: number, depth: number): Block | null {
  let next = start
  while (QUOTE.test(lines[next] ?? '')) next += 1
  if (next === start) return null
  const inside = lines.slice(start, next).map((line) => line.replace(QUOTE, ''))
  return { html: `<blockquote style="${styles.quote}">${blocks(inside, depth + 1)}</blockquote>`, next }
}

/** Items of one kind; lines that are indented as far as an item's text belong to it. */
function list(lines: readonly string[], start: number, depth: number): Block | null {
  const first = itemAt(lines, start)
  if (!first) return null
  const items: string[] = []
  let next = start
  for (let item: Item | null = first; item && item.ordered === first.ordered; item = itemAt(lines, next)) {
    const inside = [(lines[next] ?? '').slice(item.width)]
    next += 1
    while (belongs(lines, next, item.indent)) {
      inside.push(dedented(lines[next] ?? '', item.width))
      next += 1
    }
    items.push(`<li>${loose(blocks(inside, depth + 1))}</li>`)
    if (lines[next]?.trim() === '' && itemAt(lines, next + 1)) next += 1
  }
  const tag = first.ordered ? 'ol' : 'ul'
  const from = first.ordered && first.number !== 1 ? ` start="${first.number}"` : ''
  return { html: `<${tag}${from} style="${styles.list}">${items.join('')}</${tag}>`, next }
}

interface Item {
  readonly ordered: boolean
  readonly number: number
  readonly indent: number
  /** how far its text is from the left */
  readonly width: number
}

function itemAt(lines: readonly string[], at: number): Item | null {
  const line = lines[at] ?? ''
  const found = RULE.test(line) ? null : ITEM.exec(line)
  if (!found) return null
  const [whole, indent = '', marker = ''] = found
  const number = Number.parseInt(marker, 10)
  return { ordered: !Number.isNaN(number), number, indent: indent.length, width: whole.length }
}

/** A line further in than the marker, behind one blank line at most. */
function belongs(lines: readonly string[], at: number, indent: number): boolean {
  const line = lines[at]
  if (line === undefined) return false
  const judged = line.trim() === '' ? (lines[at + 1] ?? '') : line
  return indentOf(judged) > indent && judged.trim() !== ''
}

function dedented(line: string, width: number): string {
  return line.slice(Math.min(indentOf(line), width))
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

/** An item of one paragraph has no paragraph's margins. */
function loose(html: string): string {
  const open = `<p style="${styles.p}">`
  const end = html.indexOf('</p>')
  if (!html.startsWith(open) || end !== html.lastIndexOf('</p>')) return html
  return html.slice(open.length, end) + html.slice(end + 4)
}

/** Up to a blank line or another kind of block. Lines stay lines, as in chats. */
function paragraph(lines: readonly string[], start: number): Block {
  let next = start + 1
  while (next < lines.length && !endsParagraph(lines[next] ?? '')) next += 1
  const text = lines
    .slice(start, next)
    .map((line) => line.trim())
    .join('\n')
  return { html: `<p style="${styles.p}">${inline(text)}</p>`, next }
}

function endsParagraph(line: string): boolean {
  return line.trim() === '' || [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line))
}

const TAGS = { strong: 'strong', em: 'em', strike: 's' } as const

function inline(text: string): string {
  return htmlOf(readSpans(text))
}

/** @param links false inside the words of a link */
function htmlOf(spans: readonly Span[], links = true): string {
  return spans
    .map((span) => {
      if ('spans' in span) return `<${TAGS[span.kind]}>${htmlOf(span.spans, links)}</${TAGS[span.kind]}>`
      const html = escaped(span.text).replaceAll('\n', '<br>\n')
      if (span.kind === 'code') return `<code style="${styles.code}">${html}</code>`
      if (span.kind !== 'link' || !links) return html
      const words = span.words.length === 0 ? html : htmlOf(span.words, false)
      return `<a href="${escaped(span.url)}" style="${styles.link}">${words}</a>`
    })
    .join('')
}
