/** Markdown as Slack writes it (mrkdwn): https://docs.slack.dev/messaging/formatting-message-text */
import { readMarkdown, type Span } from '../text/markdown.ts'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const MARKS = { strong: '*', em: '_', strike: '~' } as const
const ZERO_WIDTH_SPACE = '\u200B'
/** Beside all else, such as Chinese, a mark is shown as it is. */
const BOUNDARY = /[\s!-/:-@[-^`{-~]/

/** Plain text that nothing is read into: no mention, no link. */
export function escaped(text: string): string {
  return /[&<>]/.test(text) ? text.replaceAll(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign) : text
}

/** A link; the URL stands for itself where there are no other words. */
export function linked(url: string, text = url): string {
  const address = escaped(url.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E'))
  return text === url ? `<${address}>` : `<${address}|${escaped(text)}>`
}

/** Headings become bold lines, lists dots, tables code; nothing in the text calls anybody. */
export function mrkdwn(markdown: string): string {
  return readMarkdown(markdown)
    .map((line) => {
      if (line.kind === 'code') return `\`\`\`\n${code(line.text)}\n\`\`\``
      if (line.kind === 'item') return `${' '.repeat(line.indent)}${dotOf(line.number)} ${printed(line.spans)}`
      if (line.kind === 'heading') return printed([{ kind: 'strong', spans: withoutStrong(line.spans) }])
      return line.kind === 'quote' ? `> ${printed(line.spans)}` : printed(line.spans)
    })
    .join('\n')
}

/** A mark counts only at the border of a word. */
function printed(spans: readonly Span[]): string {
  let text = ''
  let end = ' '
  let isMarked = false
  for (const span of spans) {
    const next = wordsIn(span)
    const isMark = span.kind !== 'text' && span.kind !== 'link'
    if ((isMark && !BOUNDARY.test(end)) || (isMarked && !BOUNDARY.test(next.slice(0, 1)))) text += ZERO_WIDTH_SPACE
    text += next
    end = next.slice(-1)
    isMarked = isMark
  }
  return text
}

function wordsIn(span: Span): string {
  if ('spans' in span) return `${MARKS[span.kind]}${printed(span.spans)}${MARKS[span.kind]}`
  if (span.kind === 'code') return `\`${code(span.text)}\``
  return span.kind === 'link' ? linked(span.url, span.text) : escaped(span.text)
}

function dotOf(number: number | null): string {
  return number === null ? '•' : `${number}.`
}

/** Nothing in it ends it. */
function code(text: string): string {
  return escaped(text).replaceAll('```', `\`\`${ZERO_WIDTH_SPACE}\``)
}

function withoutStrong(spans: readonly Span[]): readonly Span[] {
  return spans.flatMap((span) => (span.kind === 'strong' ? span.spans : [span]))
}
