/** What a write comes to once it was checked: facts, in the order they happened. The journal holds these. */
import type { RecipientId } from '../../protocol/address.ts'
import type { Mid } from '../../protocol/states.ts'
import type { AttemptMade, Kind, Message, Op, Raise } from '../store.ts'
import { type MessageText, textOf } from './entry.ts'

export interface OnceKey {
  readonly key: string
  readonly print: string
  readonly mid: Mid
  readonly expiresAt: number
}

export interface MessageAdded {
  readonly op: 'message'
  readonly message: MessageText
  readonly expiresAt: number | null
  readonly recipients: readonly RecipientId[]
  readonly planned: readonly RecipientId[]
  readonly full: readonly RecipientId[]
  /** absent in journals of older versions */
  readonly holding?: readonly RecipientId[]
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
  const mids: Mid[] = []
  for (const change of changes) {
    if (change.op === 'raise') for (const [mid] of change.of) mids.push(mid)
    else if (change.op === 'attempt' || change.op === 'step') mids.push(change.mid)
  }
  return mids
}

/** The changes as JSON; a message goes in as the text that it is. */
export function encodeChanges(changes: readonly Change[]): string {
  return `[${changes.map(encode).join(',')}]`
}

/** What `encodeChanges` made. */
export function decodeChanges(json: string): Change[] {
  // a checksum vouches that this is what an earlier write of changes put there
  const changes: (Exclude<Change, MessageAdded> | (Added & { readonly message: Message }))[] = JSON.parse(json)
  return changes.map((change) =>
    change.op === 'message'
      ? { ...change, message: textOf(change.message), expiresAt: change.message.expiresAt }
      : change,
  )
}

type Added = Omit<MessageAdded, 'message' | 'expiresAt'>

function encode(change: Change): string {
  if (change.op !== 'message') return JSON.stringify(change)
  const { op, recipients, planned, full, holding } = change
  const rest = JSON.stringify({ op, recipients, planned, full, ...(holding ? { holding } : {}) } satisfies Added)
  return `${rest.slice(0, -1)},"message":${change.message.text}}`
}
