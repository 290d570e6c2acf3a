/**
 * Cards of Feishu and Lark (飞书卡片), JSON 2.0 and 1.0:
 * https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-structure
 */
import { type Content, looks } from '../content.ts'
import { type Link, linksOf } from '../text/links.ts'
import { headed, pieces } from '../text/pieces.ts'

export type CardSchema = '2.0' | '1.0'
type Json = Readonly<Record<string, unknown>>

/** code points; a header has four lines */
const MAX_TITLE = 100
/** a card with more tables is refused as a whole (11310) */
const MAX_TABLES = 5
const MAX_LINK = 4_000
const FENCE = '```'

/**
 * The message as cards, the buttons below the last of them. What the vendor would refuse the whole card for is
 * shown in another way: images, for which it wants keys of its own, as links, and tables beyond the fifth as code.
 * @param filled how much of what fits a card takes
 */
export function cards(content: Content, schema: CardSchema, filled: (card: Json) => number): readonly Json[] {
  const { title, body } = headed(content, MAX_TITLE)
  const links = linksOf(content, (all) => all.every(({ url }) => url.length <= MAX_LINK))
  const shape = schema === '2.0' ? card2 : card1
  const card = (text: string, mark: string, links: readonly Link[]) =>
    shape(header(content, `${title} ${mark}`.trim()), text === '' && links.length === 0 ? title : text, links)
  const text = fewTables(body.replaceAll(/!(?=\[[^[\]\n]*\]\()/g, ''))
  return pieces(text, (piece, mark) => filled(card(piece, mark, links))).map(({ text: piece, mark, isLast }) =>
    card(piece, mark, isLast ? links : []),
  )
}

function header({ level }: Content, title: string): Json {
  return { template: looks[level].feishu, title: plain(title) }
}

/** Unknown keys are errors here. */
function card2(header: Json, text: string, links: readonly Link[]): Json {
  const buttons = links.map(({ text, url }, at) => ({
    ...button(text, at === links.length - 1),
    behaviors: [{ type: 'open_url', default_url: url }],
  }))
  return { schema: '2.0', config: { update_multi: true }, header, body: { elements: [...markdown(text), ...buttons] } }
}

function card1(header: Json, text: string, links: readonly Link[]): Json {
  const actions = links.map(({ text, url }, at) => ({ ...button(text, at === links.length - 1), url }))
  const row = actions.length === 0 ? [] : [{ tag: 'action', actions }]
  return { config: { wide_screen_mode: true }, header, elements: [...markdown(text), ...row] }
}

function markdown(content: string): readonly Json[] {
  return content === '' ? [] : [{ tag: 'markdown', content }]
}

function button(text: string, primary: boolean): Json {
  return { tag: 'button', type: primary ? 'primary' : 'default', text: plain(text) }
}

function plain(content: string): Json {
  return { tag: 'plain_text', content }
}

/** Markdown in which the tables beyond the fifth are code. */
function fewTables(text: string): string {
  const shown: string[] = []
  let tables = 0
  let open: 'table' | 'code' | null = null
  for (const line of text.split('\n')) {
    if (open === null && isDelimiter(line) && shown.at(-1)?.includes('|') === true) {
      tables += 1
      open = tables > MAX_TABLES ? 'code' : 'table'
      if (open === 'code') shown.splice(-1, 0, FENCE)
    } else if (open !== null && !line.includes('|')) {
      if (open === 'code') shown.push(FENCE)
      open = null
    }
    shown.push(line)
  }
  if (open === 'code') shown.push(FENCE)
  return shown.join('\n')
}

/** The line below the header of a table (GFM 4.10). */
function isDelimiter(line: string): boolean {
  return line.includes('|') && /^\|?:?-+:?(?:\|:?-+:?)*\|?$/.test(line.replaceAll(/\s/g, ''))
}
