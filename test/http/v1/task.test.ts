import { describe, expect, test } from 'vitest'
import { taskId } from '../../../server/protocol/ids.ts'
import { testClock } from '../../helpers/clock.ts'
import type { Overrides } from '../../helpers/hub.ts'
import { GOOD, later, PUSH, robot, startApi, type Task, webhooks, whileTurning } from '../../helpers/pushserver.ts'
import { type Receiver, status } from '../../helpers/receiver.ts'

const NOON = Date.UTC(2025, 0, 4, 12)
const quiet: Overrides = { clients: [{ name: 'ops_alert' }] }
const ended = (task: Task) => task.status !== 'processing'

/** `ops_alert`, called 运维告警组, with these robots on the platform `webhook`. */
function ops(robots: Readonly<Record<string, Receiver>>, more: Overrides = {}): Overrides {
  return {
    queue: { retry_count: 2, retry_delay: 5 },
    recipients: { ops_alert: { name: '运维告警组', platforms: { webhook: webhooks(robots) } } },
    ...more,
  }
}

describe('a task that works', () => {
  test('is complete with its fields, in the order of the clock', async () => {
    const clock = testClock(NOON)
    const main = await robot()
    const hub = await startApi({ clock, config: ops({ 主告警机器人: main }) })
    const id = await whileTurning(clock, hub.pushed({ strategy: 'failover' }))
    const task = await hub.until(id, ended)
    expect(task).toEqual({
      task_id: id,
      status: 'completed',
      recipient: '运维告警组',
      strategy: 'failover',
      style: 'card',
      created_at: '2025-01-04T12:00:00Z',
      updated_at: '2025-01-04T12:00:00Z',
      completed_at: '2025-01-04T12:00:00Z',
      results: [
        {
          platform: 'webhook',
          webhook: '主告警机器人',
          status: 'success',
          message: '发送成功',
          timestamp: '2025-01-04T12:00:00Z',
        },
      ],
    })
  })

  test.each([
    ['1', '任务查询成功', '消息发送成功'],
    ['2', '获取任务状态成功', '发送成功'],
  ] as const)('is told in the words of version %s', async (dialect, message, sent) => {
    const main = await robot()
    const hub = await startApi({ config: ops({ main }, { server: { dialect } }) })
    const id = await hub.pushed()
    await hub.until(id, ended)
    const { json } = await hub.get(`/api/v1/task/${id}`)
    expect(json).toMatchObject({ code: 200, message, data: { task_id: id, results: [{ message: sent }] } })
  })

  test('is found under both forms of its id', async () => {
    const hub = await startApi({ config: quiet })
    const old = await startApi({ config: { ...quiet, server: { dialect: '1' } }, store: hub.store })
    const [id, uuid] = [await hub.pushed(), await old.pushed()]
    expect((await hub.task(uuid)).created_at).toBe((await old.task(uuid)).created_at)
    expect((await hub.task(uuid)).task_id).toMatch(/^task_/)
    expect((await old.task(id)).task_id).toMatch(/^[0-9a-f-]{36}$/)
    expect((await old.task((await old.task(id)).task_id)).task_id).not.toBe(uuid)
  })
})

describe('a recipient with sessions', () => {
  test('has it when its program acks', async () => {
    const hub = await startApi()
    const me = await hub.login('me')
    const id = await hub.pushed({ recipient_alias: 'me' })
    expect(await hub.task(id)).toMatchObject({ status: 'processing' })
    me.ack((await me.message()).mid)
    expect(await hub.until(id, ended)).toMatchObject({
      status: 'completed',
      recipient: 'me',
      strategy: 'failover',
      results: [{ platform: 'websocket', webhook: 'me', status: 'success', message: '发送成功' }],
    })
  })

  test('that is not there: nothing happened yet', async () => {
    const hub = await startApi({ config: quiet })
    expect(await hub.task(await hub.pushed())).toMatchObject({ status: 'processing', results: [] })
  })

  test('and a robot that fails: the task failed, until the program has it', async () => {
    const gone = await robot(status(410))
    const hub = await startApi({ config: { ...ops({ gone }), ...quiet } })
    const id = await hub.pushed()
    expect(await hub.until(id, ended)).toMatchObject({ status: 'failed', results: [{ webhook: 'gone' }] })
    const me = await hub.login('ops_alert')
    me.ack((await me.message()).mid)
    expect(await hub.until(id, ({ status }) => status === 'completed')).toMatchObject({
      results: [
        { platform: 'webhook', webhook: 'gone', status: 'failed' },
        { platform: 'websocket', webhook: 'ops_alert', status: 'success' },
      ],
    })
  })

  test('and a message that expires: a timeout', async () => {
    const clock = testClock(NOON)
    const hub = await startApi({ clock, config: quiet })
    const id = await hub.pushed({ expire: 30 })
    expect(await hub.task(id)).toMatchObject({ status: 'processing', results: [] })
    await later(clock, 30_000)
    expect(await hub.until(id, ended)).toMatchObject({
      status: 'failed',
      completed_at: '2025-01-04T12:00:30Z',
      results: [{ platform: 'websocket', webhook: 'ops_alert', status: 'timeout', message: '消息已过期' }],
    })
  })
})

describe('404', () => {
  const garbled = (id: string) => id.slice(0, -1) + (id.endsWith('0') ? '1' : '0')

  test('for what is no task, with the id as it came', async () => {
    const hub = await startApi({ config: quiet })
    const id = await hub.pushed()
    const mid = (await hub.post(GOOD, {}, PUSH)).headers.get('x-message-id') ?? ''
    for (const wrong of ['invalid-task-id', garbled(id), id.toUpperCase(), mid, 'task_20990101_000000_000000']) {
      const answer = await hub.get(`/api/v1/task/${wrong}`)
      expect(answer).toMatchObject({
        status: 404,
        json: { code: 404, message: '任务不存在', data: { task_id: wrong } },
      })
    }
    expect((await hub.get('/api/v1/task/%E4%BB%BB%2F%22')).json).toMatchObject({ data: { task_id: '任/"' } })
  })

  test('for a message to a group: it is no task of anybody', async () => {
    const hub = await startApi({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'a', group: 'dev' }] } })
    const toGroup = (await hub.get('/dev.group?text=x')).headers.get('x-message-id') ?? ''
    const toOne = (await hub.get('/a.send?text=x')).headers.get('x-message-id') ?? ''
    expect((await hub.get(`/api/v1/task/${taskId(toGroup, '2')}`)).status).toBe(404)
    expect(await hub.task(taskId(toOne, '2'))).toMatchObject({ recipient: 'a', style: 'text' })
  })
})
