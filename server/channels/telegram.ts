/** Telegram, by a bot: https://core.telegram.org/bots/api#sendmessage */
import * as z from 'zod'
import { type Addressed, type Outcome, defineChannel } from './channel.ts'
import { type Content, looks } from './content.ts'
import { postJson, readJson } from './outbound/json.ts'
import type { OutboundAnswer } from './outbound/outbound.ts'
import { type Passing, refusal, unanswered } from './outbound/outcomes.ts'
import { fingerprint } from './outbound/secrets.ts'
import { escaped } from './text/escape.ts'
import { linkLines } from './text/links.ts'
import { type Line, readMarkdown, type Span } from './text/markdown.ts'
import { headed, pieces } from './text/pieces.ts'

/** UTF-16 units, without markup */
const MAX_TEXT = 4_096
/** code points */
const MAX_TITLE = 200
const MINUTE_MS = 60_000
const ACCEPTED: Outcome = { kind: 'accepted' }
/** Codes are HTTP statuses, and those tell what passes. */
const PASSING: Passing = new Map()
const ZERO_WIDTH_SPACE = '\u200B'

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  token: z
    .string()
    .regex(/^\d+:[\w-]+$/, { error: 'is not like 123456:ABC…' })
    .meta({ description: 'token of the bot', zh: '机器人令牌' }),
  chats: z
    .array(z.union([z.int(), z.string().regex(/^(-?\d+|@\w+)$/, { error: 'is neither a number nor a @name' })]))
    .min(1)
    .meta({ description: 'ids of chats, or `@name` of public channels', zh: '聊天 ID，或公开频道的 `@名称`' }),
  topic: z.int().positive().optional().meta({ description: 'topic of a forum, by its id', zh: '论坛群组的话题 ID' }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.telegram.org')
    .meta({ description: 'where the API is', zh: 'API 地址' }),
})

interface Address {
  readonly url: string
  readonly chat: string | number
  readonly topic: number | undefined
}

/** Bodies of one message; `plain` where `body` is marked up. */
interface Part {
  readonly body: string
  readonly plain: string | null
}

export default defineChannel<z.infer<typeof platform>, Address, Part>({
  name: 'telegram',
  title: { en: 'Telegram', zh: 'Telegram' },
  credentials: {
    en: 'Ask [@BotFather](https://t.me/BotFather) for `/newbot` and copy the token. Write to the bot or add it to the group, then read the id of the chat from `https://api.telegram.org/bot<token>/getUpdates`.',
    zh: '向 [@BotFather](https://t.me/BotFather) 发送 `/newbot` 并复制令牌。给机器人发消息或将其加入群组，再从 `https://api.telegram.org/bot<token>/getUpdates` 查看聊天 ID。',
  },
  platform,
  example: { token: '123456789:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', chats: [-1001234567890, '@alerts'], topic: 7 },
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: { text: { max: MAX_TEXT, unit: 'utf16' }, card: { max: MAX_TEXT, unit: 'utf16' } },
    rates: [
      { count: 1, perMs: 1_000 },
      { count: 20, perMs: MINUTE_MS },
    ],
  },

  addresses: ({ token, chats, topic, baseUrl }) =>
    chats.map((chat): Addressed<Address> => ({
      id: fingerprint(baseUrl, token, `${chat}`, `${topic ?? ''}`),
      name: `${chat}`,
      address: { url: `${baseUrl.replace(/\/$/, '')}/bot${token}/sendMessage`, chat, topic },
      secrets: [token, token.slice(token.indexOf(':') + 1)],
    })),

  server: ({ url }) => url,

  render(content, { chat, topic }) {
    const bodyOf = (text: string, markup: { parse_mode?: 'HTML' } = {}) =>
      JSON.stringify({
        chat_id: chat,
        message_thread_id: topic,
        text,
        ...markup,
        link_preview_options: { is_disabled: true },
      })
    return messages(content).map(({ html, plain }) =>
      content.style === 'card'
        ? { body: bodyOf(html, { parse_mode: 'HTML' }), plain: bodyOf(plain) }
        : { body: bodyOf(plain), plain: null },
    )
  },

  async send({ body, plain }, { url }, _, { http }) {
    const answer = await postJson(http, url, body)
    const read = answer.ok ? readJson(answer.body, answerSchema) : null
    if (plain === null || !answer.ok || answer.status !== 400 || !UNREADABLE.test(read?.description ?? '')) {
      return outcomeOf(answer)
    }
    const outcome = outcomeOf(await postJson(http, url, plain))
    return outcome.kind === 'accepted' ? { ...outcome, detail: `as plain text: ${read?.description}` } : outcome
  },
})

const UNREADABLE = /can't parse entities/i

const answerSchema = z.looseObject({
  ok: z.boolean(),
  error_code: z.int().optional(),
  description: z.string().default(''),
  parameters: z
    .looseObject({ retry_after: z.number().optional(), migrate_to_chat_id: z.number().optional() })
    .default({}),
})

function outcomeOf(answer: OutboundAnswer): Outcome {
  if (!answer.ok) return unanswered(answer)
  const read = readJson(answer.body, answerSchema)
  if (read?.ok === true && answer.status === 200) return ACCEPTED
  if (read?.ok !== false) return refusal(answer, null, PASSING)
  const { retry_after: seconds, migrate_to_chat_id: chat } = read.parameters
  const moved = chat === undefined ? '' : `the chat is ${chat} now. `
  const said = { code: `${read.error_code ?? answer.status}`, text: moved + read.description }
  return refusal(seconds === undefined ? answer : { ...answer, retryAfterMs: seconds * 1_000 }, said, PASSING)
}

interface Message {
  readonly html: string
  readonly plain: string
}

/** Each as marked up as it can be, and as plain text; neither is longer than may be. */
function messages(content: Content): readonly Message[] {
  const links = linkLines(content, (lines) => lines.length <= MAX_TEXT / 2)
  const { title, body } = headed(content, MAX_TITLE)
  const { emoji } = looks[content.level]
  const isCard = content.style === 'card'
  const message = (text: string, mark: string, end: string): Message => {
    const line = quiet(`${isCard ? `${emoji} ` : ''}${title} ${mark}`.trim())
    const joined = (...parts: string[]) => parts.filter((part) => part !== '').join(isCard ? '\n\n' : '\n')
    return {
      plain: joined(line, quiet(text)) + end,
      html: isCard ? joined(`<b>${escaped(line)}</b>`, htmlOf(text)) + escaped(end) : '',
    }
  }
  const filled = (text: string, mark: string) => {
    if (text.length > MAX_TEXT) return text.length / MAX_TEXT
    const { plain, html } = message(text, mark, links)
    return Math.max(plain.length, withoutMarkup(html).length) / MAX_TEXT
  }
  return pieces(body, filled).map(({ text, mark, isLast }) => message(text, mark, isLast ? links : ''))
}

/** A name behind an `@` calls its owner; those in mail addresses and URLs do not. */
function quiet(text: string): string {
  return text.replaceAll(/https?:\/\/[\w.~:/?#&=%+@-]+|(?<!\w)@(?=\w)/g, (found) =>
    found === '@' ? `@${ZERO_WIDTH_SPACE}` : found,
  )
}

/** What the vendor counts. */
function withoutMarkup(html: string): string {
  return html.replaceAll(/<[^>]*>/g, '').replaceAll(/&\w+;/g, '&')
}

/** Markdown in the few tags that there are; a quote is one over all its lines. */
function htmlOf(markdown: string): string {
  const lines = readMarkdown(markdown)
  const isQuote = (at: number) => lines[at]?.kind === 'quote'
  return lines
    .map((line, at) => {
      const html = htmlOfLine(line)
      if (!isQuote(at)) return html
      return `${isQuote(at - 1) ? '' : '<blockquote>'}${html}${isQuote(at + 1) ? '' : '</blockquote>'}`
    })
    .join('\n')
}

function htmlOfLine(line: Line): string {
  if (line.kind === 'code') return `<pre>${escaped(line.text)}</pre>`
  const html = line.spans.map(htmlOfSpan).join('')
  if (line.kind === 'item') return `${' '.repeat(line.indent)}${line.number === null ? '•' : `${line.number}.`} ${html}`
  return line.kind === 'heading' ? `<b>${html}</b>` : html
}

const TAGS = { strong: 'b', em: 'i', strike: 's' } as const

function htmlOfSpan(span: Span): string {
  if ('spans' in span) return `<${TAGS[span.kind]}>${span.spans.map(htmlOfSpan).join('')}</${TAGS[span.kind]}>`
  if (span.kind === 'code') return `<code>${escaped(span.text)}</code>`
  if (span.kind === 'link') return `<a href="${escaped(span.url)}">${escaped(quiet(span.text))}</a>`
  return escaped(quiet(span.text))
}
