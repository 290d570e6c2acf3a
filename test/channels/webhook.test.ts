import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../server/channels/channel.ts'
import { createOutbound, type Outbound } from '../../server/channels/outbound/outbound.ts'
import webhook, { signature } from '../../server/channels/webhook.ts'
import type { MessageFrame } from '../../server/protocol/packets.ts'
import { channelContract, contentOf, ioOf } from '../contract/channel.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { type Receiver, startProxy, startReceiver, status } from '../helpers/receiver.ts'

const HUB_TOKEN = 'canary-hub-token'
const BACKOFF = { firstMs: 1_000, maxMs: 60_000, tries: 3 }
const frame: MessageFrame = {
  sendType: 'personal',
  target: 'wh1',
  from: { method: 'websocket', name: 'anonymous' },
  message: { text: 'text10', desp: 'desp10', extra: { a: 233, b: { hello: 'world' } } },
  mid: '1111111111111',
}
let clock: TestClock
let outbound: Outbound
let receiver: Receiver

beforeEach(async () => {
  clock = testClock(1_614_265_330_999)
  outbound = createOutbound(clock, 15_000)
  receiver = await startReceiver()
})
afterEach(async () => {
  await Promise.all([outbound.close(), receiver.close()])
})

type Client = Record<string, unknown>

/** As the section `webhook` names it, by default with the client `wh1`. */
function configuredOf(client: Client, section: Client = {}) {
  const clients = [{ name: 'wh1', url: `${receiver.url}/mpush`, ...client }]
  const [configured] = webhook.configured({ ...section, clients }, BACKOFF)
  if (!configured) throw new Error('the webhook was not configured')
  return configured
}

function endpointOf(client: Client, section: Client = {}): Endpoint {
  return configuredOf(client, section).endpoint
}

function send(client: Client, message: Partial<MessageFrame> = {}, section: Client = {}) {
  return endpointOf(client, section).send({ ...contentOf(), frame: { ...frame, ...message } }, ioOf(outbound, clock))
}

/** The query that the receiver got, decoded, in order. */
async function queryOf(client: Client, extra: Record<string, unknown>): Promise<[string, string][]> {
  const message = { text: 'T', desp: '', extra }
  expect(await send({ method: 'GET', ...client }, { message })).toEqual({ kind: 'delivered' })
  return [...new URL(receiver.requests[0]?.url ?? '', receiver.url).searchParams]
}

describe('GET', () => {
  test('is as the README of mpush has it', async () => {
    await send({ method: 'GET' })
    const documented =
      '/mpush?sendType=personal&target=wh1&fromMethod=websock&fromName=anonymous&mid=1111111111111&text=text10&desp=desp10&a=233&b=%7B%22hello%22:%22world%22%7D'
    expect(receiver.requests).toMatchObject([{ method: 'GET', body: '' }])
    expect(receiver.requests[0]?.url).toBe(documented.replace('%22:%22', '%22%3A%22'))
    expect(receiver.requests[0]?.headers).toMatchObject({ authorization: HUB_TOKEN })
    expect(receiver.requests[0]?.headers).not.toHaveProperty('content-type')
  })

  test('of a message that came by http says so', async () => {
    await send({ method: 'GET' }, { from: { method: 'http', name: '' } })
    expect(receiver.requests[0]?.url).toContain('&fromMethod=http&fromName=&')
  })

  test('extra follows: text as it is, other values as JSON, arrays repeated, null left out', async () => {
    const extra = { s: 'D&d 早', n: 1.5, yes: true, no: null, c: ['1', 2, { x: 1 }, null], o: { p: [1] }, 'k é': '' }
    expect((await queryOf({}, extra)).slice(7)).toEqual([
      ['s', 'D&d 早'],
      ['n', '1.5'],
      ['yes', 'true'],
      ['c[]', '1'],
      ['c[]', '2'],
      ['c[]', '{"x":1}'],
      ['c[]', 'null'],
      ['o', '{"p":[1]}'],
      ['k é', ''],
    ])
  })

  test('extra never overrides', async () => {
    const documented = ['sendType', 'target', 'fromMethod', 'fromName', 'mid', 'text', 'desp']
    const extra = Object.fromEntries(
      documented.flatMap((key) => [key, `${key}[]`, `${key}[x]`].map((k) => [k, 'EVIL'])),
    )
    const query = await queryOf({}, { ...extra, mid: ['EVIL'], texts: 'fine' })
    expect(query.map(([key]) => key)).toEqual([...documented, 'texts'])
    expect(query.flat()).not.toContain('EVIL')
  })

  test("the URL's own query stays in front", async () => {
    const query = await queryOf({ url: `${receiver.url}/in?fixed=1&text=own#part` }, {})
    expect(query.slice(0, 4)).toEqual([
      ['fixed', '1'],
      ['text', 'own'],
      ['sendType', 'personal'],
      ['target', 'wh1'],
    ])
  })
})

describe('POST', () => {
  test('is the whole packet', async () => {
    expect(await send({ method: 'POST' })).toEqual({ kind: 'delivered' })
    const [got] = receiver.requests
    expect(got).toMatchObject({ method: 'POST', url: '/mpush' })
    expect(JSON.parse(got?.body ?? '')).toEqual({ cmd: 'MESSAGE', data: frame })
    expect(got?.headers).toMatchObject({
      'content-type': 'application/json;charset=utf-8',
      accept: 'application/json, text/plain, */*',
      authorization: HUB_TOKEN,
    })
  })

  test('is the default', async () => {
    await send({})
    expect(receiver.requests).toMatchObject([{ method: 'POST' }])
  })

  test('user and password of the URL go in place of the hub token', async () => {
    await send({ url: `${receiver.url.replace('//', '//me:p%3Aw@')}/x` })
    const basic = `Basic ${Buffer.from('me:p:w').toString('base64')}`
    expect(receiver.requests).toMatchObject([{ url: '/x', headers: { authorization: basic } }])
  })
})

describe('a secret', () => {
  const vectors = (file: string) =>
    JSON.parse(readFileSync(new URL(`./vectors/${file}.json`, import.meta.url), 'utf8')) as Record<string, string>

  test.each(['standard-webhooks', 'standard-webhooks-published'])('signs as in %s', (file) => {
    const { secret = '', id = '', timestamp = '', body = '', expected } = vectors(file)
    expect(signature(secret, id, Number(timestamp) * 1000, body)).toEqual({
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': expected,
    })
  })

  test('goes over the exact bytes sent, and the hub token stays at home', async () => {
    await send({ secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
    const { headers = {}, body = '' } = receiver.requests[0] ?? {}
    expect(headers).toMatchObject(signature('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', frame.mid, clock.now(), body))
    expect(headers).toMatchObject({ 'webhook-id': frame.mid, 'webhook-timestamp': '1614265330' })
    expect(headers).not.toHaveProperty('authorization')
  })

  test('may be any text; a GET is signed over its query', async () => {
    await send({ secret: 'hush', method: 'GET', url: `${receiver.url}/?own=1` })
    const { headers = {}, url = '' } = receiver.requests[0] ?? {}
    expect(headers).toMatchObject(signature('hush', frame.mid, clock.now(), url.slice('/?'.length)))
  })

  test('keeps its id over retries and gets a fresh time', async () => {
    await send({ secret: 'hush' })
    clock.jump(3_000)
    await send({ secret: 'hush' })
    const [first, second] = receiver.requests.map(({ headers }) => headers)
    expect(second?.['webhook-id']).toBe(first?.['webhook-id'])
    expect(second?.['webhook-timestamp']).toBe('1614265333')
  })

  test('of nothing is refused', () => {
    expect(() => endpointOf({ secret: 'whsec_' })).toThrow('whsec_')
    expect(() => endpointOf({ secret: '' })).toThrow('secret')
  })
})

describe('outcomes', () => {
  test('410 is for good; 429 and 503 say when; anything else is tried again', async () => {
    receiver.answer = status(410)
    expect(await send({})).toMatchObject({ kind: 'failed', detail: 'HTTP 410' })
    receiver.answer = status(429, { 'retry-after': '9' })
    expect(await send({})).toMatchObject({ kind: 'retry', detail: 'HTTP 429', retryAfterMs: 9_000 })
    receiver.answer = status(302, { location: receiver.url })
    expect(await send({})).toMatchObject({ kind: 'retry', detail: 'HTTP 302' })
    expect(receiver.requests).toHaveLength(3)
  })

  test('the server of an endpoint behind a proxy is the proxy', () => {
    const webhooks = [{ url: 'https://far.test/hook', proxy: { host: 'proxy.test', port: 3128 } }]
    expect(webhook.endpoints({ webhooks }, undefined, BACKOFF)).toMatchObject([{ server: 'http://proxy.test:3128' }])
  })

  test('a proxy of the client wins over that of the section', async () => {
    const [mine, theirs] = [await startProxy(), await startProxy()]
    const proxy = { host: '127.0.0.1', port: theirs.port, auth: { username: 'u', password: 'p' } }
    expect(await send({}, {}, { proxy })).toEqual({ kind: 'delivered' })
    expect(theirs.asked).toMatchObject([{ line: `POST ${receiver.url}/mpush`, auth: expect.stringMatching(/^Basic /) }])
    expect(await send({ proxy: { host: '127.0.0.1', port: mine.port } }, {}, { proxy })).toEqual({ kind: 'delivered' })
    expect(mine.asked).toMatchObject([{ auth: undefined }])
    expect(theirs.asked).toHaveLength(1)
    await Promise.all([mine.close(), theirs.close()])
  })
})

describe('config', () => {
  test('the section that mpush documents is accepted as it is', () => {
    const proxy = { host: '127.0.0.1', port: 12333, auth: { username: 'string', password: 'string' }, protocol: 'http' }
    const client = { name: 'wh1', group: 'group2', url: 'http://127.0.0.1:8089/', method: 'GET', proxy }
    const configured = configuredOf(client, { retryTimeout: 3000, proxy })
    expect(configured).toMatchObject({ recipient: 'wh1', group: 'group2' })
    expect(configured.endpoint.backoff).toEqual({ firstMs: 3000, maxMs: 3_600_000, tries: Infinity })
    expect(configured.endpoint.capabilities).toMatchObject({ ordered: true, onUnknown: 'retry', shared: false })
  })

  test('3 s is the first delay unless told', () => {
    expect(endpointOf({}).backoff.firstMs).toBe(3000)
    expect(endpointOf({}, { retryTimeout: 7_200_000 }).backoff).toMatchObject({ firstMs: 7_200_000, maxMs: 7_200_000 })
  })

  test('a platform has webhooks without a recipient of their own, with the backoff of the hub', () => {
    const webhooks = [{ url: 'http://a.test/x' }, { name: 'Jobs', url: 'http://b.test/y', method: 'GET' }]
    const endpoints = webhook.endpoints({ webhooks }, undefined, BACKOFF)
    expect(endpoints).toMatchObject([
      { name: 'a.test', backoff: BACKOFF },
      { name: 'Jobs', backoff: BACKOFF },
    ])
    expect(() => webhook.endpoints({ webhooks: [] }, undefined, BACKOFF)).toThrow('webhooks')
    expect(() => webhook.endpoints({}, undefined, BACKOFF)).toThrow('webhooks')
  })

  test('an endpoint has a stable id that tells nothing', () => {
    const url = 'http://127.0.0.1:8089/canary-path'
    expect(endpointOf({ url }).id).toMatch(/^webhook:[0-9a-f]{12}$/)
    expect(endpointOf({ url }).id).toBe(endpointOf({ url }).id)
    expect(endpointOf({ url, method: 'GET' }).id).not.toBe(endpointOf({ url }).id)
  })

  test.each([
    [{ url: 'ftp://a.test/' }, 'url'],
    [{ url: 'a.test' }, 'url'],
    [{ method: 'PUT' }, 'method'],
    [{ name: '' }, 'name'],
    [{ prox: {} }, 'prox'],
    [{ proxy: { host: 'p' } }, 'port'],
    [{ proxy: { host: 'p', port: 0 } }, 'port'],
  ])('%j is refused', (client, at) => {
    expect(() => endpointOf(client)).toThrow(at)
  })
})

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

channelContract({
  channel: webhook,
  platform: (vendorUrl) => ({ webhooks: [{ url: `${vendorUrl}/hook`, secret }] }),
  section: () => ({}),
  ok: { status: 200, body: '' },
  check({ headers, body }, now) {
    const { data } = JSON.parse(body) as { data: MessageFrame }
    const [id, seconds, given] = ['id', 'timestamp', 'signature'].map((key) => String(headers[`webhook-${key}`]))
    const signed = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    const expected = signed.update(`${id}.${seconds}.${body}`).digest('base64')
    if (given !== `v1,${expected}`) return `the signature is ${given}`
    if (id !== data.mid || Math.abs(Number(seconds) * 1000 - now) > 1000) return `signed for ${id} at ${seconds}`
    return headers['authorization'] === undefined ? null : 'it shows the token of the hub'
  },
  shown({ body }) {
    const { data } = JSON.parse(body) as { data: MessageFrame }
    return `${data.message.text}\n${data.message.desp}`
  },
  links: false,
  malformed: 'delivered',
  responses: [
    { name: '201', answer: { status: 201, body: 'made' }, outcome: { kind: 'delivered' } },
    { name: '204', answer: { status: 204, body: '' }, outcome: { kind: 'delivered' } },
    { name: '302', answer: { status: 302, body: '' }, outcome: { kind: 'retry', detail: 'HTTP 302' } },
    { name: '404', answer: { status: 404, body: '' }, outcome: { kind: 'retry', detail: 'HTTP 404' } },
    { name: '410', answer: { status: 410, body: 'gone' }, outcome: { kind: 'failed', detail: 'HTTP 410' } },
  ],
  secrets: [secret, secret.slice('whsec_'.length), 'canary-hub-token'],
})
