/** What became of a task on each way out, as PushServer tells it: the last attempt of each endpoint. Pure. */
import { wireName } from '../../protocol/address.ts'
import { hasArrived, isFinal } from '../../protocol/states.ts'
import type { Attempt, Delivery, Message } from '../../store/store.ts'
import { timeOf } from './answer.ts'

export interface Result {
  readonly platform: string
  /** the endpoint as its operator calls it; of a session, its device or the recipient */
  readonly webhook: string
  readonly status: 'success' | 'failed' | 'processing' | 'timeout'
  readonly message: string
  readonly timestamp: string
  /** the other side may have it twice: it was tried again after nobody knew what came of it */
  readonly maybeDuplicate?: true
}

export interface Outcomes {
  readonly message: Message
  readonly delivery: Delivery
  /** in the order they were made */
  readonly attempts: readonly Attempt[]
  /** those that its plan has now */
  readonly endpoints: readonly { readonly id: string; readonly channel: string; readonly name: string }[]
  /** its delivery to the system notifications, where it was sent there */
  readonly stored: Delivery | null
  /** nothing more is tried */
  readonly isEnded: boolean
  /** the word for success */
  readonly sent: string
}

const SESSION = 'websocket'
const SYSTEM_PLATFORM = 'system'
const STORED = '系统通知存储'
const FULL = '等待中的消息已满'
const REASONS: Readonly<Record<string, string>> = {
  full: FULL,
  expired: '消息已过期',
  removed: '接收者已删除',
}

export function resultsOf(outcomes: Outcomes): readonly Result[] {
  const { message, delivery, attempts, stored, sent } = outcomes
  const last = new Map(attempts.map((attempt) => [attempt.endpoint, attempt]))
  const results = [...last.values()].map((attempt) => ofAttempt(outcomes, attempt))
  if (stored) results.push(ofStored(stored, message, sent))
  const rest = ofSession(outcomes, results) ?? ofEnd(outcomes, results)
  return rest ? [...results, { ...rest, timestamp: timeOf(delivery.at) }] : results
}

function ofAttempt({ endpoints, isEnded, sent }: Outcomes, attempt: Attempt): Result {
  const { endpoint, channel, outcome, detail, startedAt, endedAt, maybeDuplicate } = attempt
  const status = statusOf(outcome, isEnded)
  return {
    platform: channel,
    webhook: endpoints.find(({ id }) => id === endpoint)?.name ?? endpoint,
    status,
    message: status === 'success' ? whole(sent, detail) : (detail ?? WITHOUT_DETAIL[status]),
    timestamp: timeOf(endedAt ?? startedAt),
    ...(maybeDuplicate ? { maybeDuplicate } : {}),
  }
}

const WITHOUT_DETAIL = { failed: '发送失败', processing: '推送处理中', timeout: '推送超时' } as const

/** Without an outcome it is in flight, or a crash came between. */
function statusOf(outcome: string | null, isEnded: boolean): Result['status'] {
  if (outcome === 'accepted' || outcome === 'delivered') return 'success'
  if (outcome === 'unknown' || (outcome === null && isEnded)) return 'timeout'
  return outcome === null ? 'processing' : 'failed'
}

/** A success that is not quite as asked says so. */
function whole(sent: string, detail: string | null): string {
  return detail === null ? sent : `${sent}（${detail}）`
}

function ofStored({ state, reason }: Delivery, { at }: Message, sent: string): Result {
  const isFull = state === 'failed' && reason === 'full'
  return {
    platform: SYSTEM_PLATFORM,
    webhook: STORED,
    status: isFull ? 'failed' : 'success',
    message: isFull ? FULL : sent,
    timestamp: timeOf(at),
  }
}

/** A live session has it, or it was sent to one and no ack came yet. */
function ofSession(
  { delivery: { state, via, by, recipient }, sent }: Outcomes,
  results: readonly Result[],
): Omit<Result, 'timestamp'> | null {
  const webhook = by ?? wireName(recipient)
  if (state === 'sent' && via === SESSION) {
    return { platform: SESSION, webhook, status: 'processing', message: WITHOUT_DETAIL.processing }
  }
  const platform = via ?? SYSTEM_PLATFORM
  if (!hasArrived(state) || results.some((result) => result.platform === platform && result.status === 'success')) {
    return null
  }
  return { platform, webhook, status: 'success', message: sent }
}

/** It ended before anything was tried. */
function ofEnd(
  { delivery: { state, reason, recipient }, endpoints: [endpoint] }: Outcomes,
  results: readonly Result[],
): Omit<Result, 'timestamp'> | null {
  if (results.length > 0 || !isFinal(state)) return null
  return {
    platform: endpoint?.channel ?? SESSION,
    webhook: endpoint?.name ?? wireName(recipient),
    status: state === 'expired' ? 'timeout' : 'failed',
    message: REASONS[reason ?? ''] ?? WITHOUT_DETAIL.failed,
  }
}
