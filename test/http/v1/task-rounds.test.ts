import { describe, expect, onTestFinished, test } from 'vitest'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import { testClock } from '../../helpers/clock.ts'
import { silentLog, temporaryFolder } from '../../helpers/folder.ts'
import type { Overrides } from '../../helpers/hub.ts'
import { type ApiHub, later, robot, startApi, type Task, webhooks, whileTurning } from '../../helpers/pushserver.ts'
import { type Receiver, status } from '../../helpers/receiver.ts'

const NOON = Date.UTC(2025, 0, 4, 12)
const ended = (task: Task) => task.status !== 'processing'

/** `ops_alert`, called 运维告警组, with these robots on the platform `webhook`. */
function ops(robots: Readonly<Record<string, Receiver>>, more: Overrides = {}): Overrides {
  return {
    queue: { retry_count: 2, retry_delay: 5 },
    recipients: { ops_alert: { name: '运维告警组', platforms: { webhook: webhooks(robots) } } },
    ...more,
  }
}

describe('failover', () => {
  test('inside a channel goes to the next endpoint at once, and tells of both', async () => {
    const [broken, spare] = [await robot(status(503)), await robot()]
    const hub = await startApi({ config: ops({ broken, spare }) })
    const task = await hub.until(await hub.pushed({ strategy: 'failover' }), ended)
    expect(task).toMatchObject({
      status: 'completed',
      results: [
        { platform: 'webhook', webhook: 'broken', status: 'failed', message: 'HTTP 503' },
        { platform: 'webhook', webhook: 'spare', status: 'success' },
      ],
    })
    expect(broken.requests).toHaveLength(1)
  })

  test('tries in rounds; until the last one is over the task is processing, then it failed', async () => {
    const clock = testClock(NOON)
    const [one, two] = [await robot(status(500)), await robot(status(503))]
    const hub = await startApi({ clock, config: ops({ one, two }) })
    const id = await whileTurning(clock, hub.pushed({ strategy: 'failover' }))
    for (const rounds of [1, 2]) {
      const at = `2025-01-04T12:00:0${rounds * 6 - 6}Z`
      const told = ({ status, timestamp }: Task['results'][number]) => status === 'failed' && timestamp === at
      const hasTold = ({ results }: Task) => results.length === 2 && results.every(told)
      const task = await whileTurning(clock, hub.until(id, hasTold))
      expect(task).toMatchObject({ status: 'processing', updated_at: at })
      expect(task).not.toHaveProperty('completed_at')
      await later(clock, 6_000)
    }
    const task = await whileTurning(clock, hub.until(id, ended))
    expect(task).toMatchObject({
      status: 'failed',
      created_at: '2025-01-04T12:00:00Z',
      updated_at: '2025-01-04T12:00:12Z',
      completed_at: '2025-01-04T12:00:12Z',
      results: [
        { webhook: 'one', status: 'failed', message: 'HTTP 500', timestamp: '2025-01-04T12:00:12Z' },
        { webhook: 'two', status: 'failed', message: 'HTTP 503', timestamp: '2025-01-04T12:00:12Z' },
      ],
    })
    expect([one.requests.length, two.requests.length]).toEqual([3, 3])
  })

  test('a robot that comes back makes it complete', async () => {
    const clock = testClock(NOON)
    const one = await robot(status(500))
    const hub = await startApi({ clock, config: ops({ one }) })
    const id = await whileTurning(clock, hub.pushed())
    await whileTurning(
      clock,
      hub.until(id, ({ results }) => results[0]?.status === 'failed'),
    )
    one.answer = status(200)
    await later(clock, 6_000)
    expect(await whileTurning(clock, hub.until(id, ended))).toMatchObject({
      status: 'completed',
      completed_at: '2025-01-04T12:00:06Z',
      results: [{ status: 'success', message: '发送成功' }],
    })
  })

  test('where nothing will do better, it failed at once', async () => {
    const gone = await robot(status(410))
    const hub = await startApi({ config: ops({ gone }) })
    expect(await hub.until(await hub.pushed(), ended)).toMatchObject({
      status: 'failed',
      results: [{ status: 'failed', message: 'HTTP 410' }],
    })
  })
})

test('one that is asked and does not answer is processing, then a timeout', async () => {
  const clock = testClock(NOON)
  const silent = await robot(() => {})
  const hub = await startApi({ clock, config: ops({ silent }, { queue: { retry_count: 0, timeout: 10 } }) })
  const id = await whileTurning(clock, hub.pushed())
  await whileTurning(clock, silent.received(1))
  expect(await hub.task(id)).toMatchObject({
    status: 'processing',
    results: [{ webhook: 'silent', status: 'processing', message: '推送处理中' }],
  })
  await later(clock, 10_000)
  expect(await whileTurning(clock, hub.until(id, ended))).toMatchObject({
    status: 'failed',
    results: [{ status: 'timeout', message: 'no answer within 10 s' }],
  })
})

test('one that may have it twice says so', async () => {
  const clock = testClock(NOON)
  const silent = await robot(() => {})
  const hub = await startApi({ clock, config: ops({ silent }) })
  const id = await whileTurning(clock, hub.pushed())
  await whileTurning(clock, silent.received(1))
  silent.answer = status(200)
  await later(clock, 10_000)
  await whileTurning(
    clock,
    hub.until(id, ({ results }) => results[0]?.status === 'timeout'),
  )
  await later(clock, 6_000)
  expect(await whileTurning(clock, hub.until(id, ended))).toMatchObject({
    status: 'completed',
    results: [{ status: 'success', maybeDuplicate: true }],
  })
})

test('a task is known after a restart, and goes on', async () => {
  const folder = await temporaryFolder()
  onTestFinished(() => folder.remove())
  const clock = testClock(NOON)
  const one = await robot(status(500))
  const life = async (): Promise<ApiHub> =>
    startApi({
      clock,
      config: ops({ one }),
      store: createLowdbStore({ dir: folder.dir, clock, log: silentLog, onFailed: () => {} }),
    })

  const before = await life()
  const id = await whileTurning(clock, before.pushed({ strategy: 'all' }))
  await whileTurning(
    clock,
    before.until(id, ({ results }) => results[0]?.status === 'failed'),
  )
  const known = await before.task(id)
  await whileTurning(clock, before.close())

  one.answer = status(200)
  const after = await life()
  expect(await after.task(id)).toEqual(known)
  await later(clock, 12_000)
  expect(await whileTurning(clock, after.until(id, ended))).toMatchObject({
    task_id: id,
    status: 'completed',
    strategy: 'all',
    created_at: '2025-01-04T12:00:00Z',
    results: [{ webhook: 'one', status: 'success' }],
  })
  await whileTurning(clock, after.close())
})

describe('a ladder', () => {
  test('is processing while somebody may still confirm, then complete: it was sent', async () => {
    const clock = testClock(NOON)
    const one = await robot((response) => response.writeHead(200).end('{"code":0}'))
    const feishu = { webhooks: [{ name: 'one', url: `${one.url}/open-apis/bot/v2/hook/x` }] }
    const escalate = [{ platform: 'feishu', wait: 60 }]
    const hub = await startApi({ clock, config: { recipients: { ops_alert: { escalate, platforms: { feishu } } } } })
    const id = await whileTurning(clock, hub.pushed({ strategy: 'escalate', expire: 3_600 }))
    await whileTurning(
      clock,
      hub.until(id, ({ results }) => results[0]?.status === 'success'),
    )
    await later(clock, 59_000)
    expect(await hub.task(id)).toMatchObject({ status: 'processing', strategy: 'escalate' })
    await later(clock, 1_000)
    expect(await whileTurning(clock, hub.until(id, ended))).toMatchObject({ status: 'completed', results: [{}] })
    expect(await hub.data('/api/v1/notifications')).toMatchObject({
      notifications: [{ task_id: id, strategy: 'escalate', reason: '无人确认' }],
    })
  })
})

test('a task with an end of its time is over when its plan is', async () => {
  const clock = testClock(NOON)
  const one = await robot(status(500))
  const config = ops({ one }, { clients: [{ name: 'ops_alert' }], queue: { retry_count: 1, retry_delay: 5 } })
  const hub = await startApi({ clock, config })
  const id = await whileTurning(clock, hub.pushed({ expire: 60 }))
  await whileTurning(
    clock,
    hub.until(id, ({ results }) => results[0]?.status === 'failed'),
  )
  expect((await hub.task(id)).status).toBe('processing')
  await later(clock, 6_000)
  expect(await whileTurning(clock, hub.until(id, ended))).toMatchObject({
    status: 'failed',
    completed_at: '2025-01-04T12:00:06Z',
  })
})
