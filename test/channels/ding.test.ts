import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import ding from '../../server/channels/ding.ts'
import { createOutbound, type Outbound } from '../../server/channels/outbound/outbound.ts'
import { channelContract, contentOf, ioOf } from '../contract/channel.ts'
import { type TestClock, testClock } from '../helpers/clock.ts'
import { type Received, type Receiver, startReceiver } from '../helpers/receiver.ts'

const SECRET = 'canary/secret+of the app'
const TOKEN = 'canary-access-token/+='
const BACKOFF = { firstMs: 1_000, maxMs: 1_000, tries: 1 }
const account = { appKey: 'dingappkey', appSecret: SECRET, robotCode: 'dingrobot' }
const people = (count: number) => Array.from({ length: count }, (_, at) => `user${at + 1}`)
/** the gateway's words: a token that it does not know is HTTP 400 */
const NO_TOKEN = '{"code":"InvalidAuthentication","requestid":"R1","message":"不合法的access_token"}'
const TAKEN = '{"openDingId":"54165"}'

interface Body {
  readonly robotCode: string
  readonly remindType: number
  readonly receiverUserIdList: readonly string[]
  readonly content: string
}
const bodyOf = ({ body }: Received) => JSON.parse(body) as Body
const refused = (code: string, status = 400) => ({
  status,
  body: JSON.stringify({ code, requestid: 'R1', message: 'in words' }),
})

channelContract({
  channel: ding,
  platform: (baseUrl) => ({ ...account, userIds: ['a', 'b'], baseUrl }),
  ok: { status: 200, body: TAKEN },
  aux({ method, url, body }) {
    if (method !== 'POST' || url !== '/v1.0/oauth2/accessToken') return null
    const { appKey, appSecret } = JSON.parse(body) as Record<string, string>
    if (appKey !== account.appKey || appSecret !== SECRET) return refused('invalidClientIdOrSecret')
    return { status: 200, body: JSON.stringify({ accessToken: TOKEN, expireIn: 7_200 }) }
  },
  check(request) {
    const { method, url, headers } = request
    if (method !== 'POST' || url !== '/v1.0/robot/ding/send') return `${method} ${url}`
    if (headers['x-acs-dingtalk-access-token'] !== TOKEN) return NO_TOKEN
    if (!headers['content-type']?.startsWith('application/json')) return 'content-type'
    const { robotCode, remindType, receiverUserIdList, content } = bodyOf(request)
    if (robotCode !== account.robotCode) return 'invalid.chatbotId'
    if (![1, 2, 3].includes(remindType)) return 'invalidParameter.param.invalid'
    if (receiverUserIdList.length === 0) return 'miss.staffId'
    if (receiverUserIdList.length > (remindType === 1 ? 200 : 20)) return 'ding.receivercount.limit'
    return content === '' ? 'invalidParameter.param.invalid' : null
  },
  shown: (request) => bodyOf(request).content,
  counted: (request) => bodyOf(request).content,
  overflow: 'cut',
  responses: [
    {
      name: 'no such robot',
      answer: refused('invalid.chatbotId'),
      outcome: { kind: 'failed', detail: 'invalid.chatbotId in words' },
    },
    { name: 'nothing left', answer: refused('ding.serverquota.insufficient'), outcome: { kind: 'failed' } },
    { name: 'an error of its own', answer: refused('send.ding.exception'), outcome: { kind: 'failed' } },
    { name: 'too many receivers', answer: refused('ding.receivercount.limit'), outcome: { kind: 'failed' } },
    { name: 'too fast', answer: refused('toomuch.msg'), outcome: { kind: 'retry', retryAfterMs: 60_000 } },
    ...['QpsLimitForApi', 'QpsLimitForAppkeyAndApi'].map((limit) => ({
      name: limit,
      answer: refused(`Forbidden.AccessDenied.${limit}`, 403),
      outcome: { kind: 'retry' as const },
    })),
    { name: 'no right', answer: refused('Forbidden.AccessDenied', 403), outcome: { kind: 'failed' } },
    { name: 'system error', answer: refused('system.error', 500), outcome: { kind: 'retry' } },
    { name: 'no token is right', answer: { status: 400, body: NO_TOKEN }, outcome: { kind: 'failed' } },
    {
      name: 'some not reached',
      answer: { status: 200, body: '{"openDingId":"5","failedList":{"不在企业中":["b"]}}' },
      outcome: { kind: 'accepted', detail: '1 of 2 not reached: 不在企业中' },
    },
    {
      name: 'none reached',
      answer: { status: 200, body: '{"openDingId":"5","failedList":{"gone":["b"],"left":["a"]}}' },
      outcome: { kind: 'failed', detail: '2 of 2 not reached: gone, left' },
    },
    {
      name: 'nobody is missing',
      answer: { status: 200, body: '{"openDingId":"5","failedList":{}}' },
      outcome: { kind: 'accepted' },
    },
  ],
  secrets: [SECRET, TOKEN],
  direct: {
    account: (baseUrl) => ({ ...account, baseUrl }),
    target: { userIds: ['manager7675'] },
    refused: [{ userIds: [] }, { userIds: [''] }, { userIds: 'a' }, {}, { userIds: people(1_001) }],
  },
})

describe('in front of a vendor that counts', () => {
  let clock: TestClock
  let outbound: Outbound
  let vendor: Receiver
  let asked: number
  let valid: Set<string>
  /** tokens outlive a test */
  let company = 0

  beforeEach(async () => {
    clock = testClock()
    outbound = createOutbound(clock, 15_000)
    asked = 0
    valid = new Set()
    company += 1
    vendor = await startReceiver((response, { url, headers }) => {
      if (url === '/v1.0/oauth2/accessToken') {
        const token = `token-${(asked += 1)}`
        valid.add(token)
        return void response.end(JSON.stringify({ accessToken: token, expireIn: 7_200 }))
      }
      if (valid.has(String(headers['x-acs-dingtalk-access-token']))) return void response.end(TAKEN)
      response.writeHead(400).end(NO_TOKEN)
    })
  })
  afterEach(async () => {
    await Promise.all([outbound.close(), vendor.close()])
  })

  function send(given: Record<string, unknown> = {}) {
    const own = { ...account, appKey: `ding-${company}`, userIds: ['a'], baseUrl: `${vendor.url}/`, ...given }
    const [endpoint] = ding.endpoints(own, undefined, BACKOFF)
    if (!endpoint) throw new Error('no endpoint')
    return endpoint.send(contentOf(), ioOf(outbound, clock))
  }
  const calls = () => vendor.requests.filter(({ url }) => url.endsWith('/send'))

  test('one token is enough for calls at once and after each other', async () => {
    await Promise.all(Array.from({ length: 10 }, () => send()))
    clock.jump(6_899_999)
    await send()
    expect(asked).toBe(1)
    clock.jump(1)
    await send()
    expect(asked).toBe(2)
    expect(calls()).toHaveLength(12)
  })

  test('a token that is not known any more is asked for once, and each call made once', async () => {
    await send()
    valid.clear()
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => send()))
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => ({ kind: 'accepted' })))
    expect(asked).toBe(2)
    expect(calls()).toHaveLength(1 + 5 + 5)
  })

  test('so is one that is refused with 401', async () => {
    await send()
    const { answer } = vendor
    vendor.answer = (response, request) => {
      vendor.answer = answer
      valid.clear()
      response.writeHead(401).end('')
      expect(request.url).toContain('/send')
    }
    expect(await send()).toEqual({ kind: 'accepted' })
    expect(asked).toBe(2)
  })

  test('without a token nobody is called', async () => {
    const { status, body } = refused('invalidClientIdOrSecret')
    vendor.answer = (response) => response.writeHead(status).end(body)
    expect(await send()).toMatchObject({
      kind: 'failed',
      detail: 'accessToken invalidClientIdOrSecret in words',
      answer: body,
    })
    vendor.answer = (response) => response.socket?.resetAndDestroy()
    expect(await send()).toMatchObject({ kind: 'retry' })
    vendor.answer = (response) => response.end('{"accessToken":"canary-half-a-tok')
    expect(await send()).toEqual({ kind: 'retry', detail: 'accessToken: the answer makes no sense' })
    expect(calls()).toEqual([])
  })

  test.each([
    ['phone', 3, [20, 20, 5]],
    ['sms', 2, [20, 20, 5]],
    ['app', 1, [45]],
  ])('%s reaches 45 people, each of them once', async (remindType, kind, counts) => {
    expect(await send({ remindType, userIds: people(45) })).toEqual({ kind: 'accepted' })
    const bodies = calls().map(bodyOf)
    expect(bodies.map((body) => body.remindType)).toEqual(counts.map(() => kind))
    expect(bodies.map(({ receiverUserIdList }) => receiverUserIdList.length)).toEqual(counts)
    expect(bodies.flatMap(({ receiverUserIdList }) => receiverUserIdList)).toEqual(people(45))
  })

  test('people who are refused do not keep back the others', async () => {
    vendor.answer = (response, { url, body }) => {
      if (url.endsWith('/accessToken')) return response.end('{"accessToken":"t","expireIn":7200}')
      return body.includes('"user21"') ? response.writeHead(400).end(refused('miss.staffId').body) : response.end(TAKEN)
    }
    expect(await send({ userIds: people(60) })).toEqual({
      kind: 'accepted',
      detail: '1 of 3 refused: miss.staffId in words',
    })
    expect(calls()).toHaveLength(3)
  })
})

describe('described', () => {
  test('a call that may have been made is not made again', () => {
    expect(ding.capabilities.onUnknown).toBe('skip')
  })

  test('people are called unless told otherwise', () => {
    expect(ding.platform.parse(ding.example)).toMatchObject({
      remindType: 'phone',
      baseUrl: 'https://api.dingtalk.com',
    })
    expect(ding.platform.parse({ ...account, userIds: ['a'] })).toMatchObject({ remindType: 'phone' })
  })

  test.each([{ userIds: [] }, { userIds: ['a'], remindType: 'fax' }, { userIds: ['a'], robotCode: '' }])(
    'not %j',
    (given) => {
      expect(ding.platform.safeParse({ ...account, ...given }).success).toBe(false)
    },
  )

  test('Markdown is not read out', () => {
    const address = { ...account, remindType: 'phone' as const, baseUrl: '', userIds: ['a'] }
    const said = contentOf({ style: 'card', title: 'Disk full', body: '**nas1** has `3 GB`' })
    expect(ding.render(said, address)).toMatchObject([
      { body: expect.stringContaining('"content":"Disk full\\nnas1 has 3 GB"'), receivers: 1 },
    ])
  })
})
