/** `GET /api/v1/task/{id}`: a message to one recipient and what became of it. A view, not a record. */
import type { Context } from 'koa'
import { type RecipientId, SYSTEM, wireName } from '../../protocol/address.ts'
import { midOfTask, taskId } from '../../protocol/ids.ts'
import { hasArrived, isFinal, type Mid } from '../../protocol/states.ts'
import type { Attempt, Delivery, Message } from '../../store/store.ts'
import type { HttpOptions } from '../door.ts'
import { answer, timeOf } from './answer.ts'
import { type Result, resultsOf } from './results.ts'
import { strategyName, words } from './words.ts'

/** Answers 404 for an id of no task, and for one that is kept no longer. */
export async function showTask(options: HttpOptions, ctx: Context, id: string): Promise<void> {
  const mid = midOfTask(id)
  const task = mid === null ? null : await taskOf(options, mid)
  if (task) answer(ctx, 200, words[options.api.dialect].found, task)
  else answer(ctx, 404, '任务不存在', { task_id: id })
}

/** What a task is known by from its beginning. */
export function headOf({ hub, api }: HttpOptions, message: Message, recipient: RecipientId): Record<string, unknown> {
  const reach = hub.plans.reach(recipient)
  return {
    task_id: taskId(message.mid, api.dialect),
    recipient: reach?.name ?? wireName(recipient),
    strategy: strategyName(message.strategy, reach?.strategy),
    style: styleOf(message),
    created_at: timeOf(message.at),
  }
}

async function taskOf(options: HttpOptions, mid: Mid): Promise<Record<string, unknown> | null> {
  const { store, hub, api } = options
  const message = await store.message(mid)
  const [recipient = ''] = message?.to ?? []
  const delivery = message && (await store.delivery(mid, recipient))
  if (!delivery) return null
  const attempts = await store.attempts(mid, recipient)
  const plan = hub.plans.of(recipient, message.strategy)
  const ended = isEnded(delivery, message, attempts, plan.length)
  const results = resultsOf({
    message,
    delivery,
    attempts,
    endpoints: plan.flatMap(({ tracks }) => tracks.flatMap(({ endpoints }) => endpoints)),
    stored: recipient === SYSTEM ? null : await store.delivery(mid, SYSTEM),
    isEnded: ended,
    sent: words[api.dialect].sent,
  })
  const { task_id, created_at, ...head } = headOf(options, message, recipient)
  const updated = timeOf(lastChange(delivery, attempts))
  return {
    task_id,
    status: statusOf(ended, delivery, results),
    ...head,
    created_at,
    updated_at: updated,
    ...(ended ? { completed_at: updated } : {}),
    results,
  }
}

/** One success is enough; until nothing more is tried, none is no failure. */
function statusOf(ended: boolean, { state }: Delivery, results: readonly Result[]): string {
  if (!ended) return 'processing'
  return hasArrived(state) || results.some(({ status }) => status === 'success') ? 'completed' : 'failed'
}

/** Nothing goes out any more; where nothing ever did, the recipient's own program has it. */
function isEnded(
  { state, step, dueAt }: Delivery,
  { expiresAt }: Message,
  attempts: readonly Attempt[],
  steps: number,
): boolean {
  if (isFinal(state)) return true
  const wentOut = attempts.length > 0 || step > 0 || (dueAt !== null && dueAt !== expiresAt)
  if (!wentOut) return hasArrived(state)
  return dueAt === null || (dueAt === expiresAt && step >= steps)
}

function lastChange(delivery: Delivery, attempts: readonly Attempt[]): number {
  return attempts.reduce((last, { startedAt, endedAt }) => Math.max(last, endedAt ?? startedAt), delivery.at)
}

function styleOf({ body }: Message): 'text' | 'card' {
  const { extra } = body
  return typeof extra === 'object' && extra !== null && 'style' in extra && extra.style === 'card' ? 'card' : 'text'
}
