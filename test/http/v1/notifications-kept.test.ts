import { describe, expect, onTestFinished, test } from 'vitest'
import { SYSTEM } from '../../../server/protocol/address.ts'
import { notificationId, taskId } from '../../../server/protocol/ids.ts'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import { testClock } from '../../helpers/clock.ts'
import { silentLog, temporaryFolder } from '../../helpers/folder.ts'
import { ADMIN_TOKEN, type Overrides } from '../../helpers/hub.ts'
import {
  accepted,
  add,
  listed,
  NOTIFICATIONS,
  robot,
  startApi,
  webhooks,
  whileTurning,
} from '../../helpers/pushserver.ts'
import { status } from '../../helpers/receiver.ts'

const MORNING = Date.UTC(2025, 7, 4, 9, 7, 48)

describe('what nothing took', () => {
  const gonePlatform = async (): Promise<Overrides> => {
    const one = await robot(status(410))
    return { recipients: { ops_alert: { name: '运维告警组', platforms: { webhook: webhooks({ one }) } } } }
  }

  test.each(['1', '2'] as const)('is a notification with everything that version %s tells', async (dialect) => {
    const clock = testClock(MORNING)
    const hub = await startApi({ clock, config: { ...(await gonePlatform()), server: { dialect } } })
    const id = await whileTurning(clock, hub.pushed({ strategy: 'all' }))
    await whileTurning(
      clock,
      hub.until(id, (task) => task.status === 'failed'),
    )
    const { json } = await hub.get(NOTIFICATIONS)
    expect(json).toEqual({
      code: 200,
      message: '获取系统通知成功',
      data: {
        notifications: [
          {
            id: expect.stringMatching(/^notify_20250804090748_\d{6}$/),
            title: '系统告警',
            message: '服务器CPU使用率达到85%',
            type: 'warning',
            strategy: 'all',
            style: 'card',
            source: 'PushServer-SystemNotification',
            task_id: id,
            reason: '所有推送渠道都失败',
            created_at: '2025-08-04T09:07:48Z',
            status: 'unread',
          },
        ],
        pagination: { total: 1, limit: 50, offset: 0, count: 1 },
      },
    })
  })

  test.each([
    [{}, 'failover'],
    [{ platform: 'webhook' }, 'platform'],
    [{ strategy: 'mixed' }, 'mixed'],
  ])('pushed with %j names its strategy as callers know it', async (more, strategy) => {
    const hub = await startApi({ config: await gonePlatform() })
    const id = await hub.pushed(more)
    await hub.until(id, (task) => task.status === 'failed')
    expect(await hub.data(NOTIFICATIONS)).toMatchObject({ notifications: [{ task_id: id, strategy }] })
    expect((await hub.get(NOTIFICATIONS)).text).not.toMatch(/notify:|platform:/)
  })
})

test('what somebody sent to the platform system is kept there', async () => {
  const hub = await startApi({ config: { clients: [{ name: 'ops_alert' }] } })
  const to = ['ops_alert@user']
  await add(
    hub,
    accepted('紧急', { from: { method: 'http', name: '' }, to, strategy: 'platform:system' }, [...to, SYSTEM]),
  )
  const { notifications } = await hub.data(NOTIFICATIONS)
  expect(notifications).toMatchObject([
    { title: '紧急', strategy: 'platform', reason: '系统通知存储', status: 'unread' },
  ])
  const [kept] = notifications as { task_id: string }[]
  expect(await hub.task(kept?.task_id ?? '')).toMatchObject({
    recipient: 'ops_alert',
    strategy: 'platform',
    results: [{ platform: 'system', webhook: '系统通知存储', status: 'success', message: '发送成功' }],
  })
})

test('what the admin sends to system is one, too', async () => {
  const hub = await startApi()
  const { headers } = await hub.get('/system.send?text=hello&type=info', { authorization: ADMIN_TOKEN })
  const mid = headers.get('x-message-id') ?? ''
  expect(await hub.data(NOTIFICATIONS)).toMatchObject({
    notifications: [{ id: notificationId(mid), title: 'hello', type: 'info', task_id: taskId(mid, '2') }],
  })
})

test('they outlive a restart, with what was read and what was deleted', async () => {
  const folder = await temporaryFolder()
  onTestFinished(() => folder.remove())
  const clock = testClock(MORNING)
  const life = () =>
    startApi({ clock, store: createLowdbStore({ dir: folder.dir, clock, log: silentLog, onFailed: () => {} }) })

  const before = await life()
  const ids: string[] = []
  for (const title of ['a', 'b', 'c', 'd']) ids.push(await add(before, accepted(title)))
  await before.data(`${NOTIFICATIONS}/${ids[0]}/read`, 'PUT')
  await before.data(`${NOTIFICATIONS}/${ids[1]}/read`, 'PUT')
  await before.data(`${NOTIFICATIONS}/${ids[1]}`, 'DELETE')
  await before.data(`${NOTIFICATIONS}/${ids[2]}`, 'DELETE')
  const known = await before.data(NOTIFICATIONS)
  await whileTurning(clock, before.close())

  const after = await life()
  expect(await after.data(NOTIFICATIONS)).toEqual(known)
  expect(await listed(after, '?status=read')).toMatchObject({ titles: ['a'] })
  expect(await listed(after, '?status=unread')).toMatchObject({ titles: ['d'] })
  await whileTurning(clock, after.close())
})
