import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Content } from '../../server/channels/content.ts'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import telegram from '../../server/channels/telegram.ts'
import { channelContract, CONFIRM_URL, contentOf, ioOf, LINK } from '../contract/channel.ts'
import { testClock } from '../helpers/clock.ts'
import { type Answer, type Received, startReceiver } from '../helpers/receiver.ts'

const KEY = 'AAcanary-0123456789_abcdefghijklmno'
const TOKEN = `123456789:${KEY}`
const CHAT = -1001234567890
const BACKOFF = { firstMs: 1, maxMs: 1, tries: 1 }
const ZERO_WIDTH_SPACE = '\u200B'

const messageSchema = z.strictObject({
  chat_id: z.union([z.int(), z.string()]),
  message_thread_id: z.int().optional(),
  text: z.string().min(1),
  parse_mode: z.literal('HTML').optional(),
  link_preview_options: z.strictObject({ is_disabled: z.literal(true) }),
})
const messageOf = (body: string) => messageSchema.parse(JSON.parse(body))

const TAG = /<(\/?)(b|i|s|code|pre|blockquote|a)(?: href="(https?:\/\/[^"<>]+|mailto:[^"<>]+)")?>/g
const ENTITY = /&(?:amp|lt|gt|quot);/g
const decoded = (html: string) =>
  html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')

/** The text without its markup, as Telegram counts it. */
function counted({ body }: Pick<Received, 'body'>): string {
  const { text, parse_mode: mode } = messageOf(body)
  return mode === 'HTML' ? decoded(text.replaceAll(TAG, '')) : text
}

/** What Telegram says of markup that it cannot read. */
function unreadable(html: string): string | null {
  const open: string[] = []
  for (const [, slash, tag = '', href] of html.matchAll(TAG)) {
    if ((tag === 'a' && slash === '') !== (href !== undefined)) return `<${slash}${tag}> with ${href}`
    if (slash === '/' && open.pop() !== tag) return `unexpected end tag ${tag}`
    if (slash === '' && open.some((outer) => ['code', 'pre'].includes(outer))) return `${tag} in code`
    if (slash === '' && tag === 'blockquote' && open.includes(tag)) return 'nested quotes'
    if (slash === '') open.push(tag)
  }
  if (open.length > 0) return `can't find end tag of ${open.join()}`
  return /[<>]|&/.test(html.replaceAll(TAG, '').replaceAll(ENTITY, '')) ? 'unescaped' : null
}

function check(request: Received): string | null {
  const { method, url, headers, body } = request
  if (method !== 'POST' || url !== `/bot${TOKEN}/sendMessage`) return `404 ${method} ${url}`
  if (headers['content-type']?.startsWith('application/json') !== true) return 'message text is empty'
  const { chat_id: chat, text, parse_mode: mode } = messageOf(body)
  if (chat !== CHAT) return 'chat not found'
  if (counted(request).length > 4_096) return 'message is too long'
  const problem = mode === 'HTML' ? unreadable(text) : null
  if (problem !== null) return `can't parse entities: ${problem}`
  const called = /(?<!\w)@\w+/.exec(counted(request).replaceAll(/https?:\S+/g, ''))
  return called === null ? null : `it calls ${called[0]}`
}

function shown(request: Received): string {
  const links = [...messageOf(request.body).text.matchAll(/href="([^"]+)"/g)].map(([, url = '']) => decoded(url))
  return [counted(request), ...links].join('\n').replaceAll(ZERO_WIDTH_SPACE, '')
}

const error = (code: number, description: string, parameters?: object) => ({
  status: code,
  body: JSON.stringify({ ok: false, error_code: code, description, parameters }),
})
const OK = JSON.stringify({ ok: true, result: { message_id: 7, chat: { id: CHAT } } })

channelContract({
  channel: telegram,
  platform: (vendorUrl) => ({ token: TOKEN, chats: [CHAT], baseUrl: `${vendorUrl}/` }),
  ok: { status: 200, body: OK },
  check,
  shown,
  counted,
  responses: [
    {
      name: 'a token that is none',
      answer: error(401, 'Unauthorized'),
      outcome: { kind: 'failed', detail: '401 Unauthorized' },
    },
    {
      name: 'a chat without the bot',
      answer: error(403, 'Forbidden: bot was kicked from the group chat'),
      outcome: { kind: 'failed' },
    },
    { name: 'no such chat', answer: error(400, 'Bad Request: chat not found'), outcome: { kind: 'failed' } },
    {
      name: 'a group that has become another',
      answer: error(400, 'Bad Request: group chat was upgraded', { migrate_to_chat_id: -1009876543210 }),
      outcome: {
        kind: 'failed',
        detail: '400 the chat is -1009876543210 now. Bad Request: group chat was upgraded',
      },
    },
    {
      name: 'too many',
      answer: error(429, 'Too Many Requests: retry after 17', { retry_after: 17 }),
      outcome: { kind: 'retry', retryAfterMs: 17_000 },
    },
    { name: '502', answer: error(502, 'Bad Gateway'), outcome: { kind: 'retry', detail: '502 Bad Gateway' } },
    {
      name: 'a refusal with 200',
      answer: { status: 200, body: '{"ok":false,"description":"no"}' },
      outcome: { kind: 'failed', detail: '200 no' },
    },
    { name: 'ok of another kind', answer: { status: 200, body: '{"ok":"true"}' }, outcome: { kind: 'failed' } },
    { name: 'ok with an error', answer: { status: 404, body: OK }, outcome: { kind: 'failed', detail: 'HTTP 404' } },
  ],
  secrets: [TOKEN, KEY],
})

const address = { url: 'https://a.test', chat: '@ops', topic: 7 }
const rendered = (content: Partial<Content>) =>
  telegram.render(contentOf(content), address).map(({ body, plain }) => ({
    ...messageOf(body),
    plain: plain === null ? null : messageOf(plain).text,
  }))
const htmlOf = (body: string) =>
  rendered({ style: 'card', title: 'T', body }).map(({ text }) => text.replace('<b>ℹ️ T</b>\n\n', ''))

describe('a text', () => {
  test('is as it is, without markup, in the topic', () => {
    expect(rendered({ title: 'A & B', body: '<b>*x*', link: LINK, confirmUrl: CONFIRM_URL })).toEqual([
      {
        chat_id: '@ops',
        message_thread_id: 7,
        text: `A & B\n<b>*x*\n查看详情 Details: ${LINK}\n确认收到 Confirm: ${CONFIRM_URL}`,
        link_preview_options: { is_disabled: true },
        plain: null,
      },
    ])
  })

  test('names nobody; addresses and URLs stay', () => {
    const body = '@all 给@bob (@c) .@d a@b.test https://a.test/@e'
    const said = body.replaceAll(/@(?=all|bob|c|d\b)/g, `@${ZERO_WIDTH_SPACE}`)
    expect(rendered({ title: 'T', body }).map(({ text }) => text)).toEqual([`T\n${said}`])
  })
})

describe('a card', () => {
  test.each([
    ['info', 'ℹ️'],
    ['warning', '⚠️'],
    ['error', '🔴'],
    ['success', '✅'],
  ] as const)('of level %s has its sign, and is there as plain text as well', (level, emoji) => {
    expect(rendered({ style: 'card', title: 'A & B', body: '**b**', level, confirmUrl: CONFIRM_URL })).toMatchObject([
      {
        parse_mode: 'HTML',
        text: `<b>${emoji} A &amp; B</b>\n\n<b>b</b>\n确认收到 Confirm: ${CONFIRM_URL.replaceAll('&', '&amp;')}`,
        plain: `${emoji} A & B\n\n**b**\n确认收到 Confirm: ${CONFIRM_URL}`,
      },
    ])
  })

  test.each([
    ['**b** *i* ~~s~~ `c<d>`', '<b>b</b> <i>i</i> <s>s</s> <code>c&lt;d&gt;</code>'],
    ['# Head\ntext', '<b>Head</b>\ntext'],
    ['- a\n  - b\n2. c', '• a\n  • b\n2. c'],
    ['> a\n> b\nc\n> d', '<blockquote>a\nb</blockquote>\nc\n<blockquote>d</blockquote>'],
    ['```sh\na **b** <c>\n```', '<pre>a **b** &lt;c&gt;</pre>'],
    ['[T&](https://a.test/?a="1"&b=2)', '<a href="https://a.test/?a=%221%22&amp;b=2">T&amp;</a>'],
    ['[c](tg://user?id=1)', '[c](tg://user?id=1)'],
    ['a < b & "c"', 'a &lt; b &amp; &quot;c&quot;'],
    ['@bob [@bob](https://a.test/)', '@\u200Bbob <a href="https://a.test/">@\u200Bbob</a>'],
  ])('has of %j the tags that there are', (markdown, expected) => {
    expect(htmlOf(markdown)).toEqual([expected])
  })

  test('is readable whatever is in it', () => {
    const signs = [
      '**',
      '*',
      '__',
      '_',
      '~~',
      '`',
      '```',
      '\n',
      '\n```\n',
      '\n> ',
      '\n# ',
      '\n- ',
      '[',
      '](https://a.test/)',
    ]
    const tokens = fc.constantFrom(...signs, ' ', 'a', '字', '<b>', '</b>', '&amp;', '"', '@bob', '\\', '|', '\n|-|\n')
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 60 }), (parts) => {
        for (const { text } of rendered({ style: 'card', title: 'T', body: parts.join('') })) {
          expect(unreadable(text)).toBeNull()
        }
      }),
    )
  })
})

describe('markup that is not understood', () => {
  const unparsed = error(400, "Bad Request: can't parse entities: Unsupported start tag").body

  async function sent(content: Partial<Content>, answer: Answer) {
    const clock = testClock()
    const outbound = createOutbound(clock, 5_000)
    const vendor = await startReceiver(answer)
    const [endpoint] = telegram.endpoints({ token: TOKEN, chats: ['@ops'], baseUrl: vendor.url }, undefined, BACKOFF)
    const outcome = await endpoint?.send(contentOf(content), ioOf(outbound, clock))
    await Promise.all([outbound.close(), vendor.close()])
    return { outcome, messages: vendor.requests.map(({ body }) => messageOf(body)) }
  }
  const plainGets =
    (status: number, text: string): Answer =>
    (response, { body }) => {
      const isMarked = messageOf(body).parse_mode !== undefined
      response.writeHead(isMarked ? 400 : status).end(isMarked ? unparsed : text)
    }

  test('goes out once more, as plain text', async () => {
    const { outcome, messages } = await sent({ style: 'card', title: 'T', body: '**b**' }, plainGets(200, OK))
    expect(outcome).toEqual({ kind: 'accepted', detail: expect.stringContaining("as plain text: Bad Request: can't") })
    expect(messages.map(({ text }) => text)).toEqual(['<b>ℹ️ T</b>\n\n<b>b</b>', 'ℹ️ T\n\n**b**'])
  })

  test('and once only', async () => {
    const { outcome, messages } = await sent({ style: 'card' }, plainGets(400, unparsed))
    expect(outcome).toMatchObject({ kind: 'failed', detail: expect.stringContaining("can't parse entities") })
    expect(messages).toHaveLength(2)
    const later = await sent({ style: 'card' }, plainGets(503, ''))
    expect(later.outcome).toMatchObject({ kind: 'retry', detail: 'HTTP 503' })
  })

  test('is no matter of texts, and no other refusal is', async () => {
    expect((await sent({}, (response) => response.writeHead(400).end(unparsed))).messages).toHaveLength(1)
    const other = error(400, 'Bad Request: chat not found').body
    expect((await sent({ style: 'card' }, (response) => response.writeHead(400).end(other))).messages).toHaveLength(1)
  })
})

describe('the platform', () => {
  test('has an endpoint for each chat, with ids in words or numbers', () => {
    const endpoints = telegram.endpoints({ token: TOKEN, chats: [CHAT, '-1001', '@ops'] }, undefined, BACKOFF)
    expect(endpoints.map(({ name }) => name)).toEqual([`${CHAT}`, '-1001', '@ops'])
    expect(new Set(endpoints.map(({ id }) => id)).size).toBe(3)
  })

  test.each([
    [{ token: 'abc', chats: [1] }, 'token'],
    [{ token: '1:a/../b', chats: [1] }, 'token'],
    [{ token: TOKEN, chats: [] }, 'chats'],
    [{ token: TOKEN, chats: ['ops'] }, 'chats'],
    [{ token: TOKEN, chats: [2 ** 60] }, 'chats'],
    [{ token: TOKEN, chats: [1], topic: 0 }, 'topic'],
  ])('%j is refused', (platform, at) => {
    expect(() => telegram.endpoints(platform, undefined, BACKOFF)).toThrow(at)
  })
})
