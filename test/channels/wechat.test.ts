import { describe, expect, test } from 'vitest'
import wechat from '../../server/channels/wechat.ts'
import { channelContract, contentOf } from '../contract/channel.ts'
import type { Received } from '../helpers/receiver.ts'

const KEY = '693a91f6-7a0c-4bc4-97a0-0ec25f1a5aaa'
const MAX: Readonly<Record<string, number>> = { text: 2_048, markdown: 4_096, markdown_v2: 4_096 }
const BACKOFF = { firstMs: 1_000, maxMs: 1_000, tries: 1 }

/** Type and text of a message, as the robot's page describes them. */
function messageIn({ body }: Received): { msgtype: string; content: string } {
  const { msgtype, ...parts } = JSON.parse(body) as { msgtype: string } & Record<string, { content: string }>
  if (Object.keys(parts).join() !== msgtype) throw new Error(`${Object.keys(parts).join()} beside msgtype ${msgtype}`)
  const { content, ...rest } = parts[msgtype] ?? { content: '' }
  if (Object.keys(rest).length > 0) throw new Error(`${Object.keys(rest).join()} beside the content`)
  return { msgtype, content }
}

channelContract({
  channel: wechat,
  platform: (vendorUrl) => ({ webhooks: [{ url: `${vendorUrl}/cgi-bin/webhook/send?key=${KEY}`, secret: '' }] }),
  ok: { status: 200, body: '{"errcode":0,"errmsg":"ok"}' },
  check(request) {
    const { method, url, headers, body } = request
    if (method !== 'POST' || url !== `/cgi-bin/webhook/send?key=${KEY}`) return `${method} ${url}`
    if (headers['content-type'] !== 'application/json; charset=utf-8') return 'content-type'
    if (/\\u[0-9a-f]{4}/i.test(body)) return '40033 escaped characters'
    const { msgtype, content } = messageIn(request)
    const max = MAX[msgtype]
    if (max === undefined) return `40008 invalid message type ${msgtype}`
    if (content === '') return '44004 empty content'
    if (Buffer.byteLength(content) > max) return `40058 exceed max length ${max}`
    return content.includes('<@') ? 'calls somebody' : null
  },
  shown: (request) => messageIn(request).content,
  counted: (request) => messageIn(request).content,
  responses: [
    {
      name: '93000 invalid webhook',
      answer: { status: 200, body: '{"errcode":93000,"errmsg":"invalid webhook url, hint: [1589], from ip: 1.2.3.4"}' },
      outcome: { kind: 'failed', detail: '93000 invalid webhook url, hint: [1589], from ip: 1.2.3.4' },
    },
    {
      name: '40058 too long',
      answer: { status: 200, body: '{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}' },
      outcome: { kind: 'failed' },
    },
    {
      name: '40008 message type',
      answer: { status: 200, body: '{"errcode":40008,"errmsg":"invalid message type"}' },
      outcome: { kind: 'failed' },
    },
    {
      name: '45009 too often',
      answer: { status: 200, body: '{"errcode":45009,"errmsg":"api freq out of limit"}' },
      outcome: { kind: 'retry', retryAfterMs: 60_000 },
    },
    {
      name: '-1 busy',
      answer: { status: 200, body: '{"errcode":-1,"errmsg":"system busy"}' },
      outcome: { kind: 'retry', detail: '-1 system busy' },
    },
    {
      name: '6000 two at once',
      answer: { status: 200, body: '{"errcode":6000,"errmsg":"data version conflict"}' },
      outcome: { kind: 'retry' },
    },
    { name: 'HTTP 403', answer: { status: 403, body: 'no' }, outcome: { kind: 'failed', detail: 'HTTP 403' } },
  ],
  secrets: [KEY],
})

describe('its robots', () => {
  const url = (key: string) => `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${key}`

  test('are called as the operator calls them, else by number', () => {
    const webhooks = [{ url: url('aaaa1111'), secret: '', name: '告警群' }, { url: url('bbbb2222') }]
    expect(wechat.endpoints({ webhooks }, undefined, BACKOFF).map(({ name }) => name)).toEqual([
      '告警群',
      'qyapi.weixin.qq.com #2',
    ])
  })

  test('are told apart by their keys', () => {
    const ids = wechat
      .endpoints({ webhooks: [{ url: url('aaaa1111') }, { url: url('bbbb2222') }] }, undefined, BACKOFF)
      .map(({ id }) => id)
    expect(new Set(ids).size).toBe(2)
  })

  test.each([[[]], [[{ url: 'ftp://a.example/' }]], [[{ url: '' }]]])('cannot be %j', (webhooks) => {
    expect(wechat.platform.safeParse({ webhooks }).success).toBe(false)
  })
})

test('no more than 20 a minute', () => {
  expect(wechat.capabilities.rates).toEqual([{ count: 20, perMs: 60_000 }])
})

test('what it sends, byte for byte', () => {
  const address = { url: '' }
  expect(wechat.render(contentOf({ title: '磁盘', body: '满' }), address)).toEqual([
    '{"msgtype":"text","text":{"content":"磁盘\\n满"}}',
  ])
  expect(wechat.render(contentOf({ style: 'card', level: 'error', title: '磁盘', body: '满' }), address)).toEqual([
    '{"msgtype":"markdown","markdown":{"content":"**<font color=\\"warning\\">磁盘</font>**\\n\\n满"}}',
  ])
})
