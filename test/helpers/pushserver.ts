/** A hub as callers of PushServer see it, with robots that are real servers on this machine. */
import { expect, onTestFinished } from 'vitest'
import * as z from 'zod'
import { SYSTEM } from '../../server/protocol/address.ts'
import { notificationId } from '../../server/protocol/ids.ts'
import type { Accept } from '../../server/store/store.ts'
import type { TestClock } from './clock.ts'
import { type Answer, type HubOptions, startHub, type TestHub } from './hub.ts'
import { type Answer as Behaviour, type Receiver, startReceiver } from './receiver.ts'

export const PUSH = '/api/v1/push'
export const NOTIFICATIONS = '/api/v1/notifications'

/** A push that is as documented. */
export const GOOD = {
  recipient_alias: 'ops_alert',
  type: 'warning',
  style: 'card',
  content: { title: '系统告警', msg: '服务器CPU使用率达到85%' },
}

const envelope = z.object({ code: z.number(), message: z.string(), data: z.record(z.string(), z.unknown()) })
const taskSchema = z.strictObject({
  task_id: z.string(),
  status: z.enum(['processing', 'completed', 'failed']),
  recipient: z.string(),
  strategy: z.string(),
  style: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  completed_at: z.string().optional(),
  results: z.array(
    z.strictObject({
      platform: z.string(),
      webhook: z.string(),
      status: z.enum(['success', 'failed', 'processing', 'timeout']),
      message: z.string(),
      timestamp: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      maybeDuplicate: z.literal(true).optional(),
    }),
  ),
})

export type Task = z.infer<typeof taskSchema>

export interface ApiHub extends TestHub {
  /** Posts a push that is taken; returns its task id. */
  pushed(more?: Record<string, unknown>, headers?: Record<string, string>): Promise<string>
  task(id: string): Promise<Task>
  /** Asks for the task until it is as wanted. */
  until(id: string, wanted: (task: Task) => boolean): Promise<Task>
  send(method: string, path: string, headers?: Record<string, string>): Promise<Answer>
  /** `data` of an answer that is 200. */
  data(path: string, method?: string): Promise<Record<string, unknown>>
}

export async function startApi(options: HubOptions = {}): Promise<ApiHub> {
  const hub = await startHub(options)
  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    hub.request(path, { method, headers })

  async function data(path: string, method = 'GET'): Promise<Record<string, unknown>> {
    const answer = await send(method, path)
    expect(answer.status, answer.text).toBe(200)
    return envelope.parse(answer.json).data
  }
  const task = async (id: string) => taskSchema.parse(await data(`/api/v1/task/${id}`))

  return {
    ...hub,
    send,
    data,
    task,
    async pushed(more = {}, headers = {}) {
      const answer = await hub.post({ ...GOOD, ...more }, headers, PUSH)
      expect(answer.status, answer.text).toBe(200)
      return String(envelope.parse(answer.json).data['task_id'])
    },
    async until(id, wanted) {
      for (;;) {
        const now = await task(id)
        if (wanted(now)) return now
      }
    },
  }
}

/** Another side for one robot, closed with the test. */
export async function robot(answer?: Behaviour): Promise<Receiver> {
  const receiver = await startReceiver(answer)
  onTestFinished(() => receiver.close())
  return receiver
}

/** The platform `webhook` with one robot for each name. */
export function webhooks(robots: Readonly<Record<string, Receiver>>): { readonly webhooks: readonly object[] } {
  return { webhooks: Object.entries(robots).map(([name, { url }]) => ({ name, url })) }
}

const TURNS = 60

/** Turns the clock while something is under way that waits for it; time stands still. */
export async function whileTurning<T>(clock: TestClock, work: Promise<T>): Promise<T> {
  let done = false
  const watched = work.finally(() => (done = true))
  while (!done) await clock.advance(0)
  return watched
}

/** Lets what was begun come to rest, a slow store's work too, then moves time on. */
export async function later(clock: TestClock, ms: number): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await clock.advance(0)
  await clock.advance(ms)
}

/** A message to `system`, as the hub or a push leaves it. */
export function accepted(title: string, more: Partial<Accept['message']> = {}, recipients = [SYSTEM]): Accept {
  return {
    op: 'accept',
    message: {
      at: Date.UTC(2025, 7, 4, 9, 7, 48),
      from: { method: 'hub', name: '' },
      to: [SYSTEM],
      body: { text: title, desp: `${title} …`, extra: { type: 'error', style: 'card' } },
      blobs: [],
      strategy: null,
      expiresAt: null,
      ...more,
    },
    recipients,
    planned: [],
  }
}

/** Puts it into the hub's store; returns the id of the notification. */
export async function add({ store }: Pick<TestHub, 'store'>, op: Accept): Promise<string> {
  const written = await store.write([op], 'sync')
  return notificationId((written.ok && written.mids[0]?.mid) || '')
}

/** Titles of the notifications that a query finds, and how they are counted. */
export async function listed(hub: ApiHub, query = ''): Promise<{ titles: unknown[]; pagination: unknown }> {
  const { notifications, pagination } = await hub.data(NOTIFICATIONS + query)
  const titles = Array.isArray(notifications) ? notifications.map(({ title }) => title) : []
  return { titles, pagination }
}
