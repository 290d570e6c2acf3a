/** What the words of the wire mean to whoever sent. */
import type { Receipt, State } from '../sdk/index.ts'

export const MEANINGS: Readonly<Record<State, string>> = {
  ok: 'delivered',
  wait: 'sent, not acknowledged yet',
  ready: 'kept, not sent yet',
  no: 'there is no such name',
  full: 'too much waits for this name',
  expired: 'its time was over before it arrived',
  failed: 'no endpoint took it',
  'webpush-wait': 'on its way by Web Push',
  'webpush-ok': 'the push service has it',
  'webpush-ok-comfirm': 'delivered by Web Push',
}

const ARRIVED: readonly State[] = ['ok', 'webpush-ok-comfirm']
const LOST: readonly State[] = ['no', 'full', 'expired', 'failed']

/** Whether everybody has it, somebody never will, or that is still open. */
export function standingOf({ states }: Receipt): 'arrived' | 'lost' | 'open' {
  const all = Object.values(states)
  if (all.length === 0 || all.some((state) => LOST.includes(state))) return 'lost'
  return all.every((state) => ARRIVED.includes(state)) ? 'arrived' : 'open'
}

/** Whether nothing more can come of it for anybody. */
export function isSettled({ states }: Receipt): boolean {
  return Object.values(states).every((state) => ARRIVED.includes(state) || LOST.includes(state))
}
