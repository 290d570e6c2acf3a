/**
 * Messages as WeCom takes them from robots and from applications alike, cut to its limits in UTF-8 bytes:
 * https://developer.work.weixin.qq.com/document/path/99110 and /path/90236.
 */
import { type Content, linksOf, looks, plainText } from './content.ts'
import { addressOf, linkLines } from './link-lines.ts'
import { pieces, shortened, sizeOf } from './pieces.ts'

/** A message without those who get it. */
export type WecomMessage =
  | { readonly msgtype: 'text'; readonly text: { readonly content: string } }
  | { readonly msgtype: 'markdown'; readonly markdown: { readonly content: string } }
  | { readonly msgtype: 'markdown_v2'; readonly markdown_v2: { readonly content: string } }

const ZERO_WIDTH_SPACE = '\u200B'

/** Plain text, at most 2,048 bytes. */
export function textMessages(content: Content): readonly WecomMessage[] {
  const max = 2_048
  const links = linkLines(content, (lines) => sizeOf(lines, 'bytes') <= max / 2)
  const marked = (text: string, mark: string) => (mark === '' ? text : `${mark} ${text}`)
  const cut = pieces(quiet(plainText(content)), (text, mark) => sizeOf(marked(text, mark) + links, 'bytes') <= max)
  return cut.map(({ text, mark }, at) => ({
    msgtype: 'text',
    text: { content: marked(text, mark) + (at === cut.length - 1 ? links : '') },
  }))
}

/**
 * Markdown with the title in the colour of the level, at most `max` bytes.
 * @param v2 whether `markdown_v2` is known there: it alone has tables and blocks of code, but no colours
 */
export function markdownMessages(content: Content, max: number, { v2 }: { v2: boolean }): readonly WecomMessage[] {
  const asV2 = v2 && needsV2(content.body)
  const { title, body } = headed(content, max)
  const links = linksWithin(content, max)
  const whole = (text: string, mark: string) => {
    const heading = mark === '' ? title : `${title} ${mark}`
    return [asV2 ? `**${heading}**` : coloured(heading, content), text].filter((part) => part !== '').join('\n\n')
  }
  const cut = pieces(quiet(body), (text, mark) => sizeOf(whole(text, mark) + links, 'bytes') <= max)
  return cut.map(({ text, mark }, at) => {
    const said = { content: whole(text, mark) + (at === cut.length - 1 ? links : '') }
    return asV2 ? { msgtype: 'markdown_v2', markdown_v2: said } : { msgtype: 'markdown', markdown: said }
  })
}

/** `<@userid>` in a text calls a member, `<@all>` all of them. */
function quiet(text: string): string {
  return text.replaceAll('<@', `<${ZERO_WIDTH_SPACE}@`)
}

/** One line that fits above every piece; a title that is too long for it is in the body as well, in full. */
function headed({ title, body }: Content, max: number): { title: string; body: string } {
  const line = title.replace(/\s+/g, ' ').replace(/<(?=[@/a-z])/gi, `<${ZERO_WIDTH_SPACE}`)
  const short = shortened(line, (text) => sizeOf(text, 'bytes') <= max / 8)
  if (short === line) return { title: line, body }
  return { title: short, body: body === '' ? title : `${title}\n\n${body}` }
}

function coloured(heading: string, { level }: Content): string {
  return `**<font color="${looks[level].wecom}">${heading}</font>**`
}

/** Behind the text; the message's own link is left out where it would take half of what fits. */
function linksWithin(content: Content, max: number): string {
  const lines = (said: Content) =>
    linksOf(said)
      .map(({ text, url }) => `\n\n[${text}](${addressOf(url).replaceAll('(', '%28').replaceAll(')', '%29')})`)
      .join('')
  const all = lines(content)
  return sizeOf(all, 'bytes') <= max / 2 ? all : lines({ ...content, link: null })
}

const FENCE = /^ {0,3}```/m
/** the line between the head of a table and its rows */
const TABLE = /^(?=[^\n]*\|)[ \t|:]*--[ \t|:-]*$/m

function needsV2(body: string): boolean {
  return FENCE.test(body) || TABLE.test(body)
}
