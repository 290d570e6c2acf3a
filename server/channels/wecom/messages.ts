/**
 * Messages as WeCom takes them from robots and from applications alike, cut to its limits in UTF-8 bytes:
 * https://developer.work.weixin.qq.com/document/path/99110 and /path/90236.
 */
import { type Content, looks, plainText } from '../content.ts'
import { type Link, linkLines, linksOf, markdownLink } from '../text/links.ts'
import { headed, pieces, sizeOf } from '../text/pieces.ts'

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
  return pieces(quiet(plainText(content)), (text, mark) => sizeOf(marked(text, mark) + links, 'bytes') / max).map(
    ({ text, mark, isLast }) => ({ msgtype: 'text', text: { content: marked(text, mark) + (isLast ? links : '') } }),
  )
}

/**
 * Markdown with the title in the colour of the level, at most `max` bytes.
 * @param v2 whether `markdown_v2` is known there: it alone has tables and blocks of code, but no colours
 */
export function markdownMessages(content: Content, max: number, { v2 }: { v2: boolean }): readonly WecomMessage[] {
  const asV2 = v2 && needsV2(content.body)
  const { title, body } = headed({ ...content, title: withoutTags(content.title) }, max / 8, 'bytes')
  const links = written(linksOf(content, (all) => sizeOf(written(all), 'bytes') <= max / 2))
  const whole = (text: string, mark: string) => {
    const heading = mark === '' ? title : `${title} ${mark}`
    return [asV2 ? `**${heading}**` : coloured(heading, content), text].filter((part) => part !== '').join('\n\n')
  }
  const cut = pieces(quiet(body), (text, mark) => sizeOf(whole(text, mark) + links, 'bytes') / max)
  return cut.map(({ text, mark, isLast }) => {
    const said = { content: whole(text, mark) + (isLast ? links : '') }
    return asV2 ? { msgtype: 'markdown_v2', markdown_v2: said } : { msgtype: 'markdown', markdown: said }
  })
}

/** `<@userid>` in a text calls a member, `<@all>` all of them. */
function quiet(text: string): string {
  return text.replaceAll('<@', `<${ZERO_WIDTH_SPACE}@`)
}

/** What would end its colour, or be read as a mention. */
function withoutTags(title: string): string {
  return title.replaceAll(/<(?=[@/a-z])/gi, `<${ZERO_WIDTH_SPACE}`)
}

function coloured(heading: string, { level }: Content): string {
  return `**<font color="${looks[level].wecom}">${heading}</font>**`
}

function written(links: readonly Link[]): string {
  return links.map((link) => `\n\n${markdownLink(link)}`).join('')
}

const FENCE = /^ {0,3}```/m
/** the line between the head of a table and its rows */
const TABLE = /^(?=[^\n]*\|)[ \t|:]*--[ \t|:-]*$/m

function needsV2(body: string): boolean {
  return FENCE.test(body) || TABLE.test(body)
}
