/** Messages as Slack takes them from webhooks and bots alike, cut to its limits. */
import { type Content, looks } from '../content.ts'
import { type Link, linkLines, linksOf } from '../text/links.ts'
import { headed, pieces } from '../text/pieces.ts'
import { escaped, linked, mrkdwn } from './markup.ts'

/** What is longer is cut off there; in characters, escaped. */
export const MAX_TEXT = 40_000
/** code points */
const MAX_TITLE = 150
const MAX_SECTION = 3_000
/** All blocks together are refused from about 13,200 characters on: this many sections, and links. */
const MAX_SECTIONS = 4
export const MAX_CARD = MAX_SECTIONS * MAX_SECTION
const MAX_LINKS = 1_000
const MAX_MESSAGES = 5

/** What is common to both ways. `text` is also what notifications show. */
export interface Message {
  readonly text: string
  readonly attachments?: readonly Attachment[]
}

/** The only thing that has a colour. */
interface Attachment {
  readonly color: string
  readonly fallback: string
  readonly blocks: readonly Section[]
}

interface Section {
  readonly type: 'section'
  /** `verbatim`: nothing that looks like a name or a mention is made one */
  readonly text: { readonly type: 'mrkdwn'; readonly text: string; readonly verbatim: true }
}

/** The message in as many as it takes, 5 at most, the links in the last. */
export function messagesOf(content: Content): readonly Message[] {
  return content.style === 'card' ? cards(content) : texts(content)
}

/** The title in bold above the rest as it is; what is all there is needs no title. */
function texts(content: Content): readonly Message[] {
  const links = escaped(linkLines(content, (lines) => escaped(lines).length <= MAX_TEXT / 2))
  const { title, body } = content.body === '' ? { title: '', body: content.title } : headed(content, MAX_TITLE)
  const whole = (text: string, mark: string) =>
    [bold(`${title} ${mark}`.trim()), escaped(text)].filter((line) => line !== '').join('\n')
  return pieces(body, (text, mark) => (whole(text, mark) + links).length / MAX_TEXT).map(({ text, mark, isLast }) => ({
    text: whole(text, mark) + (isLast ? links : ''),
  }))
}

/** The title above, body and links beside a bar in the colour of the level. */
function cards(content: Content): readonly Message[] {
  const { title, body } = headed(content, MAX_TITLE)
  const sections = pieces(body, filledSection, MAX_SECTIONS * MAX_MESSAGES)
    .map(({ text }) => mrkdwn(text))
    .filter((text) => text.trim() !== '')
  const count = Math.max(1, Math.ceil(sections.length / MAX_SECTIONS))
  return Array.from({ length: count }, (_, at) => {
    const own = sections.slice(at * MAX_SECTIONS, (at + 1) * MAX_SECTIONS)
    const links = at === count - 1 ? written(linksOf(content, (all) => written(all).length <= MAX_LINKS)) : ''
    const mark = count === 1 ? '' : `(${at + 1}/${count})`
    return card(`${title} ${mark}`.trim(), links === '' ? own : [...own, links], content)
  })
}

/** Markup does not take half of a text, as a rule; what is longer need not be tried. */
function filledSection(markdown: string): number {
  const { length } = markdown.length > 2 * MAX_SECTION ? markdown : mrkdwn(markdown)
  return length / MAX_SECTION
}

function card(title: string, sections: readonly string[], { level }: Content): Message {
  const { emoji, color } = looks[level]
  const blocks = sections.map((text): Section => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }))
  const message = { text: `${emoji} ${bold(title)}` }
  return blocks.length === 0 ? message : { ...message, attachments: [{ color, fallback: escaped(title), blocks }] }
}

function bold(title: string): string {
  return title === '' ? '' : `*${escaped(title)}*`
}

function written(links: readonly Link[]): string {
  return links.map(({ text, url }) => linked(url, text)).join(' · ')
}
