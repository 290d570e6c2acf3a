/** What PushServer forgot when it was restarted: tasks and notifications, after an end in order and after none. */
import { expect, test } from 'vitest'
import { isEnded, setStage } from './pushserver/stage.ts'

const NOTIFICATIONS = '/api/v1/notifications'

test.each(['SIGTERM', 'SIGKILL'] as const)('after %s tasks and notifications are what they were', async (signal) => {
  const stage = await setStage('second')
  const { vendors } = stage
  const first = await stage.start()
  const good = await stage.task(await stage.push('push-platform.json'), isEnded)
  vendors.refuse()
  const bad = await stage.task(await stage.push('push-all.json'), isEnded)
  const older = await stage.task(await stage.push('push-failover.json'), isEnded)
  const [{ data: before }, { data: counted }] = await Promise.all([
    stage.api(NOTIFICATIONS),
    stage.api(`${NOTIFICATIONS}/statistics`),
  ])
  const [, read] = before['notifications'] as [unknown, { id: string }]
  await stage.api(`${NOTIFICATIONS}/${read.id}/read`, { method: 'PUT' })
  await first.stop(signal)
  expect(await first.ended).toBe(signal === 'SIGTERM' ? 0 : null)

  await stage.start()
  expect(good.status).toBe('completed')
  expect(await stage.task(good.task_id)).toEqual(good)
  expect(bad.status).toBe('failed')
  expect(bad.results.map(({ status }) => status)).toEqual(Array(6).fill('failed'))
  expect(await stage.task(bad.task_id)).toEqual(bad)
  expect(await stage.task(older.task_id)).toEqual(older)

  expect(counted).toMatchObject({ statistics: { total: 2, unread: 2, read: 0 } })
  const { data: unread } = await stage.api(`${NOTIFICATIONS}?status=unread`)
  expect(unread).toMatchObject({
    notifications: [{ task_id: older.task_id, status: 'unread' }],
    pagination: { total: 1 },
  })
  const { data: after } = await stage.api(NOTIFICATIONS)
  const [newest] = before['notifications'] as [unknown]
  expect(after['notifications']).toEqual([newest, { ...read, status: 'read' }])
  // nothing is tried again
  expect(vendors.feishu.requests).toHaveLength(5)
})

test('a task that a crash interrupts goes on where it was, and says that a robot may have it twice', async () => {
  const stage = await setStage('second')
  const { feishu, wechat } = stage.vendors
  const first = await stage.start()
  // the answer never comes: the hub is gone before it
  feishu.answer = () => {}
  const id = await stage.push('push-failover.json')
  await feishu.received(1)
  expect((await stage.task(id)).status).toBe('processing')
  await first.stop('SIGKILL')

  feishu.says('yes')
  await stage.start()
  expect((await stage.task(id)).status).toBe('processing')
  expect(await stage.task(id, isEnded)).toMatchObject({
    status: 'completed',
    results: [{ platform: 'feishu', webhook: '主告警机器人', status: 'success', maybeDuplicate: true }],
  })
  expect(feishu.requests.map(({ url }) => url)).toEqual(Array(2).fill('/open-apis/bot/v2/hook/xxx'))
  expect(wechat.requests).toEqual([])
})
