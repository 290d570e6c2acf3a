import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Content } from '../../server/channels/content.ts'
import dingtalk, { signed } from '../../server/channels/dingtalk.ts'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import { systemClock } from '../../server/ground/clock.ts'
import { channelContract, CONFIRM_URL, contentOf, ioOf, LINK } from '../contract/channel.ts'
import { type Received, startReceiver } from '../helpers/receiver.ts'

const TOKEN = 'canary-3a7c1e9f5b2d8046'
const SECRET = 'SECcanary4f1b9c7d2e8a'
const HOUR_MS = 3_600_000
const PIP = '13800138000'

const at = z.strictObject({
  atMobiles: z.array(z.string()),
  atUserIds: z.array(z.string()),
  isAtAll: z.boolean(),
})
const words = z.string().min(1)
const said = { title: words, text: words }
const single = z.strictObject({ ...said, singleTitle: words, singleURL: z.url() })
const several = z.strictObject({
  ...said,
  btnOrientation: z.enum(['0', '1']),
  btns: z.array(z.strictObject({ title: words, actionURL: z.url() })).min(1),
})
const requestSchema = z.discriminatedUnion('msgtype', [
  z.strictObject({ msgtype: z.literal('text'), text: z.strictObject({ content: words }), at }),
  z.strictObject({ msgtype: z.literal('markdown'), markdown: z.strictObject(said), at }),
  z.strictObject({ msgtype: z.literal('actionCard'), actionCard: z.union([single, several]) }),
])

const requestOf = ({ body }: Pick<Received, 'body'>) => requestSchema.parse(JSON.parse(body))

/** What DingTalk would refuse, or take for a call to somebody. */
function check(request: Received, now: number): string | null {
  const { method, url, headers, body } = request
  const query = new URL(url, 'http://a.test').searchParams
  if (method !== 'POST' || !url.startsWith('/robot/send?')) return `404 ${method} ${url}`
  if (headers['content-type']?.startsWith('application/json') !== true) return 'no JSON'
  if (query.get('access_token') !== TOKEN) return '300001 token is not exist'
  if (Buffer.byteLength(body) > 20_000) return '460101 message too long'
  const [time, sign] = [query.get('timestamp'), query.get('sign')]
  if (Math.abs(Number(time) - now) > HOUR_MS) return '310000 invalid timestamp'
  if (sign !== createHmac('sha256', SECRET).update(`${time}\n${SECRET}`).digest('base64'))
    return '310000 sign not match'
  const message = requestOf(request)
  if (message.msgtype === 'actionCard') return null
  const { atMobiles, atUserIds, isAtAll } = message.at
  const text = message.msgtype === 'text' ? message.text.content : message.markdown.text
  const unseen = [...atMobiles, ...atUserIds].filter((name) => !text.includes(`@${name}`))
  if (unseen.length > 0) return `${unseen.join()} is called and not in the text`
  return isAtAll || atUserIds.length > 0 || atMobiles.some((mobile) => mobile !== PIP) ? 'it calls somebody' : null
}

function shown(request: Received): string {
  const message = requestOf(request)
  if (message.msgtype === 'text') return message.text.content
  if (message.msgtype === 'markdown') return unlined(message.markdown.text)
  const { title, text, ...buttons } = message.actionCard
  const urls = 'btns' in buttons ? buttons.btns.map(({ actionURL }) => actionURL) : [buttons.singleURL]
  return [title, unlined(text), ...urls].join('\n')
}

/** Two spaces at a line's end make a break. */
const unlined = (text: string) => text.replaceAll('  \n', '\n')
/** What clients show as Markdown. */
function counted(request: Received): string {
  const message = requestOf(request)
  if (message.msgtype === 'text') return ''
  return message.msgtype === 'markdown' ? message.markdown.text : message.actionCard.text
}

const answer = (errcode: number, errmsg: string) => ({ status: 200, body: JSON.stringify({ errcode, errmsg }) })

channelContract({
  channel: dingtalk,
  platform: (vendorUrl) => ({
    webhooks: [{ url: `${vendorUrl}/robot/send?access_token=${TOKEN}`, secret: SECRET }],
  }),
  ok: answer(0, 'ok'),
  check,
  shown,
  counted,
  responses: [
    {
      name: '310000',
      answer: answer(310000, 'sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]'),
      outcome: { kind: 'failed', detail: expect.stringMatching(/^310000 sign not match/) },
    },
    { name: '300001', answer: answer(300001, 'token is not exist'), outcome: { kind: 'failed' } },
    { name: '460101', answer: answer(460101, 'message too long'), outcome: { kind: 'failed' } },
    { name: '-1', answer: answer(-1, 'system busy'), outcome: { kind: 'retry', detail: '-1 system busy' } },
    {
      name: '130101 in the form of a gateway',
      answer: {
        status: 200,
        body: '{"status":1111,"wait":5,"source":"x5","punish":"deny","errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}',
      },
      outcome: { kind: 'retry', retryAfterMs: 60_000 },
    },
    { name: 'a code in quotes', answer: { status: 200, body: '{"errcode":"0"}' }, outcome: { kind: 'accepted' } },
    { name: 'no code', answer: { status: 200, body: '{"errcode":null}' }, outcome: { kind: 'failed' } },
  ],
  secrets: [TOKEN, SECRET],
  direct: {
    account: (vendorUrl) => ({ url: `${vendorUrl}/robot/send?access_token=${TOKEN}`, secret: SECRET }),
    target: { atMobiles: [PIP] },
    refused: [
      null,
      'all',
      { atMobiles: PIP },
      { atMobiles: [7] },
      { isAtAll: 'yes' },
      { atUserIds: Array(101).fill('u') },
    ],
  },
})

test('the signature is as published, encoded once', () => {
  const vectors = JSON.parse(readFileSync(new URL('./vectors/dingtalk.json', import.meta.url), 'utf8')) as {
    timestamp: string
    secret: string
    query: string
  }[]
  expect(vectors).toHaveLength(2)
  for (const { timestamp, secret, query } of vectors) {
    const url = signed('https://oapi.dingtalk.com/robot/send?access_token=tok123', secret, Number(timestamp))
    expect(url).toBe(`https://oapi.dingtalk.com/robot/send?access_token=tok123&${query}`)
  }
})

const robot = { url: 'http://a.test/robot/send?access_token=x', secret: '' }
const nobody = { atMobiles: [], atUserIds: [], isAtAll: false }
const rendered = (said: Partial<Content>, at: Partial<typeof everybody> = {}) =>
  dingtalk.render(contentOf(said), { ...robot, at: { ...nobody, ...at } }).map((part) => requestSchema.parse(part))
const everybody: { atMobiles: string[]; atUserIds: string[]; isAtAll: boolean } = { ...nobody, isAtAll: true }

describe('a card', () => {
  test('has the sign of its level, and the title twice: in the list of chats and above the text', () => {
    expect(rendered({ style: 'card', title: 'T', body: 'a\nb\n\nc', level: 'error' })).toEqual([
      { msgtype: 'markdown', markdown: { title: 'T', text: '### 🔴 T\n\na  \nb\n\nc' }, at: nobody },
    ])
  })

  test('has a button for its link, or one for each', () => {
    const [one] = rendered({ style: 'card', link: LINK })
    expect(one).toMatchObject({ msgtype: 'actionCard', actionCard: { singleURL: LINK } })
    const [two] = rendered({ style: 'card', link: LINK, confirmUrl: CONFIRM_URL })
    expect(two).toMatchObject({ actionCard: { btns: [{ actionURL: LINK }, { actionURL: CONFIRM_URL }] } })
  })

  test('in pieces has them below the last', () => {
    const parts = rendered({ style: 'card', body: 'word '.repeat(1_000), confirmUrl: CONFIRM_URL })
    expect(parts.map(({ msgtype }) => msgtype)).toEqual(['markdown', 'actionCard'])
  })

  test('that calls somebody has its links in the text, for there are no buttons beside calls', () => {
    const link = 'https://a.test/x_(y)'
    const [one] = rendered({ style: 'card', body: 'B', link }, { atUserIds: ['u1'] })
    expect(one).toMatchObject({ msgtype: 'markdown', at: { atUserIds: ['u1'] } })
    expect(JSON.stringify(one)).toContain('(https://a.test/x_%28y%29)\\n\\n@u1')
    const [all] = rendered({ style: 'card', body: 'B', link }, { isAtAll: true })
    expect(all).toMatchObject({ msgtype: 'markdown', at: everybody })
    expect(JSON.stringify(all)).toContain('(https://a.test/x_%28y%29)')
  })

  test('has room for its text however many are called', () => {
    const atUserIds = Array.from({ length: 100 }, (_, at) => `${at}`.padStart(64, '0'))
    const parts = rendered({ style: 'card', body: 'word '.repeat(1_000) }, { atUserIds })
    expect(parts).toHaveLength(2)
    expect(JSON.stringify(parts).match(/word/g)).toHaveLength(1_000)
    const wide = rendered({ style: 'card', body: '\u0001'.repeat(2_900) }, { atUserIds })
    expect(Math.max(...wide.map((part) => Buffer.byteLength(JSON.stringify(part))))).toBeLessThanOrEqual(20_000)
  })
})

describe('calls', () => {
  test('stand in the text', () => {
    expect(rendered({ title: 'T', body: 'B' }, { atMobiles: [PIP], atUserIds: ['u1'] })).toEqual([
      {
        msgtype: 'text',
        text: { content: `T\nB\n@${PIP} @u1` },
        at: { ...nobody, atMobiles: [PIP], atUserIds: ['u1'] },
      },
    ])
  })

  test('of all need no words', () => {
    expect(rendered({ title: 'T', body: '' }, { isAtAll: true })).toEqual([
      { msgtype: 'text', text: { content: 'T' }, at: everybody },
    ])
  })

  test.each(['text', 'card'] as const)('are made once, however many pieces there are (%s)', (style) => {
    const parts = rendered({ style, body: 'word '.repeat(10_000) }, { atMobiles: [PIP] })
    expect(parts.length).toBeGreaterThan(1)
    const called = parts.map((part) => ('at' in part ? part.at.atMobiles.length : 0))
    expect(called).toEqual([...parts.slice(1).map(() => 0), 1])
  })
})

test.each([{ secret: '' }, {}])('without a secret nothing is signed: %j', async (own) => {
  const vendor = await startReceiver((response) => response.end('{"errcode":0}'))
  const outbound = createOutbound(systemClock, 5_000)
  const webhooks = [{ url: `${vendor.url}/robot/send?access_token=x`, ...own }]
  const [endpoint] = dingtalk.endpoints({ webhooks }, undefined, { firstMs: 1, maxMs: 1, tries: 1 })
  expect(endpoint?.name).toBe('127.0.0.1 #1')
  expect(await endpoint?.send(contentOf(), ioOf(outbound, systemClock))).toEqual({ kind: 'accepted' })
  expect(vendor.requests[0]?.url).toBe('/robot/send?access_token=x')
  await Promise.all([vendor.close(), outbound.close()])
})
