import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import slack from '../../server/channels/slack.ts'
import { channelContract, contentOf, ioOf } from '../contract/channel.ts'
import { testClock } from '../helpers/clock.ts'
import { type Received, startReceiver } from '../helpers/receiver.ts'

const KEY = 'canaryCanaryCanaryCan24ch'
const TOKEN = 'xoxb-canary-000000000000-token'
const PATH = `/services/T00000000/B00000000/${KEY}`
const CHANNEL = 'C012AB3CD'
const BACKOFF = { firstMs: 1, maxMs: 1, tries: 1 }

const messageSchema = z.strictObject({
  channel: z.string().min(1).optional(),
  text: z.string().min(1).max(40_000),
  unfurl_links: z.literal(false),
  unfurl_media: z.literal(false),
  attachments: z
    .tuple([
      z.strictObject({
        color: z.string().regex(/^#[\dA-F]{6}$/),
        fallback: z.string().min(1),
        blocks: z
          .array(
            z.strictObject({
              type: z.literal('section'),
              text: z.strictObject({
                type: z.literal('mrkdwn'),
                text: z.string().min(1).max(3_000),
                verbatim: z.literal(true),
              }),
            }),
          )
          .min(1)
          .max(50),
      }),
    ])
    .optional(),
})

const messageOf = (body: string) => messageSchema.parse(JSON.parse(body))
const sectionsOf = ({ attachments }: z.infer<typeof messageSchema>) =>
  (attachments?.[0].blocks ?? []).map(({ text }) => text.text)

/** What Slack would refuse, read as more than text, or make a call of. */
function complaint(body: string): string | null {
  const message = messageOf(body)
  const sections = sectionsOf(message)
  if (sections.join('').length > 13_200) return 'msg_blocks_too_long'
  for (const text of [message.text, ...sections]) {
    if (/&(?!amp;|lt;|gt;)/.test(text)) return `unescaped: ${text}`
    const controls = text.replaceAll(/<https?:\/\/[^<>|\s]+(?:\|[^<>]+)?>/g, '').replaceAll(/^> /gm, '')
    if (/[<>]/.test(controls)) return `it calls somebody, or is no link: ${controls}`
  }
  return null
}

function check({ method, url, headers, body }: Received): string | null {
  if (method !== 'POST' || url !== PATH) return `404 ${method} ${url}`
  if (!headers['content-type']?.startsWith('application/json')) return 'invalid_payload'
  return messageOf(body).channel === undefined ? complaint(body) : 'a webhook has its own channel'
}

function checkBot({ method, url, headers, body }: Received): string | null {
  if (method !== 'POST' || url !== '/api/chat.postMessage') return `404 ${method} ${url}`
  if (headers.authorization !== `Bearer ${TOKEN}`) return 'not_authed'
  if (headers['content-type'] !== 'application/json; charset=utf-8') return 'missing_charset'
  return messageOf(body).channel === CHANNEL ? complaint(body) : 'channel_not_found'
}

function shown({ body }: Received): string {
  const message = messageOf(body)
  return [message.text, ...sectionsOf(message)]
    .join('\n')
    .replaceAll(/<([^<>|\s]+)(?:\|([^<>]+))?>/g, (_, url: string, text = '') => `${text} ${url}`)
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll('\u200B', '')
}

/** Of a card its body only, without the links, which have room of their own. */
function counted({ body }: Received): string {
  const message = messageOf(body)
  return message.attachments ? sectionsOf(message).slice(0, 4).join('') : message.text
}

channelContract({
  channel: slack,
  platform: (vendorUrl) => ({ webhooks: [{ url: `${vendorUrl}${PATH}` }] }),
  ok: { status: 200, body: 'ok' },
  check,
  shown,
  counted,
  responses: [
    {
      name: 'a payload that it cannot read',
      answer: { status: 400, body: 'invalid_payload' },
      outcome: { kind: 'failed', detail: 'invalid_payload' },
    },
    { name: 'no permission', answer: { status: 403, body: 'action_prohibited' }, outcome: { kind: 'failed' } },
    { name: 'a webhook that is gone', answer: { status: 404, body: 'no_service' }, outcome: { kind: 'failed' } },
    { name: 'an archived channel', answer: { status: 410, body: 'channel_is_archived' }, outcome: { kind: 'failed' } },
    {
      name: 'trouble of its own',
      answer: { status: 500, body: 'rollup_error' },
      outcome: { kind: 'retry', detail: 'rollup_error' },
    },
    {
      name: 'too many',
      answer: { status: 429, body: 'rate_limited', headers: { 'retry-after': '30' } },
      outcome: { kind: 'retry', detail: 'rate_limited', retryAfterMs: 30_000 },
    },
    { name: 'an error with 200', answer: { status: 200, body: 'invalid_token' }, outcome: { kind: 'failed' } },
    { name: 'ok with more behind it', answer: { status: 200, body: 'ok, maybe' }, outcome: { kind: 'failed' } },
    { name: 'ok with an error', answer: { status: 403, body: 'ok' }, outcome: { kind: 'failed', detail: 'HTTP 403' } },
  ],
  secrets: [KEY, PATH],
  direct: {
    account: (vendorUrl) => ({ webhooks: { ops: `${vendorUrl}${PATH}` } }),
    target: { channel: '#ops' },
    refused: [null, {}, { channel: '' }, { channel: 'other' }, { channel: '__proto__' }, { channel: ['ops'] }],
  },
})

const said = (error: string) => JSON.stringify({ ok: false, error })

channelContract({
  channel: slack,
  platform: (vendorUrl) => ({ bot: { token: TOKEN, channels: [CHANNEL], baseUrl: `${vendorUrl}/api/` } }),
  ok: { status: 200, body: JSON.stringify({ ok: true, channel: CHANNEL, ts: '1800000000.000100' }) },
  check: checkBot,
  shown,
  counted,
  responses: [
    ...['invalid_auth', 'not_in_channel', 'channel_not_found', 'msg_too_long', 'some_new_word'].map((error) => ({
      name: error,
      answer: { status: 200, body: said(error) },
      outcome: { kind: 'failed', detail: error } as const,
    })),
    ...['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'ratelimited'].map((error) => ({
      name: error,
      answer: { status: 200, body: said(error) },
      outcome: { kind: 'retry', detail: error } as const,
    })),
    {
      name: 'too many',
      answer: { status: 429, body: said('ratelimited'), headers: { 'retry-after': '7' } },
      outcome: { kind: 'retry', detail: 'ratelimited', retryAfterMs: 7_000 },
    },
    {
      name: 'no reason',
      answer: { status: 200, body: '{"ok":false}' },
      outcome: { kind: 'failed', detail: 'unknown' },
    },
    { name: 'ok of another kind', answer: { status: 200, body: '{"ok":1}' }, outcome: { kind: 'failed' } },
  ],
  secrets: [TOKEN],
  direct: {
    account: (vendorUrl) => ({ token: TOKEN, baseUrl: `${vendorUrl}/api` }),
    target: { channel: CHANNEL },
    refused: [{ channel: '' }, { chanel: CHANNEL }],
  },
})

test('a card is what Slack takes, whatever is in it', () => {
  const signs = ['**', '*', '_', '~~', '`', '```', '\n', '\n```\n', '\n> ', '\n# ', '\n- ', '[', '](https://a.test/|x)']
  const tokens = fc.constantFrom(
    ...signs,
    ' ',
    'a',
    '字',
    '<!here>',
    '<',
    '&amp;',
    '|',
    '\\',
    '\n|-|\n',
    'x'.repeat(700),
  )
  fc.assert(
    fc.property(fc.array(tokens, { maxLength: 60 }), (parts) => {
      for (const body of slack.render(contentOf({ style: 'card', body: parts.join('') }), {
        kind: 'webhook',
        url: 'https://a.test',
      })) {
        expect(complaint(body)).toBeNull()
      }
    }),
  )
})

describe('endpoints', () => {
  test('are webhooks, by their names, then the channels of the bot', () => {
    const webhooks = [{ name: 'Ops', url: 'https://hooks.slack.com/a' }, { url: 'https://hooks.slack.com/b' }]
    const bot = { token: TOKEN, channels: ['#alerts', CHANNEL] }
    const endpoints = slack.endpoints({ webhooks, bot }, undefined, BACKOFF)
    expect(endpoints.map(({ name }) => name)).toEqual(['Ops', 'hooks.slack.com #2', '#alerts', CHANNEL])
    expect(new Set(endpoints.map(({ id }) => id)).size).toBe(4)
  })

  test.each([
    [{}, 'webhooks or bot is required'],
    [{ webhooks: [] }, 'webhooks'],
    [{ webhooks: [{ url: 'ftp://a.test' }] }, 'url'],
    [{ bot: { token: TOKEN, channels: [] } }, 'channels'],
    [{ bot: { token: '', channels: ['#a'] } }, 'token'],
  ])('%j is refused', (platform, at) => {
    expect(() => slack.endpoints(platform, undefined, BACKOFF)).toThrow(at)
  })
})

describe('direct calls', () => {
  test('reach a channel by its own webhook, every other by the bot', async () => {
    const clock = testClock()
    const outbound = createOutbound(clock, 5_000)
    const vendor = await startReceiver((response, { url }) =>
      response.end(url === '/api/chat.postMessage' ? '{"ok":true}' : 'ok'),
    )
    const account = { token: TOKEN, webhooks: { '#ops': `${vendor.url}/hook` }, baseUrl: `${vendor.url}/api` }
    const send = (channel: string) =>
      slack.direct(account)?.send(contentOf({}, { target: { channel } }), ioOf(outbound, clock))
    expect(await send('ops')).toEqual({ kind: 'accepted' })
    expect(await send('dev')).toEqual({ kind: 'accepted' })
    expect(vendor.requests.map(({ url }) => url)).toEqual(['/hook', '/api/chat.postMessage'])
    expect(messageOf(vendor.requests[1]?.body ?? '').channel).toBe('dev')
    await Promise.all([outbound.close(), vendor.close()])
  })

  test('need a token or webhooks', () => {
    expect(slack.account?.safeParse({}).error?.message).toContain('token or webhooks is required')
    expect(slack.account?.safeParse({ token: '' }).success).toBe(false)
    expect(slack.account?.safeParse({ token: TOKEN, webhooks: { ops: 'x' } }).success).toBe(false)
  })
})
