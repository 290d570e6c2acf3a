import { describe, expect, test } from 'vitest'
import wecomApp from '../../server/channels/wecom-app.ts'
import { channelContract, contentOf } from '../contract/channel.ts'
import type { Received } from '../helpers/receiver.ts'

const CORPID = 'ww0123456789abcdef'
const SECRET = 'canary/secret+of the app'
const TOKEN = 'canary-access-token/+='
const AGENT = 1_000_002
const OK = '{"errcode":0,"errmsg":"ok","msgid":"xx"}'
const BACKOFF = { firstMs: 1_000, maxMs: 1_000, tries: 1 }

const platform = (baseUrl: string) => ({ corpid: CORPID, agentid: AGENT, secret: SECRET, touser: 'a|b', baseUrl })
const account = (baseUrl: string) => ({ corpid: CORPID, agents: { [AGENT]: SECRET }, baseUrl })
const answer = (body: string) => ({ status: 200, body })

function messageIn({ body }: Received) {
  const message = JSON.parse(body) as Record<string, unknown> & {
    msgtype: string
    touser: string
    agentid: number
    enable_duplicate_check: number
  }
  const { content } = message[message.msgtype] as { content: string }
  return { ...message, content }
}

function pathOf({ url }: Received) {
  const { pathname, searchParams } = new URL(url, 'http://vendor')
  return { pathname, query: Object.fromEntries(searchParams) }
}

channelContract({
  channel: wecomApp,
  platform,
  ok: answer(OK),
  aux(request) {
    const { pathname, query } = pathOf(request)
    if (request.method !== 'GET' || pathname !== '/cgi-bin/gettoken') return null
    if (query['corpid'] !== CORPID || query['corpsecret'] !== SECRET) return answer('{"errcode":40001}')
    return answer(JSON.stringify({ errcode: 0, errmsg: 'ok', access_token: TOKEN, expires_in: 7_200 }))
  },
  check(request) {
    const { pathname, query } = pathOf(request)
    if (request.method !== 'POST' || pathname !== '/cgi-bin/message/send') return `${request.method} ${request.url}`
    if (query['access_token'] !== TOKEN) return '40014 invalid access_token'
    const { agentid, touser, msgtype, content, enable_duplicate_check } = messageIn(request)
    if (agentid !== AGENT) return '40056 invalid agentid'
    if (!/^\w+(\|\w+)*$/.test(touser)) return '81013 nobody'
    if (msgtype !== 'text' && msgtype !== 'markdown') return '40008 invalid message type'
    if (content === '') return '44004 empty content'
    if (enable_duplicate_check !== 1) return 'a retry would be shown twice'
    return Buffer.byteLength(content) > 2_048 ? 'the rest is dropped without a word' : null
  },
  shown: (request) => messageIn(request).content,
  counted: (request) => messageIn(request).content,
  malformed: 'retry',
  responses: [
    {
      name: '60020 address not trusted',
      answer: answer('{"errcode":60020,"errmsg":"not allow to access from your ip"}'),
      outcome: { kind: 'failed', detail: '60020 not allow to access from your ip' },
    },
    {
      name: '81013 nobody valid',
      answer: answer('{"errcode":81013,"errmsg":"user & party & tag all invalid","invaliduser":"a|b"}'),
      outcome: { kind: 'failed', detail: '81013 user & party & tag all invalid' },
    },
    ...[40_056, 40_013, 45_002].map((errcode) => ({
      name: `${errcode}`,
      answer: answer(JSON.stringify({ errcode, errmsg: 'invalid' })),
      outcome: { kind: 'failed' as const },
    })),
    ...[45_009, 45_033].map((errcode) => ({
      name: `${errcode} too often`,
      answer: answer(JSON.stringify({ errcode, errmsg: 'freq' })),
      outcome: { kind: 'retry' as const, retryAfterMs: 60_000 },
    })),
    { name: '-1 busy', answer: answer('{"errcode":-1,"errmsg":"system busy"}'), outcome: { kind: 'retry' } },
    ...[40_014, 42_001, 40_001].map((errcode) => ({
      name: `${errcode} whatever the token`,
      answer: answer(JSON.stringify({ errcode, errmsg: 'invalid access_token' })),
      outcome: { kind: 'failed' as const },
    })),
    {
      name: 'some not reached',
      answer: answer('{"errcode":0,"errmsg":"ok","invaliduser":"b","invalidparty":"","unlicenseduser":"c|d"}'),
      outcome: { kind: 'accepted', detail: 'not reached: invaliduser b, unlicenseduser c|d' },
    },
  ],
  secrets: [SECRET, TOKEN],
  direct: {
    account,
    target: { touser: 'a|b', agentid: `${AGENT}` },
    refused: [
      { touser: 'a', agentid: '1000003' },
      { touser: 'a', agentid: 'constructor' },
      { touser: 'a' },
      { touser: '', agentid: `${AGENT}` },
      { touser: Array.from({ length: 1_001 }, () => 'a').join('|'), agentid: `${AGENT}` },
      { agentid: `${AGENT}` },
    ],
  },
})

describe('whom it reaches', () => {
  const base = { corpid: CORPID, agentid: '1000002', secret: SECRET }
  const bodyFor = (given: Record<string, string>) => {
    const [addressed] = wecomApp.endpoints({ ...base, ...given }, undefined, BACKOFF)
    return addressed?.id
  }

  test.each([{ touser: 'a' }, { toparty: '1|2' }, { totag: '1' }, { touser: '@all', agentid: 7 }])('%j', (to) => {
    expect(wecomApp.platform.safeParse({ ...base, ...to }).error).toBeUndefined()
  })

  test.each([
    [{}, 'one of touser, toparty and totag'],
    [{ touser: '' }, 'touser'],
    [{ toparty: Array.from({ length: 101 }, (_, at) => at).join('|') }, 'more than 100'],
    [{ touser: 'a', agentid: 'shop' }, 'agentid'],
    [{ touser: 'a', agentid: -1 }, 'agentid'],
  ])('not %j', (to, said) => {
    expect(wecomApp.platform.safeParse({ ...base, ...to }).error?.message).toContain(said)
  })

  test('tells endpoints apart, and the secret does not', () => {
    expect(bodyFor({ touser: 'a' })).not.toBe(bodyFor({ toparty: 'a' }))
    expect(bodyFor({ touser: 'a' })).not.toBe(bodyFor({ touser: 'b' }))
    expect(bodyFor({ touser: 'a' })).toBe(bodyFor({ touser: 'a', secret: 'changed' }))
  })
})

describe('what it sends', () => {
  const address = { baseUrl: '', corpid: '', secret: '', agentid: AGENT, to: { toparty: '2', totag: '3' } }

  test('is the same for a retry, and another for another message that says the same', () => {
    const content = contentOf()
    const other = { ...content, frame: { ...content.frame, mid: '1800000000002' } }
    expect(wecomApp.render(content, address)).toEqual(wecomApp.render(content, address))
    expect(wecomApp.render(other, address)).not.toEqual(wecomApp.render(content, address))
  })

  test('names no receivers but its own', () => {
    const [body = ''] = wecomApp.render(contentOf({ title: 'T', body: 'M' }), address)
    expect(JSON.parse(body)).toEqual({
      toparty: '2',
      totag: '3',
      agentid: AGENT,
      msgtype: 'text',
      text: { content: 'T\nM' },
      safe: 0,
      enable_duplicate_check: 1,
      duplicate_check_interval: 60,
      mid: '1800000000001',
    })
  })

  test('has no markdown_v2, which applications do not know', () => {
    const [body = ''] = wecomApp.render(contentOf({ style: 'card', body: '```\nx\n```' }), address)
    expect(JSON.parse(body)).toMatchObject({ msgtype: 'markdown' })
  })

  test('no more than 30 a minute and 1,000 an hour: more is dropped there', () => {
    expect(wecomApp.capabilities.rates).toEqual([
      { count: 30, perMs: 60_000 },
      { count: 1_000, perMs: 3_600_000 },
    ])
  })
})
