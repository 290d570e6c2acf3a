/**
 * The last line of defence: what no endpoint took becomes a notification, a message to the built-in recipient
 * `system`. Its inbox keeps it; the system notifications of the one concerned, or of the hub, fire it.
 */
import type { Clock } from '../ground/clock.ts'
import { SYSTEM, wireName } from '../protocol/address.ts'
import type { Accept, Accepted, Claimed } from '../store/store.ts'
import { messageFrame } from './frame.ts'
import { NOTIFICATION, notificationFor, type Plans } from './plan.ts'

/** exhausted: nothing took it; unconfirmed: it went out, and nobody confirmed in time */
export type AlarmReason = 'exhausted' | 'unconfirmed'

const REASONS: Readonly<Record<AlarmReason, string>> = {
  exhausted: '所有推送渠道都失败',
  unconfirmed: '无人确认',
}

export interface Alarm {
  /** The op that goes into the same write as what it is about; null for what must not raise one. */
  about(work: Claimed, reason: AlarmReason): Accept | null
  /** It is durable: whoever listens hears of it. */
  announce(notification: Accept, accepted: Accepted): void
}

export interface AlarmOptions {
  readonly plans: Plans
  readonly clock: Clock
  /** ms that a notification is kept at most; null: for ever */
  readonly keepMs: number | null
  readonly announce: Alarm['announce']
}

export function createAlarm({ plans, clock, keepMs, announce }: AlarmOptions): Alarm {
  return {
    about({ message, delivery: { recipient } }, reason) {
      // one about a notification would beget the next; a call's sender is told anyway
      const isNotification = recipient === SYSTEM || message.strategy === NOTIFICATION
      if (isNotification || isCall(recipient)) return null
      const { text, desp, extra } = messageFrame(message).message
      const at = clock.now()
      const strategy = notificationFor(recipient)
      return {
        op: 'accept',
        message: {
          at,
          from: { method: 'hub', name: '' },
          to: [SYSTEM],
          body: {
            text,
            desp,
            extra: {
              type: extra['type'] ?? 'error',
              style: extra['style'] ?? 'text',
              strategy: message.strategy ?? plans.reach(recipient)?.strategy ?? '',
              reason: REASONS[reason],
              recipient: wireName(recipient),
              of: message.mid,
            },
          },
          blobs: [],
          strategy,
          expiresAt: keepMs === null ? null : at + keepMs,
        },
        recipients: [SYSTEM],
        planned: plans.of(SYSTEM, strategy).length > 0 ? [SYSTEM] : [],
      }
    },
    announce,
  }
}

/** Recipients of calls that name their target themselves belong to an app: `sdk-email@app`. */
function isCall(recipient: string): boolean {
  return recipient.endsWith('@app')
}
