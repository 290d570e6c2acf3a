import { describe, expect, test } from 'vitest'
import { notificationId } from '../../../server/protocol/ids.ts'
import { accepted, add, type ApiHub, listed, NOTIFICATIONS, startApi } from '../../helpers/pushserver.ts'

/** A hub with notifications of these titles, the oldest first, and their ids. */
async function withTitles(...titles: string[]): Promise<{ hub: ApiHub; ids: string[] }> {
  const hub = await startApi()
  const ids: string[] = []
  for (const title of titles) ids.push(await add(hub, accepted(title)))
  return { hub, ids }
}

const gone = (id: string) => ({ status: 404, json: { code: 404, message: '通知不存在', data: { id } } })

describe('the list', () => {
  test('is empty at first', async () => {
    const hub = await startApi()
    expect(await hub.data(NOTIFICATIONS)).toEqual({
      notifications: [],
      pagination: { total: 0, limit: 50, offset: 0, count: 0 },
    })
  })

  test('is newest first, in pages, by state', async () => {
    const { hub, ids } = await withTitles('a', 'b', 'c', 'd')
    await hub.send('PUT', `${NOTIFICATIONS}/${ids[1]}/read`)
    const pagination = (total: number, limit: number, offset: number, count: number) => ({
      pagination: { total, limit, offset, count },
    })
    for (const [query, titles, page] of [
      ['', ['d', 'c', 'b', 'a'], pagination(4, 50, 0, 4)],
      ['?status=all', ['d', 'c', 'b', 'a'], pagination(4, 50, 0, 4)],
      ['?status=unread', ['d', 'c', 'a'], pagination(3, 50, 0, 3)],
      ['?status=read', ['b'], pagination(1, 50, 0, 1)],
      ['?limit=2', ['d', 'c'], pagination(4, 2, 0, 2)],
      ['?limit=2&offset=3', ['a'], pagination(4, 2, 3, 1)],
      ['?status=unread&limit=1&offset=1', ['c'], pagination(3, 1, 1, 1)],
      ['?offset=9', [], pagination(4, 50, 9, 0)],
      ['?limit=0', [], pagination(4, 0, 0, 0)],
      ['?limit=1000', ['d', 'c', 'b', 'a'], pagination(4, 1_000, 0, 4)],
      ['?limit=1001', ['d', 'c', 'b', 'a'], pagination(4, 1_000, 0, 4)],
      [`?limit=${'9'.repeat(400)}`, ['d', 'c', 'b', 'a'], pagination(4, 1_000, 0, 4)],
      ['?status=&limit=&offset=', ['d', 'c', 'b', 'a'], pagination(4, 50, 0, 4)],
    ] as const) {
      expect(await listed(hub, query), query).toEqual({ titles, ...page })
    }
  })

  test.each([
    ['limit=-1', 'limit必须是不小于0的整数'],
    ['limit=ten', 'limit必须是不小于0的整数'],
    ['limit=1.5', 'limit必须是不小于0的整数'],
    ['limit=1e3', 'limit必须是不小于0的整数'],
    ['offset=-1', 'offset必须是不小于0的整数'],
    ['offset=x', 'offset必须是不小于0的整数'],
    ['status=new', 'status必须是unread、read、all之一'],
    ['status=UNREAD', 'status必须是unread、read、all之一'],
  ])('?%s is wrong', async (query, error) => {
    const hub = await startApi()
    expect(await hub.get(`${NOTIFICATIONS}?${query}`)).toMatchObject({
      status: 400,
      json: { code: 400, message: '请求参数错误', data: { error } },
    })
  })
})

describe('one', () => {
  test('is shown as in the list', async () => {
    const { hub, ids } = await withTitles('a', 'b')
    const { notifications } = await hub.data(NOTIFICATIONS)
    const { json } = await hub.get(`${NOTIFICATIONS}/${ids[0]}`)
    expect(json).toEqual({
      code: 200,
      message: '获取系统通知成功',
      data: { notification: (notifications as unknown[])[1] },
    })
  })

  test('is marked as read, again and again', async () => {
    const { hub, ids } = await withTitles('a', 'b')
    for (let time = 0; time < 2; time += 1) {
      const answer = await hub.send('PUT', `${NOTIFICATIONS}/${ids[0]}/read`)
      expect(answer).toMatchObject({
        status: 200,
        json: { code: 200, message: '标记通知为已读成功', data: { notification: { id: ids[0], status: 'read' } } },
      })
    }
    expect(await hub.data(`${NOTIFICATIONS}/${ids[0]}`)).toMatchObject({ notification: { status: 'read' } })
    expect(await hub.data(`${NOTIFICATIONS}/${ids[1]}`)).toMatchObject({ notification: { status: 'unread' } })
  })

  test.each([false, true])('is deleted, whether it was read: %s', async (wasRead) => {
    const { hub, ids } = await withTitles('a', 'b')
    const path = `${NOTIFICATIONS}/${ids[0]}`
    if (wasRead) await hub.data(`${path}/read`, 'PUT')
    expect(await hub.send('DELETE', path)).toMatchObject({
      status: 200,
      json: { code: 200, message: '删除通知成功', data: { id: ids[0] } },
    })
    expect(await listed(hub)).toMatchObject({ titles: ['b'], pagination: { total: 1 } })
    for (const again of [
      await hub.send('DELETE', path),
      await hub.send('GET', path),
      await hub.send('PUT', `${path}/read`),
    ]) {
      expect(again).toMatchObject(gone(ids[0] ?? ''))
    }
  })

  test.each(['invalid', 'read-all', 'notify_20250804090748_666666', notificationId('1754298468123')])(
    '%s is none',
    async (id) => {
      const { hub } = await withTitles('a')
      expect(await hub.send('GET', `${NOTIFICATIONS}/${id}`)).toMatchObject(gone(id))
      expect(await hub.send('DELETE', `${NOTIFICATIONS}/${id}`)).toMatchObject(gone(id))
      expect(await hub.send('PUT', `${NOTIFICATIONS}/${id}/read`)).toMatchObject(gone(id))
    },
  )
})

describe('all', () => {
  test('are marked as read', async () => {
    const { hub, ids } = await withTitles('a', 'b', 'c')
    await hub.data(`${NOTIFICATIONS}/${ids[0]}/read`, 'PUT')
    const { json } = await hub.send('PUT', `${NOTIFICATIONS}/read-all`)
    expect(json).toEqual({ code: 200, message: '标记所有通知为已读成功', data: { count: 2 } })
    expect(await listed(hub, '?status=unread')).toMatchObject({ titles: [] })
    expect(await listed(hub, '?status=read')).toMatchObject({ titles: ['c', 'b', 'a'] })
  })

  test('are deleted', async () => {
    const { hub } = await withTitles('a', 'b', 'c')
    const { json } = await hub.send('DELETE', NOTIFICATIONS)
    expect(json).toEqual({ code: 200, message: '清空所有通知成功', data: { count: 3 } })
    expect(await listed(hub)).toMatchObject({ titles: [], pagination: { total: 0 } })
  })

  test('are counted', async () => {
    const { hub, ids } = await withTitles('a', 'b', 'c')
    await add(hub, accepted('d', { body: { text: 'd', desp: '', extra: { type: 'success' } } }))
    await hub.data(`${NOTIFICATIONS}/${ids[0]}/read`, 'PUT')
    const { json } = await hub.get(`${NOTIFICATIONS}/statistics`)
    expect(json).toEqual({
      code: 200,
      message: '获取通知统计成功',
      data: {
        statistics: { total: 4, unread: 3, read: 1, by_type: { error: 3, warning: 0, info: 0, success: 1 } },
      },
    })
  })

  test('are counted where there are none', async () => {
    const hub = await startApi()
    expect(await hub.data(`${NOTIFICATIONS}/statistics`)).toEqual({
      statistics: { total: 0, unread: 0, read: 0, by_type: { error: 0, warning: 0, info: 0 } },
    })
  })
})
