/** `/api/v1/notifications`: what could not be delivered, and what was sent to the platform `system`. */
import type { Context } from 'koa'
import { type Notification, READ_STATES, type ReadState } from '../../hub/notifications.ts'
import { Refusal } from '../../protocol/errors.ts'
import { midOfNotification, notificationId, taskId } from '../../protocol/ids.ts'
import type { Mid } from '../../protocol/states.ts'
import type { HttpOptions } from '../door.ts'
import { queryOf } from '../push.ts'
import { answer, timeOf } from './answer.ts'
import { strategyName } from './words.ts'

const SOURCE = 'PushServer-SystemNotification'
/** of what somebody sent here */
const SENT_HERE = '系统通知存储'
const USUAL_LIMIT = 50
const MAX_LIMIT = 1_000

/** `GET …?status=unread|read|all&limit=50&offset=0`, newest first. @throws Refusal bad-packet */
export async function listNotifications(options: HttpOptions, ctx: Context): Promise<void> {
  const query = queryOf(ctx.req.url ?? '')
  const limit = Math.min(numberOf(query, 'limit', USUAL_LIMIT), MAX_LIMIT)
  const offset = numberOf(query, 'offset', 0)
  const { items, total } = await options.hub.notifications.list(stateOf(query), { limit, offset })
  answer(ctx, 200, '获取系统通知成功', {
    notifications: items.map((item) => shown(options, item)),
    pagination: { total, limit, offset, count: items.length },
  })
}

export async function showNotification(options: HttpOptions, ctx: Context, id: string): Promise<void> {
  const found = await one(id, (mid) => options.hub.notifications.find(mid))
  if (found) answer(ctx, 200, '获取系统通知成功', { notification: shown(options, found) })
  else missing(ctx, id)
}

export async function readNotification(options: HttpOptions, ctx: Context, id: string): Promise<void> {
  const read = await one(id, (mid) => options.hub.notifications.read(mid))
  if (read) answer(ctx, 200, '标记通知为已读成功', { notification: shown(options, read) })
  else missing(ctx, id)
}

export async function readAllNotifications({ hub }: HttpOptions, ctx: Context): Promise<void> {
  answer(ctx, 200, '标记所有通知为已读成功', { count: await hub.notifications.readAll() })
}

export async function removeNotification({ hub }: HttpOptions, ctx: Context, id: string): Promise<void> {
  const removed = await one(id, async (mid) => (await hub.notifications.remove(mid)) || null)
  if (removed) answer(ctx, 200, '删除通知成功', { id })
  else missing(ctx, id)
}

export async function removeAllNotifications({ hub }: HttpOptions, ctx: Context): Promise<void> {
  answer(ctx, 200, '清空所有通知成功', { count: await hub.notifications.removeAll() })
}

export async function countNotifications({ hub }: HttpOptions, ctx: Context): Promise<void> {
  const { unread, read, byType } = await hub.notifications.count()
  const by_type = { error: 0, warning: 0, info: 0, ...Object.fromEntries(byType) }
  answer(ctx, 200, '获取通知统计成功', { statistics: { total: unread + read, unread, read, by_type } })
}

/** Null for an id that is none. */
async function one<T>(id: string, of: (mid: Mid) => Promise<T | null>): Promise<T | null> {
  const mid = midOfNotification(id)
  return mid === null ? null : of(mid)
}

function missing(ctx: Context, id: string): void {
  answer(ctx, 404, '通知不存在', { id })
}

function shown({ api }: HttpOptions, item: Notification): Record<string, unknown> {
  return {
    id: notificationId(item.mid),
    title: item.title,
    message: item.text,
    type: item.type,
    strategy: strategyName(item.strategy),
    style: item.style,
    source: SOURCE,
    task_id: taskId(item.about, api.dialect),
    reason: item.reason ?? SENT_HERE,
    created_at: timeOf(item.at),
    status: item.isRead ? 'read' : 'unread',
  }
}

/** @throws Refusal bad-packet */
function stateOf(query: URLSearchParams): ReadState {
  const asked = query.get('status') || 'all'
  const state = READ_STATES.find((known) => known === asked)
  if (!state) throw new Refusal('bad-packet', `status必须是${READ_STATES.join('、')}之一`)
  return state
}

/** @throws Refusal bad-packet */
function numberOf(query: URLSearchParams, field: string, usual: number): number {
  const text = query.get(field) || String(usual)
  if (!/^\d+$/.test(text)) throw new Refusal('bad-packet', `${field}必须是不小于0的整数`)
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}
