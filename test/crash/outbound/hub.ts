/** What the hub says of tasks and notifications. */
import * as z from 'zod'
import { ask } from '../request.ts'
import type { Notification, Task } from './history.ts'

const PAGE = 1_000
/** requests at once */
const TOGETHER = 16

const pushed = z.object({ code: z.literal(200), data: z.object({ task_id: z.string() }) })
const asked = z.object({
  code: z.literal(200),
  data: z.object({
    task_id: z.string(),
    status: z.enum(['processing', 'completed', 'failed']),
    results: z.array(
      z.object({
        platform: z.string(),
        webhook: z.string(),
        status: z.string(),
        message: z.string(),
        maybeDuplicate: z.boolean().optional(),
      }),
    ),
  }),
})
const listed = z.object({
  code: z.literal(200),
  data: z.object({
    notifications: z.array(z.object({ task_id: z.string(), title: z.string(), status: z.string() })),
    pagination: z.object({ total: z.number() }),
  }),
})

/** The task id in the answer to a push; null where there is none. */
export function readPushed(body: string): string | null {
  try {
    return pushed.parse(JSON.parse(body)).data.task_id
  } catch {
    return null
  }
}

/** Asks the hub at `url`. Everything here throws what the connection throws. */
export function askHub(url: string, token: string) {
  const headers = { authorization: token }

  async function task(id: string): Promise<Task | null> {
    const { status, body } = await ask(url, { method: 'GET', path: `/api/v1/task/${id}`, headers })
    return status === 404 ? null : asked.parse(JSON.parse(body)).data
  }

  return {
    /** Those that it knows. */
    async tasks(ids: readonly string[]): Promise<Map<string, Task>> {
      const found = new Map<string, Task>()
      const left = ids.values()
      async function work(): Promise<void> {
        for (const id of left) {
          const known = await task(id)
          if (known) found.set(id, known)
        }
      }
      await Promise.all(Array.from({ length: TOGETHER }, work))
      return found
    },

    async unread(): Promise<Notification[]> {
      const found: Notification[] = []
      for (;;) {
        const path = `/api/v1/notifications?status=unread&limit=${PAGE}&offset=${found.length}`
        const { body } = await ask(url, { method: 'GET', path, headers })
        const { notifications, pagination } = listed.parse(JSON.parse(body)).data
        found.push(...notifications.map(({ task_id, title, status }) => ({ task: task_id, title, status })))
        if (notifications.length === 0 || found.length >= pagination.total) return found
      }
    },
  }
}
