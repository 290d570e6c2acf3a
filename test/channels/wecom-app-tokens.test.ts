/** How often an application asks for its access token, and what comes of it when it gets none. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createOutbound, type Outbound } from '../../server/channels/outbound/outbound.ts'
import wecomApp from '../../server/channels/wecom-app.ts'
import { contentOf, ioOf } from '../contract/channel.ts'
import { type TestClock, testClock } from '../helpers/clock.ts'
import { type Received, type Receiver, startReceiver, status } from '../helpers/receiver.ts'

const AGENT = 1_000_002
const SECRET = 'canary of the/app+'
const OK = '{"errcode":0,"errmsg":"ok","msgid":"xx"}'
/** as it stands in the documentation of the old SDK */
const ALL_INVALID =
  '{"errcode":81013,"errmsg":"user & party & tag all invalid, hint: [1589355369_79_14baebabcb4723b8ddb56d226fc7babe],"invaliduser":"test"}'
const BACKOFF = { firstMs: 1_000, maxMs: 1_000, tries: 1 }
const tokenAnswer = (token: string) =>
  JSON.stringify({ errcode: 0, errmsg: 'ok', access_token: token, expires_in: 7_200 })

function pathOf({ url }: Received) {
  const { pathname, searchParams } = new URL(url, 'http://vendor')
  return { pathname, query: Object.fromEntries(searchParams) }
}

let clock: TestClock
let outbound: Outbound
let vendor: Receiver
let tokens: string[]
let valid: Set<string>
let grant: () => string
let refusedWith: number

beforeEach(async () => {
  clock = testClock()
  outbound = createOutbound(clock, 15_000)
  tokens = []
  valid = new Set()
  refusedWith = 42_001
  grant = () => {
    const token = `token-${tokens.length + 1}`
    tokens.push(token)
    valid.add(token)
    return tokenAnswer(token)
  }
  vendor = await startReceiver((response, request) => {
    const { pathname, query } = pathOf(request)
    if (pathname === '/cgi-bin/gettoken') return void response.end(grant())
    response.end(valid.has(query['access_token'] ?? '') ? OK : JSON.stringify({ errcode: refusedWith, errmsg: 'no' }))
  })
})
afterEach(async () => {
  await Promise.all([outbound.close(), vendor.close()])
})

/** of a company of its own: tokens outlive a test */
let company = 0
function endpoint(given: Record<string, unknown> = {}) {
  const corpid = `ww-counted-${company}`
  const [found] = wecomApp.endpoints(
    { corpid, agentid: AGENT, secret: SECRET, touser: 'a|b', baseUrl: `${vendor.url}/`, ...given },
    undefined,
    BACKOFF,
  )
  if (!found) throw new Error('no endpoint')
  return { send: () => found.send(contentOf(), ioOf(outbound, clock)) }
}
beforeEach(() => void (company += 1))
const sends = () => vendor.requests.filter(({ method }) => method === 'POST')

test('one token is enough for messages at once and after each other, for two hours less five minutes', async () => {
  const { send } = endpoint()
  expect(await Promise.all(Array.from({ length: 10 }, send))).toEqual(
    Array.from({ length: 10 }, () => ({ kind: 'accepted' })),
  )
  clock.jump(6_899_999)
  await send()
  expect(tokens).toHaveLength(1)
  clock.jump(1)
  await send()
  expect(tokens).toHaveLength(2)
  expect(sends()).toHaveLength(12)
})

test('another endpoint of the same application has the same token, another secret has not', async () => {
  await endpoint().send()
  await endpoint({ touser: 'c' }).send()
  expect(tokens).toHaveLength(1)
  await endpoint({ secret: 'another-secret' }).send()
  expect(tokens).toHaveLength(2)
})

test.each([40_014, 42_001, 40_001])(
  'a token that is refused with %i is asked for once more by all who find out',
  async (code) => {
    refusedWith = code
    const { send } = endpoint()
    await send()
    valid.clear()
    expect(await Promise.all(Array.from({ length: 10 }, send))).toEqual(
      Array.from({ length: 10 }, () => ({ kind: 'accepted' })),
    )
    expect(tokens).toHaveLength(2)
    expect(sends()).toHaveLength(1 + 10 + 10)
  },
)

test.each([
  ['{"errcode":40001,"errmsg":"invalid credential"}', { kind: 'failed', detail: 'gettoken 40001 invalid credential' }],
  ['{"errcode":40013,"errmsg":"invalid corpid"}', { kind: 'failed' }],
  ['{"errcode":-1,"errmsg":"system busy"}', { kind: 'retry', detail: 'gettoken -1 system busy' }],
  ['{"errcode":45009,"errmsg":"freq"}', { kind: 'retry', retryAfterMs: 60_000 }],
])('without a token nothing is sent: %s', async (body, outcome) => {
  grant = () => body
  expect(await endpoint().send()).toMatchObject({ ...outcome, answer: body })
  expect(sends()).toEqual([])
})

test.each(['{"errcode":0,"access_token":"canary-half-a-tok', '{"errcode":0}', '{"errcode":0,"access_token":""}', ''])(
  'an answer that holds no token, or half a one, is not repeated: %s',
  async (body) => {
    grant = () => body
    const outcome = await endpoint().send()
    expect(outcome).toEqual({ kind: 'retry', detail: 'gettoken: the answer makes no sense', parts: 0 })
    expect(sends()).toEqual([])
  },
)

test('a refusal that repeats the request does not repeat the secret', async () => {
  vendor.answer = (response, { url }) => response.end(JSON.stringify({ errcode: 40_001, errmsg: `no: ${url}` }))
  const outcome = await endpoint().send()
  expect(outcome).toMatchObject({ kind: 'failed', detail: expect.stringContaining('corpsecret=[secret]') })
  expect(JSON.stringify(outcome)).not.toMatch(/canary|app/)
})

test('a token that never came leaves no doubt: the message was not sent', async () => {
  vendor.answer = (response) => response.socket?.resetAndDestroy()
  expect(await endpoint().send()).toMatchObject({ kind: 'retry' })
  vendor.answer = status(502)
  expect(await endpoint().send()).toMatchObject({ kind: 'retry', detail: 'gettoken HTTP 502' })
})

test('without a lifetime, two hours are meant', async () => {
  grant = () => {
    tokens.push('t')
    valid.add('t')
    return '{"errcode":0,"access_token":"t"}'
  }
  const { send } = endpoint()
  await send()
  clock.jump(6_000_000)
  await send()
  expect(tokens).toHaveLength(1)
})

test('a direct call hands back the very words, even where they are no JSON as in the old documentation', async () => {
  vendor.answer = (response, { method }) => response.end(method === 'GET' ? grant() : ALL_INVALID)
  const direct = wecomApp.direct({
    corpid: `ww-counted-${company}`,
    agents: { [AGENT]: SECRET },
    baseUrl: vendor.url,
  })
  const target = { touser: 'test', agentid: `${AGENT}` }
  expect(await direct?.send(contentOf({ title: 'hello', body: '' }, { target }), ioOf(outbound, clock))).toMatchObject({
    answer: ALL_INVALID,
  })
  expect(JSON.parse(sends()[0]?.body ?? '')).toMatchObject({
    touser: 'test',
    agentid: AGENT,
    msgtype: 'text',
    text: { content: 'hello' },
  })
})
