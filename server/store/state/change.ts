/** What a write comes to once it was checked: facts, in the order they happened. The journal holds these. */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import type { AttemptMade, Kind, Message, Op, Raise } from '../store.ts'

export interface OnceKey {
  readonly key: string
  readonly print: string
  readonly mid: Mid
  readonly expiresAt: number
}

export interface MessageAdded {
  readonly op: 'message'
  readonly message: Message
  readonly recipients: readonly RecipientId[]
  readonly planned: readonly RecipientId[]
  readonly full: readonly RecipientId[]
}

export interface Stepped {
  readonly op: 'step'
  readonly mid: Mid
  readonly recipient: RecipientId
  readonly step: number
  readonly dueAt: number | null
  readonly holds: boolean
}

/** Each can be applied again after later ones without harm, so replaying a journal from any start is safe. */
export type Change =
  | MessageAdded
  | { readonly op: 'once'; readonly once: OnceKey }
  | Raise
  | Stepped
  | AttemptMade
  | { readonly op: 'put'; readonly kind: Kind; readonly id: string; readonly value: unknown; readonly rev: number }
  | { readonly op: 'delete'; readonly kind: Kind; readonly id: string; readonly rev: number }
  | { readonly op: 'count'; readonly meter: string; readonly value: number }

/** The messages that must be in memory before the changes can be applied. */
export function midsOf(changes: readonly (Change | Op)[]): Mid[] {
  return changes.flatMap((change) => {
    if (change.op === 'raise') return change.of.map(([mid]) => mid)
    return change.op === 'attempt' || change.op === 'step' ? [change.mid] : []
  })
}
