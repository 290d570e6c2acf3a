/**
 * Microsoft Teams, by a workflow that posts what a webhook receives:
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
 */
import * as z from 'zod'
import { type Outcome, defineChannel } from './channel.ts'
import { type Content, looks } from './content.ts'
import { postJson, readJson } from './outbound/json.ts'
import { type Passing, refusal, type Said, unanswered } from './outbound/outcomes.ts'
import { fingerprint, secretsOfUrl } from './outbound/secrets.ts'
import { type Link, linksOf, markdownLink } from './text/links.ts'
import { readMarkdown, type Line, type Span, wordsOf } from './text/markdown.ts'
import { headed, pieces } from './text/pieces.ts'

/** UTF-8 bytes of a request; the vendor says 28 KB, and some fail from 21 KB on */
const MAX_BODY = 20_000
const MAX_LINKS = MAX_BODY / 2
/** code points */
const MAX_TITLE = 200
const ACCEPTED: Outcome = { kind: 'accepted' }
/** Whatever passes is told by its status. */
const PASSING: Passing = new Map()
const ZERO_WIDTH_SPACE = '\u200B'
const NO_BREAK_SPACE = '\u00A0'

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  webhooks: z
    .array(
      z.strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .meta({ description: 'URL of the workflow, with its `sig`', zh: '工作流的地址（含 `sig`）' }),
        name: z.string().min(1).optional().meta({ description: 'its name', zh: '名称' }),
      }),
    )
    .min(1)
    .meta({ description: 'workflows, each of one channel or chat', zh: '工作流，每个对应一个频道或聊天' }),
})

interface Address {
  readonly url: string
}

/** An element of a card, or its action. */
type Element = Readonly<Record<string, unknown>>

export default defineChannel<z.infer<typeof platform>, Address, string>({
  name: 'teams',
  title: { en: 'Microsoft Teams', zh: 'Microsoft Teams' },
  credentials: {
    en: 'In Teams open *Workflows* from the menu of the channel, choose *Send webhook alerts to a channel* and copy the whole URL, its `sig` included.',
    zh: '在 Teams 频道菜单中打开 *Workflows*（工作流），选择“将 Webhook 警报发送到频道”，复制完整地址（含 `sig`）。',
  },
  platform,
  example: {
    webhooks: [
      {
        name: 'Ops',
        url: 'https://default00000000.00.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/00000000/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=xxxxxxxxxxxxxxxx',
      },
    ],
  },
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: { text: { max: MAX_BODY, unit: 'body' }, card: { max: MAX_BODY, unit: 'body' } },
    rates: [{ count: 4, perMs: 1_000 }],
  },

  addresses: ({ webhooks }) =>
    webhooks.map(({ url, name }, at) => ({
      id: fingerprint(url),
      name: name ?? `${new URL(url).hostname} #${at + 1}`,
      address: { url },
      secrets: secretsOfUrl(url),
    })),

  server: ({ url }) => url,

  render(content) {
    const { title, body } = headed(content, MAX_TITLE)
    const links = actionsOf(linksOf(content, (all) => Buffer.byteLength(JSON.stringify(actionsOf(all))) <= MAX_LINKS))
    const shape = content.style === 'card' ? cardOf : textOf
    const request = (text: string, mark: string, actions: readonly Element[]) =>
      requestOf(shape(`${title} ${mark}`.trim(), text, content), actions)
    const filled = (text: string, mark: string) =>
      Math.max(text.length, text.length > MAX_BODY ? 0 : Buffer.byteLength(request(text, mark, links))) / MAX_BODY
    return pieces(body, filled).map(({ text, mark, isLast }) => request(text, mark, isLast ? links : []))
  },

  /** 202: the workflow has started. What becomes of it nobody is told. */
  async send(body, { url }, _, { http }) {
    const answer = await postJson(http, url, body)
    if (!answer.ok) return unanswered(answer)
    return answer.status === 202 || answer.status === 200 ? ACCEPTED : refusal(answer, saidBy(answer.body), PASSING)
  },
})

function requestOf(body: readonly Element[], actions: readonly Element[]): string {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'full' },
    body,
    ...(actions.length === 0 ? {} : { actions }),
  }
  const card = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }
  return JSON.stringify({ type: 'message', attachments: [card] })
}

function textOf(title: string, text: string): readonly Element[] {
  return [
    block(
      [title, text]
        .filter((part) => part !== '')
        .join('\n\n')
        .replaceAll(/\n+/g, '\n\n'),
    ),
  ]
}

/** The title on the colour of the level, then the body. */
function cardOf(title: string, text: string, { level }: Content): readonly Element[] {
  const heading = block(title, { weight: 'Bolder', size: 'Large' })
  return [{ type: 'Container', style: looks[level].adaptive, bleed: true, items: [heading] }, ...blocksOf(text)]
}

function block(text: string, look: Element = {}): Element {
  return { type: 'TextBlock', text: quiet(text), wrap: true, ...look }
}

/** `<at>` is how a text calls somebody. */
function quiet(text: string): string {
  return text.replaceAll(/<(?=\/?at\b)/gi, `<${ZERO_WIDTH_SPACE}`)
}

function actionsOf(links: readonly Link[]): readonly Element[] {
  return links.map(({ text, url }) => ({ type: 'Action.OpenUrl', title: text, url }))
}

/** Text blocks know bold, italic, lists and links only, and end a line with a paragraph or an item. */
function blocksOf(markdown: string): readonly Element[] {
  const blocks: Element[] = []
  let text = ''
  let before: Line['kind'] | null = null
  const end = () => {
    const whole = text.replaceAll(/\n{3,}/g, '\n\n').trim()
    if (whole !== '') blocks.push(block(whole))
    text = ''
  }
  for (const line of readMarkdown(markdown)) {
    if (line.kind === 'code') {
      end()
      if (line.text.trim() !== '') blocks.push(block(monospaced(line.text), { fontType: 'Monospace' }))
    } else {
      text += (line.kind === 'item' && before === 'item' ? '\n' : '\n\n') + lineOf(line)
    }
    before = line.kind
  }
  end()
  return blocks
}

/** Lines stay lines, and their indentation stays. */
function monospaced(code: string): string {
  return code
    .split('\n')
    .map((line) => line.replace(/^[ \t]*/, (space) => NO_BREAK_SPACE.repeat(space.replaceAll('\t', '    ').length)))
    .join('\n\n')
}

function lineOf(line: Exclude<Line, { kind: 'code' }>): string {
  if (line.kind === 'heading') return `**${wordsOf(line.spans)}**`
  const text = line.spans.map(wordsIn).join('')
  if (line.kind !== 'item') return line.kind === 'quote' ? `> ${text}` : text
  return `${' '.repeat(line.indent)}${line.number === null ? '-' : `${line.number}.`} ${text}`
}

function wordsIn(span: Span): string {
  if (span.kind === 'link') return markdownLink(span)
  if (!('spans' in span)) return span.text
  const inner = span.spans.map(wordsIn).join('')
  if (span.kind === 'strike') return inner
  return span.kind === 'strong' ? `**${inner}**` : `_${inner}_`
}

const errorSchema = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string().default('') }) })

function saidBy(body: string): Said | null {
  const read = readJson(body, errorSchema)
  return read && { code: read.error.code, text: read.error.message }
}
