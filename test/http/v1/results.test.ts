import { describe, expect, test } from 'vitest'
import { type Outcomes, resultsOf } from '../../../server/http/v1/results.ts'
import type { Attempt, Delivery, Message } from '../../../server/store/store.ts'

const AT = Date.UTC(2025, 0, 4, 1, 30, 5, 999)
const TIME = '2025-01-04T01:30:05Z'

const message: Message = {
  mid: String(AT),
  at: AT,
  from: { method: 'http', name: '' },
  to: ['ops@user'],
  body: {},
  blobs: [],
  strategy: null,
  expiresAt: null,
}
const delivery: Delivery = {
  mid: message.mid,
  recipient: 'ops@user',
  state: 'queued',
  via: null,
  at: AT,
  by: null,
  reason: null,
  open: true,
  step: 0,
  dueAt: null,
  holds: false,
}
const made: Attempt = {
  n: 1,
  step: 0,
  endpoint: 'feishu:1',
  channel: 'feishu',
  startedAt: AT,
  endedAt: AT,
  outcome: 'accepted',
  detail: null,
  maybeDuplicate: false,
}
const endpoints = [
  { id: 'feishu:1', channel: 'feishu', name: '主告警机器人' },
  { id: 'feishu:2', channel: 'feishu', name: '备用告警机器人' },
]

function results(more: Partial<Outcomes>) {
  return resultsOf({
    message,
    delivery,
    attempts: [],
    endpoints,
    stored: null,
    isEnded: false,
    sent: '发送成功',
    ...more,
  })
}

const ofAttempt = (more: Partial<Attempt>, isEnded = false) => results({ attempts: [{ ...made, ...more }], isEnded })

describe('an attempt', () => {
  test.each([
    ['taken by a provider', { outcome: 'accepted' }, 'success', '发送成功'],
    ['acked by a program', { outcome: 'delivered' }, 'success', '发送成功'],
    ['not quite as asked', { detail: '1 of 3 refused' }, 'success', '发送成功（1 of 3 refused）'],
    ['to be tried again', { outcome: 'retry', detail: 'HTTP 500' }, 'failed', 'HTTP 500'],
    ['failed for good', { outcome: 'failed', detail: '19021 sign match fail' }, 'failed', '19021 sign match fail'],
    ['failed without a word', { outcome: 'failed' }, 'failed', '发送失败'],
    ['without an answer', { outcome: 'unknown', detail: 'no answer within 10 s' }, 'timeout', 'no answer within 10 s'],
    ['in flight', { outcome: null, endedAt: null }, 'processing', '推送处理中'],
  ] as const)('%s', (_, more, status, text) => {
    expect(ofAttempt(more)).toEqual([
      { platform: 'feishu', webhook: '主告警机器人', status, message: text, timestamp: TIME },
    ])
  })

  test('that a crash cut short is a timeout, once nothing more is tried', () => {
    expect(ofAttempt({ outcome: null, endedAt: null }, true)).toMatchObject([
      { status: 'timeout', message: '推送超时' },
    ])
  })

  test('on an endpoint that the config has no more goes by its id', () => {
    expect(ofAttempt({ endpoint: 'feishu:9' })).toMatchObject([{ platform: 'feishu', webhook: 'feishu:9' }])
  })

  test('is the last of its endpoint, in the order they were first tried', () => {
    const attempts = [
      { ...made, n: 1, endpoint: 'feishu:2', outcome: 'retry', detail: 'one' },
      { ...made, n: 2, endpoint: 'feishu:1', outcome: 'retry', detail: 'two' },
      { ...made, n: 3, endpoint: 'feishu:2', outcome: 'failed', detail: 'three', maybeDuplicate: true },
    ]
    expect(results({ attempts })).toEqual([
      {
        platform: 'feishu',
        webhook: '备用告警机器人',
        status: 'failed',
        message: 'three',
        timestamp: TIME,
        maybeDuplicate: true,
      },
      { platform: 'feishu', webhook: '主告警机器人', status: 'failed', message: 'two', timestamp: TIME },
    ])
  })
})

describe('what no attempt tells', () => {
  const ofState = (more: Partial<Delivery>, attempts: readonly Attempt[] = []) =>
    results({ delivery: { ...delivery, ...more }, attempts })

  test('nothing, while nothing happened', () => {
    expect(ofState({})).toEqual([])
    expect(ofState({ state: 'accepted', via: 'feishu' })).toEqual([])
  })

  test.each([
    ['sent', 'websocket', null, 'processing', '推送处理中', 'ops'],
    ['delivered', 'websocket', null, 'success', '发送成功', 'ops'],
    ['delivered', 'websocket', 'phone', 'success', '发送成功', 'phone'],
    ['confirmed', 'websocket', '值班员', 'success', '发送成功', '值班员'],
    ['delivered', 'webpush', null, 'success', '发送成功', 'ops'],
    ['delivered', null, null, 'success', '发送成功', 'ops'],
  ] as const)('%s via %s by %s', (state, via, by, status, text, webhook) => {
    expect(ofState({ state, via, by })).toEqual([
      { platform: via ?? 'system', webhook, status, message: text, timestamp: TIME },
    ])
  })

  test('a confirm or ack through a robot is no other result than that of the robot', () => {
    expect(ofState({ state: 'confirmed', via: 'feishu', by: '值班员' }, [made])).toHaveLength(1)
    const failed = { ...made, outcome: 'retry', detail: 'HTTP 500' }
    expect(ofState({ state: 'delivered', via: 'websocket' }, [failed])).toMatchObject([
      { platform: 'feishu', status: 'failed' },
      { platform: 'websocket', status: 'success' },
    ])
  })

  test.each([
    ['expired', 'expired', 'timeout', '消息已过期'],
    ['failed', 'full', 'failed', '等待中的消息已满'],
    ['removed', 'removed', 'failed', '接收者已删除'],
    ['failed', 'exhausted', 'failed', '发送失败'],
  ] as const)('%s for the reason %s, before anything was tried', (state, reason, status, text) => {
    expect(ofState({ state, reason })).toEqual([
      { platform: 'feishu', webhook: '主告警机器人', status, message: text, timestamp: TIME },
    ])
    expect(results({ delivery: { ...delivery, state, reason }, endpoints: [] })).toMatchObject([
      { platform: 'websocket', webhook: 'ops', status },
    ])
  })

  test('an end after attempts says nothing more than they do', () => {
    const failed = { ...made, outcome: 'failed', detail: 'HTTP 410' }
    expect(ofState({ state: 'failed', reason: 'exhausted' }, [failed])).toHaveLength(1)
    expect(ofState({ state: 'expired', reason: 'expired' }, [failed])).toHaveLength(1)
  })
})

describe('what was sent to the system notifications', () => {
  const stored: Delivery = { ...delivery, recipient: 'system@user' }

  test.each(['queued', 'delivered', 'removed'] as const)('is there, or was: %s', (state) => {
    expect(results({ stored: { ...stored, state } })).toEqual([
      { platform: 'system', webhook: '系统通知存储', status: 'success', message: '发送成功', timestamp: TIME },
    ])
  })

  test('found no room', () => {
    expect(results({ stored: { ...stored, state: 'failed', reason: 'full' } })).toMatchObject([
      { platform: 'system', status: 'failed', message: '等待中的消息已满' },
    ])
  })
})
