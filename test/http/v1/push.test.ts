import { describe, expect, test } from 'vitest'
import { midOfTask, taskId } from '../../../server/protocol/ids.ts'
import { testClock } from '../../helpers/clock.ts'
import type { Overrides } from '../../helpers/hub.ts'
import { type ApiHub, GOOD, PUSH, robot, startApi, webhooks } from '../../helpers/pushserver.ts'

const refused = (error: string, status = 400, message = '请求参数错误') => ({
  status,
  json: { code: status, message, data: { error } },
})

/** `ops_alert` is a client that never connects, so that nothing goes out. */
const quiet: Overrides = { clients: [{ name: 'ops_alert' }] }

async function messagesFor(hub: ApiHub, name = 'ops_alert') {
  const { items } = await hub.store.inbox(`${name}@user`, { limit: 100 })
  return items.map(({ message }) => message)
}

describe('the answer', () => {
  const clock = testClock(Date.UTC(2025, 7, 4, 9, 7, 48, 123))
  const recipients = { ops_alert: { name: '运维告警组', strategy: 'mixed', platforms: {} } } as const

  test('of the second version', async () => {
    const hub = await startApi({ clock, config: { recipients } })
    const answer = await hub.post({ ...GOOD, strategy: 'failover' }, {}, PUSH)
    expect(answer).toMatchObject({ status: 200 })
    expect(answer.json).toEqual({
      code: 200,
      message: '推送任务已提交',
      data: {
        task_id: expect.stringMatching(/^task_20250804_090748_[0-9a-z]{6}$/),
        recipient: '运维告警组',
        strategy: 'failover',
        style: 'card',
        created_at: '2025-08-04T09:07:48Z',
      },
    })
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('x-message-id')).toMatch(/^\d{13}$/)
  })

  test('of the first version', async () => {
    const hub = await startApi({ clock, config: { recipients, server: { dialect: '1' } } })
    const answer = await hub.post({ ...GOOD, style: 'text' }, {}, PUSH)
    expect(answer.json).toEqual({
      code: 200,
      message: '消息推送任务已创建',
      data: {
        task_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        recipient: '运维告警组',
        strategy: 'mixed',
        style: 'text',
        created_at: '2025-08-04T09:07:48Z',
      },
    })
  })

  test('the task is the message, whose mid is in the header', async () => {
    const hub = await startApi({ config: quiet })
    const { headers, json } = await hub.post(GOOD, {}, PUSH)
    const mid = headers.get('x-message-id') ?? ''
    expect(json).toMatchObject({ data: { task_id: taskId(mid, '2'), recipient: 'ops_alert', strategy: 'failover' } })
    expect(await messagesFor(hub)).toMatchObject([{ mid }])
  })
})

test('title is text, msg is desp; type and style stay in extra, beside what ours may add', async () => {
  const hub = await startApi({ config: quiet })
  await hub.pushed({
    extra: { ticket: 7, type: 'info', url: 'http://no' },
    url: 'https://wiki.example/cpu',
    foo: 'bar',
  })
  await hub.pushed({ type: 'success', style: 'text' })
  expect(await messagesFor(hub)).toMatchObject([
    {
      body: {
        text: '系统告警',
        desp: '服务器CPU使用率达到85%',
        extra: { ticket: 7, type: 'warning', style: 'card', url: 'https://wiki.example/cpu' },
      },
      from: { method: 'http', name: '' },
      to: ['ops_alert@user'],
      expiresAt: null,
    },
    { body: { extra: { type: 'success', style: 'text' } } },
  ])
})

test('a client that is connected under the alias gets it at once', async () => {
  const hub = await startApi()
  const me = await hub.login('me')
  await hub.pushed({ recipient_alias: 'me' })
  expect(await me.message()).toMatchObject({
    sendType: 'personal',
    target: 'me',
    message: { text: '系统告警', extra: { type: 'warning', style: 'card' } },
  })
})

describe('what is wrong is named', () => {
  const without = (key: string) => Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== key))

  const mistakes = [
    ['no alias', without('recipient_alias'), 'recipient_alias不能为空'],
    ['an empty alias', { ...GOOD, recipient_alias: '' }, 'recipient_alias不能为空'],
    ['an alias of null', { ...GOOD, recipient_alias: null }, 'recipient_alias不能为空'],
    ['a number as alias', { ...GOOD, recipient_alias: 7 }, 'recipient_alias必须是字符串'],
    ['an alias that is no name', { ...GOOD, recipient_alias: 'a/b' }, 'recipient_alias不是有效的名称'],
    ['a group', { ...GOOD, recipient_alias: 'ops@group' }, 'recipient_alias不是有效的名称'],
    ['no type', without('type'), 'type不能为空'],
    ['an empty type', { ...GOOD, type: '' }, 'type不能为空'],
    ['another type', { ...GOOD, type: 'fatal' }, 'type必须是info、warning、error、success之一'],
    ['no style', without('style'), 'style不能为空'],
    ['another style', { ...GOOD, style: 'html' }, 'style必须是text、card之一'],
    ['no content', without('content'), 'content不能为空'],
    ['a text as content', { ...GOOD, content: 'x' }, 'content必须是对象'],
    ['no title', { ...GOOD, content: { msg: 'x' } }, 'content.title不能为空'],
    ['an empty title', { ...GOOD, content: { title: '', msg: 'x' } }, 'content.title不能为空'],
    ['no msg', { ...GOOD, content: { title: 'x' } }, 'content.msg不能为空'],
    ['an empty msg', { ...GOOD, content: { title: 'x', msg: '' } }, 'content.msg不能为空'],
    ['a number as msg', { ...GOOD, content: { title: 'x', msg: 5 } }, 'content.msg必须是字符串'],
    [
      'another strategy',
      { ...GOOD, strategy: 'random' },
      'strategy必须是all、failover、webhook_failover、mixed、escalate、platform之一',
    ],
    ['no platform where one is meant', { ...GOOD, strategy: 'platform' }, 'platform不能为空'],
    ['a number as platform', { ...GOOD, platform: 5 }, 'platform必须是字符串'],
    ['a platform it has not', { ...GOOD, platform: 'feishu' }, '接收者未配置该platform: feishu'],
    ['a platform that is none', { ...GOOD, platform: 'x'.repeat(99) }, `接收者未配置该platform: ${'x'.repeat(64)}`],
    ['a link elsewhere', { ...GOOD, url: 'javascript:alert(1)' }, 'url必须是http或https地址'],
    ['a list as extra', { ...GOOD, extra: [1] }, 'extra必须是对象'],
    ['a text as expire', { ...GOOD, expire: '60' }, 'expire必须是秒数'],
    ['no time at all', { ...GOOD, expire: 0 }, 'expire必须大于0'],
    ['an age', { ...GOOD, expire: 1e300 }, 'expire过大'],
    ['a number as key', { ...GOOD, idempotency_key: 5 }, 'idempotency_key必须是字符串'],
    ['a long key', { ...GOOD, idempotency_key: 'k'.repeat(256) }, 'idempotency_key不能超过255个字符'],
    ['a list', [GOOD], '请求体必须是JSON对象'],
    ['null', 'null', '请求体必须是JSON对象'],
    ['no JSON', '{"recipient_alias":', '请求体不是有效的JSON'],
    ['nothing', '', '请求体不是有效的JSON'],
    ['a key that is not allowed', '{"extra":{"__proto__":1}}', '不允许使用__proto__、constructor、prototype作为键'],
  ] as const

  test('field by field, and nothing is accepted', async () => {
    const hub = await startApi({ config: quiet })
    for (const [name, body, error] of mistakes) {
      expect(await hub.post(body, {}, PUSH), name).toMatchObject(refused(error))
    }
    expect(await messagesFor(hub)).toEqual([])
  })

  test('an alias that nobody has is 404, with a platform, too', async () => {
    const hub = await startApi({ config: quiet })
    for (const more of [{}, { platform: 'feishu' }]) {
      const answer = await hub.post({ ...GOOD, ...more, recipient_alias: 'nobody' }, {}, PUSH)
      expect(answer).toMatchObject(refused('接收者不存在: nobody', 404, '资源不存在'))
    }
  })

  test('system belongs to the admin', async () => {
    const hub = await startApi()
    const answer = await hub.post({ ...GOOD, recipient_alias: 'system' }, {}, PUSH)
    expect(answer).toMatchObject(refused('没有权限执行该操作', 403, '没有权限'))
  })

  test.each(['', null])('%j in a key that need not be there is as if it were not', async (value) => {
    const hub = await startApi({ config: quiet })
    const unused = { strategy: value, platform: value, url: value, extra: value, idempotency_key: value, expire: value }
    await hub.pushed(unused)
    expect(await messagesFor(hub)).toMatchObject([{ strategy: null, expiresAt: null }])
  })
})

describe('strategy and platform', () => {
  test.each(['all', 'failover', 'webhook_failover', 'mixed', 'escalate'])('%s is kept and told', async (strategy) => {
    const hub = await startApi({ config: quiet })
    const { json } = await hub.post({ ...GOOD, strategy }, {}, PUSH)
    expect(json).toMatchObject({ data: { strategy } })
    expect(await messagesFor(hub)).toMatchObject([{ strategy }])
  })

  test.each(['all', 'nonsense', 'platform', 5])('a platform wins over the strategy %j', async (strategy) => {
    const hook = await robot()
    const config = { recipients: { ops_alert: { platforms: { webhook: webhooks({ hook }) } } } }
    const hub = await startApi({ config })
    const { json } = await hub.post({ ...GOOD, strategy, platform: 'webhook' }, {}, PUSH)
    expect(json).toMatchObject({ code: 200, data: { strategy: 'platform' } })
    expect(await messagesFor(hub)).toMatchObject([{ strategy: 'platform:webhook' }])
    await hook.received(1)
  })

  test('a platform that is disabled is one it has not', async () => {
    const hook = await robot()
    const config = { recipients: { ops_alert: { platforms: { webhook: { enabled: false, ...webhooks({ hook }) } } } } }
    const hub = await startApi({ config })
    expect(await hub.post({ ...GOOD, platform: 'webhook' }, {}, PUSH)).toMatchObject(
      refused('接收者未配置该platform: webhook'),
    )
  })
})

describe('expire', () => {
  test('is in seconds; without it the config counts', async () => {
    const clock = testClock()
    const hub = await startApi({ clock, config: { ...quiet, expire: 60 } })
    await hub.pushed({ expire: 1.5 })
    await hub.pushed()
    expect(await messagesFor(hub)).toMatchObject([
      { expiresAt: clock.now() + 1_500 },
      { expiresAt: clock.now() + 60_000 },
    ])
  })
})

describe('an idempotency key', () => {
  test.each([
    ['in the header', [{}, { 'idempotency-key': 'k' }]],
    ['in the body', [{ idempotency_key: 'k' }, {}]],
    ['in both, where the header counts', [{ idempotency_key: 'other' }, { 'idempotency-key': 'k' }]],
  ] as const)('%s gives a repeat the same task', async (_, [more, headers]) => {
    const hub = await startApi({ config: quiet })
    const first = await hub.pushed({ idempotency_key: 'k' })
    expect(await hub.pushed(more, { ...headers })).toBe(first)
    expect(await hub.pushed()).not.toBe(first)
    expect(await messagesFor(hub)).toHaveLength(2)
  })

  test('with another message is refused', async () => {
    const hub = await startApi({ config: quiet })
    await hub.pushed({ idempotency_key: 'k' })
    const answer = await hub.post({ ...GOOD, type: 'info', idempotency_key: 'k' }, {}, PUSH)
    expect(answer).toMatchObject(refused('该幂等键已用于另一条消息', 422, '幂等键冲突'))
  })
})

test('pushes at the same time are different tasks', async () => {
  const hub = await startApi({ config: quiet })
  const ids = await Promise.all(Array.from({ length: 200 }, () => hub.pushed()))
  expect(new Set(ids).size).toBe(200)
  expect(new Set(ids.map(midOfTask)).has(null)).toBe(false)
})
