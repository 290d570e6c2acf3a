import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import feishu, { signature } from '../../server/channels/feishu.ts'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import { systemClock } from '../../server/ground/clock.ts'
import { channelContract, contentOf, ioOf } from '../contract/channel.ts'
import { type Received, startReceiver } from '../helpers/receiver.ts'

const TOKEN = 'canary-5f1d3a07-2c1e-4a6b'
const SECRET = 'canary-mW3kT8qZ1xN5'
const HOUR_S = 3_600

const plain = z.strictObject({ tag: z.literal('plain_text'), content: z.string().min(1) })
const header = z.strictObject({ template: z.enum(['blue', 'orange', 'red', 'green']), title: plain })
const markdown = z.strictObject({ tag: z.literal('markdown'), content: z.string().min(1) })
const type = z.enum(['default', 'primary'])
const button2 = z.strictObject({
  tag: z.literal('button'),
  type,
  text: plain,
  behaviors: z.tuple([z.strictObject({ type: z.literal('open_url'), default_url: z.url() })]),
})
const card2 = z.strictObject({
  schema: z.literal('2.0'),
  config: z.strictObject({ update_multi: z.literal(true) }),
  header,
  body: z.strictObject({ elements: z.array(z.union([markdown, button2])).min(1) }),
})
const button1 = z.object({ tag: z.literal('button'), type, text: plain, url: z.url() })
const card1 = z.object({
  config: z.object({ wide_screen_mode: z.boolean() }),
  header,
  elements: z
    .array(z.union([markdown, z.object({ tag: z.literal('action'), actions: z.array(button1).min(1) })]))
    .min(1),
})
const signed = { timestamp: z.string().regex(/^\d{10}$/), sign: z.string() }
const requestOf = <T extends z.ZodType>(card: T) =>
  z.discriminatedUnion('msg_type', [
    z.strictObject({ ...signed, msg_type: z.literal('text'), content: z.strictObject({ text: z.string().min(1) }) }),
    z.strictObject({ ...signed, msg_type: z.literal('interactive'), card }),
  ])

/** What Feishu would refuse, or take for a call to everyone. */
function check(card: z.ZodType, { method, url, headers, body }: Received, now: number): string | null {
  if (method !== 'POST' || url !== `/open-apis/bot/v2/hook/${TOKEN}`) return `404 ${method} ${url}`
  if (headers['content-type']?.startsWith('application/json') !== true) return 'no JSON'
  if (Buffer.byteLength(body) > 20_000) return '19036 too long'
  const { timestamp, sign } = requestOf(card).parse(JSON.parse(body))
  if (Math.abs(Number(timestamp) - now / 1000) > HOUR_S) return '19021 the timestamp is off'
  if (sign !== createHmac('sha256', `${timestamp}\n${SECRET}`).digest('base64')) return '19021 sign match fail'
  if (/<\/?at\b/i.test(body)) return 'it mentions somebody'
  if (/!\[[^\]]*\]\(/.test(body)) return '11310 invalid image keys'
  return null
}

function shown(card: typeof card2 | typeof card1, { body }: Received): string {
  const request = requestOf(card).parse(JSON.parse(body))
  if (request.msg_type === 'text') return request.content.text
  const { header, ...rest } = request.card
  const elements = 'body' in rest ? rest.body.elements : rest.elements
  const lines = elements.flatMap((element) => {
    if (element.tag === 'markdown') return [element.content]
    if (element.tag === 'button') return [element.text.content, element.behaviors[0].default_url]
    return element.actions.flatMap(({ text, url }) => [text.content, url])
  })
  return [header.title.content, ...lines].join('\n')
}

const said = (code: number, msg: string) => ({ status: 200, body: JSON.stringify({ code, msg, data: {} }) })

const backoff = { firstMs: 1, maxMs: 1, tries: 1 }

describe.each([
  ['2.0', card2],
  ['1.0', card1],
] as const)('cards %s', (cardSchema, card) => {
  channelContract({
    channel: feishu,
    platform: (vendorUrl) => ({
      webhooks: [{ url: `${vendorUrl}/open-apis/bot/v2/hook/${TOKEN}`, secret: SECRET, cardSchema }],
    }),
    ok: said(0, 'success'),
    check: (request, now) => check(card, request, now),
    shown: (request) => shown(card, request),
    responses: [
      { name: 'the old success', answer: { status: 200, body: '{"StatusCode":0}' }, outcome: { kind: 'accepted' } },
      { name: '11232', answer: said(11232, 'too many request'), outcome: { kind: 'retry', retryAfterMs: 1_000 } },
      {
        name: '99991400',
        answer: { ...said(99991400, 'request trigger frequency limit'), status: 400 },
        outcome: { kind: 'retry', retryAfterMs: 60_000 },
      },
      {
        name: '19021',
        answer: said(19021, 'sign match fail or timestamp is not within one hour from current time'),
        outcome: {
          kind: 'failed',
          detail: '19021 sign match fail or timestamp is not within one hour from current time',
        },
      },
      { name: '19024', answer: said(19024, 'Key Words Not Found'), outcome: { kind: 'failed' } },
      {
        name: '19001',
        answer: said(19001, 'param invalid: incoming webhook access token invalid'),
        outcome: { kind: 'failed' },
      },
      {
        name: '9499 with status 400',
        answer: { ...said(9499, 'Bad Request'), status: 400 },
        outcome: { kind: 'failed' },
      },
      { name: 'no code of any kind', answer: { status: 200, body: '{"code":null}' }, outcome: { kind: 'failed' } },
    ],
    secrets: [TOKEN, SECRET],
  })
})

test('the signature is as published', () => {
  const text = readFileSync(new URL('./vectors/feishu.json', import.meta.url), 'utf8')
  const { timestamp, secret, sign } = JSON.parse(text) as Record<'timestamp' | 'secret' | 'sign', string>
  expect(signature(secret, Number(timestamp) * 1000 + 999)).toEqual({ timestamp, sign })
})

test('a robot is given as much as it takes', () => {
  const address = { url: 'http://a.test/hook/x', secret: 's', cardSchema: '2.0' } as const
  for (const style of ['text', 'card'] as const) {
    const [first] = feishu.render(contentOf({ style, body: 'x'.repeat(50_000) }), address)
    const size = Buffer.byteLength(JSON.stringify({ ...signature('s', 1_700_000_000_000), ...first }))
    expect(size).toBeGreaterThan(19_900)
  }
})

test.each([{ secret: '' }, {}])('without a secret nothing is signed: %j', async (own) => {
  const vendor = await startReceiver((response) => response.end('{"code":0}'))
  const outbound = createOutbound(systemClock, 5_000)
  const [endpoint] = feishu.endpoints({ webhooks: [{ url: vendor.url, ...own }] }, undefined, backoff)
  expect(await endpoint?.send(contentOf(), ioOf(outbound, systemClock))).toEqual({ kind: 'accepted' })
  expect(Object.keys(JSON.parse(vendor.requests[0]?.body ?? ''))).toEqual(['msg_type', 'content'])
  await Promise.all([vendor.close(), outbound.close()])
})

test('robots are called as the operator calls them, else by host and place', () => {
  const url = 'https://open.feishu.cn/open-apis/bot/v2/hook/'
  const webhooks = [{ url: `${url}a` }, { url: `${url}b`, name: 'B' }, { url: `${url}c` }]
  const names = feishu.endpoints({ webhooks }, undefined, backoff).map(({ name }) => name)
  expect(names).toEqual(['open.feishu.cn #1', 'B', 'open.feishu.cn #3'])
})
