import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Content } from '../../server/channels/content.ts'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import teams from '../../server/channels/teams.ts'
import { channelContract, CONFIRM_URL, contentOf, ioOf, LINK } from '../contract/channel.ts'
import { testClock } from '../helpers/clock.ts'
import { type Received, startReceiver, status } from '../helpers/receiver.ts'

const SIG = 'canary-Sig_0123456789-abcdefghijklmnopqrstuv'
const FLOW = '/powerautomate/automations/direct/workflows/canary0flow0id00'
const PATH = `${FLOW}/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=${SIG}`
const BACKOFF = { firstMs: 1, maxMs: 1, tries: 1 }

const block = z.strictObject({
  type: z.literal('TextBlock'),
  text: z.string().min(1),
  wrap: z.literal(true),
  weight: z.literal('Bolder').optional(),
  size: z.literal('Large').optional(),
  fontType: z.literal('Monospace').optional(),
})
const container = z.strictObject({
  type: z.literal('Container'),
  style: z.enum(['accent', 'warning', 'attention', 'good']),
  bleed: z.literal(true),
  items: z.tuple([block]),
})
const action = z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string().min(1), url: z.url() })
const requestSchema = z.strictObject({
  type: z.literal('message'),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal('application/vnd.microsoft.card.adaptive'),
      contentUrl: z.null(),
      content: z.strictObject({
        $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
        type: z.literal('AdaptiveCard'),
        version: z.literal('1.4'),
        msteams: z.strictObject({ width: z.literal('full') }),
        body: z.array(z.discriminatedUnion('type', [block, container])).min(1),
        actions: z.array(action).min(1).max(6).optional(),
      }),
    }),
  ]),
})

const cardOf = (body: string) => requestSchema.parse(JSON.parse(body)).attachments[0].content
const textsOf = ({ body }: ReturnType<typeof cardOf>) =>
  body.flatMap((element) => (element.type === 'TextBlock' ? [element.text] : element.items.map(({ text }) => text)))

/** What a workflow would refuse, or take for a call to somebody. */
function check({ method, url, headers, body }: Received): string | null {
  if (method !== 'POST' || url !== PATH) return `401 ${method} ${url}`
  if (headers['content-type'] !== 'application/json; charset=utf-8') return 'no JSON'
  if (Buffer.byteLength(body) > 20_000) return '413 RequestEntityTooLarge'
  const calling = textsOf(cardOf(body)).find((text) => /<\/?at\b/i.test(text))
  return calling === undefined ? null : `it calls somebody: ${calling}`
}

function shown({ body }: Received): string {
  const card = cardOf(body)
  const links = (card.actions ?? []).map(({ title, url }) => `${title} ${url}`)
  return [...textsOf(card), ...links].join('\n').replaceAll('\u200B', '').replaceAll('\u00A0', ' ')
}

const refused = (code: string, message: string) => JSON.stringify({ error: { code, message } })

channelContract({
  channel: teams,
  platform: (vendorUrl) => ({ webhooks: [{ url: `${vendorUrl}${PATH}` }] }),
  ok: { status: 202, body: '' },
  check,
  shown,
  malformed: 'accepted',
  responses: [
    { name: 'done at once', answer: { status: 200, body: '' }, outcome: { kind: 'accepted' } },
    {
      name: 'a signature that does not fit',
      answer: { status: 401, body: refused('DirectApiAuthorizationRequired', 'The OAuth scheme is required.') },
      outcome: { kind: 'failed', detail: 'DirectApiAuthorizationRequired The OAuth scheme is required.' },
    },
    {
      name: 'a workflow that is off',
      answer: { status: 400, body: refused('WorkflowTriggerIsNotEnabled', 'The workflow is not enabled.') },
      outcome: { kind: 'failed', detail: 'WorkflowTriggerIsNotEnabled The workflow is not enabled.' },
    },
    {
      name: 'a workflow that is gone',
      answer: { status: 404, body: '{"error":{"code":"WorkflowNotFound"}}' },
      outcome: { kind: 'failed', detail: 'WorkflowNotFound' },
    },
    { name: '403', answer: { status: 403, body: 'no' }, outcome: { kind: 'failed', detail: 'HTTP 403' } },
    { name: '410', answer: { status: 410, body: 'gone' }, outcome: { kind: 'failed', detail: 'HTTP 410' } },
    { name: '413', answer: { status: 413, body: 'too large' }, outcome: { kind: 'failed', detail: 'HTTP 413' } },
    {
      name: 'too many',
      answer: { status: 429, body: refused('TooManyRequests', 'Slow down.'), headers: { 'retry-after': '11' } },
      outcome: { kind: 'retry', detail: 'TooManyRequests Slow down.', retryAfterMs: 11_000 },
    },
    { name: 'a gateway', answer: { status: 502, body: refused('NoResponse', '') }, outcome: { kind: 'retry' } },
    { name: 'another success', answer: { status: 204, body: '' }, outcome: { kind: 'failed' } },
  ],
  secrets: [SIG, PATH],
})

const rendered = (content: Partial<Content>) => teams.render(contentOf(content), { url: 'https://a.test/' }).map(cardOf)

describe('a text', () => {
  test('is one block, each line a paragraph', () => {
    expect(rendered({ title: 'T', body: 'a\nb\n\n\nc' }).map(({ body }) => body)).toEqual([
      [{ type: 'TextBlock', text: 'T\n\na\n\nb\n\nc', wrap: true }],
    ])
    expect(rendered({ title: 'T', body: '' }).map(textsOf)).toEqual([['T']])
  })

  test('has its links as buttons', () => {
    const [only] = rendered({ link: LINK, confirmUrl: CONFIRM_URL })
    expect(only?.actions?.map(({ url }) => url)).toEqual([LINK, CONFIRM_URL])
  })

  test('has its link left out where that is too long, and still asks to confirm', () => {
    const [only] = rendered({ link: `https://a.test/${'x'.repeat(10_000)}`, confirmUrl: CONFIRM_URL })
    expect(only?.actions?.map(({ url }) => url)).toEqual([CONFIRM_URL])
  })
})

describe('a card', () => {
  test.each([
    ['info', 'accent'],
    ['warning', 'warning'],
    ['error', 'attention'],
    ['success', 'good'],
  ] as const)('of level %s is %s', (level, style) => {
    expect(rendered({ style: 'card', title: 'T', body: '**b**', level }).map(({ body }) => body)).toEqual([
      [
        {
          type: 'Container',
          style,
          bleed: true,
          items: [{ type: 'TextBlock', text: 'T', wrap: true, weight: 'Bolder', size: 'Large' }],
        },
        { type: 'TextBlock', text: '**b**', wrap: true },
      ],
    ])
  })

  test.each([
    ['# Head **x**', '**Head x**'],
    ['a\nb\n\nc', 'a\n\nb\n\nc'],
    ['a\n- b\n  - c\n2. d\ne', 'a\n\n- b\n  - c\n2. d\n\ne'],
    ['__b__ *i* ~~s~~ `c`', '**b** _i_ s c'],
    ['![T](https://a.test/(x))', '[T](https://a.test/%28x%29)'],
    ['https://a.test/x', '[https://a.test/x](https://a.test/x)'],
    ['> q', '> q'],
  ])('has of %j what a text block knows', (markdown, expected) => {
    expect(rendered({ style: 'card', title: 'T', body: markdown }).map(textsOf)).toEqual([['T', expected]])
  })

  test('has code in blocks of their own, with its lines and its indentation', () => {
    const [card] = rendered({ style: 'card', title: 'T', body: 'a\n```\nif x:\n\ty *= 2\n```\nb' })
    expect(card?.body.slice(1)).toEqual([
      { type: 'TextBlock', text: 'a', wrap: true },
      { type: 'TextBlock', text: 'if x:\n\n\u00A0\u00A0\u00A0\u00A0y *= 2', wrap: true, fontType: 'Monospace' },
      { type: 'TextBlock', text: 'b', wrap: true },
    ])
  })

  test('in pieces has its buttons on the last', () => {
    const cards = rendered({ style: 'card', title: 'T', body: 'word '.repeat(5_000), confirmUrl: CONFIRM_URL })
    expect(cards.map(({ actions }) => actions?.length)).toEqual([undefined, 1])
    expect(cards.map((card) => textsOf(card)[0])).toEqual(['T (1/2)', 'T (2/2)'])
  })
})

test('the query goes out byte for byte, as it was given', async () => {
  const clock = testClock()
  const outbound = createOutbound(clock, 5_000)
  const flow = await startReceiver(status(202))
  const path = '/a%2fb/invoke?sp=%2Ftriggers%2frun&x=a+b%20c&empty=&sig=Ab-_%2B%3d=(~)*!'
  const [endpoint] = teams.endpoints({ webhooks: [{ name: 'Ops', url: flow.url + path }] }, undefined, BACKOFF)
  expect(endpoint?.name).toBe('Ops')
  expect(await endpoint?.send(contentOf(), ioOf(outbound, clock))).toEqual({ kind: 'accepted' })
  expect(flow.requests.map(({ url }) => url)).toEqual([path])
  await Promise.all([outbound.close(), flow.close()])
})

test.each([
  [{}, 'webhooks'],
  [{ webhooks: [] }, 'webhooks'],
  [{ webhooks: [{ url: 'a.test' }] }, 'url'],
  [{ webhooks: [{ url: 'https://a.test/', name: '' }] }, 'name'],
])('the platform %j is refused', (platform, at) => {
  expect(() => teams.endpoints(platform, undefined, BACKOFF)).toThrow(at)
})
