/**
 * The states of a delivery, and what may follow what.
 *
 *   queued < sent < accepted < (failed < expired < removed) < delivered < confirmed
 *
 * The three in brackets are ends without arrival. A state is raised, never lowered, so late and repeated
 * events are harmless; the order is total, so it does not matter which of two events is recorded first.
 * Arrival outranks an end: if the program has the message after all, that is what is true. Only what its reader
 * threw away (`removed` via BY_READER) outranks all else: read or not, nothing told later brings it back.
 * Browser-safe: no imports.
 */

/** Decimal string of 13 digits near now in ms; unique, increasing, never given out twice. */
export type Mid = string

export type State = 'queued' | 'sent' | 'accepted' | 'delivered' | 'confirmed' | 'failed' | 'expired' | 'removed'

const WEB_PUSH = 'webpush'
/** `via` of what a reader deleted from an inbox */
export const BY_READER = 'reader'

/** How far a delivery got. `via` is the channel that reached the state, `reason` why it ended. */
export interface Standing {
  readonly state: State
  readonly via: string | null
  readonly reason: string | null
}

/** The hub does nothing more for it: the delivery reached a person, or ended without. */
export function isFinal(state: State): boolean {
  return state === 'confirmed' || state === 'failed' || state === 'expired' || state === 'removed'
}

/** The receiving program has it, or a person does. */
export function hasArrived(state: State): boolean {
  return state === 'delivered' || state === 'confirmed'
}

/** Whether `next` may follow `now`: it says more. */
export function mayFollow(
  now: { readonly state: State; readonly via: string | null },
  next: { readonly state: State; readonly via: string | null },
): boolean {
  return rankOf(next) > rankOf(now)
}

/**
 * mpush has words of its own for Web Push and ranks them: sent and taken by it say more than by another
 * channel; but its ack says less than a session's: the phone buzzed, then the program itself answered.
 */
function rankOf({ state, via }: { readonly state: State; readonly via: string | null }): number {
  const isWebPush = via === WEB_PUSH
  switch (state) {
    case 'queued':
      return 0
    case 'sent':
      return isWebPush ? 2 : 1
    case 'accepted':
      return isWebPush ? 4 : 3
    case 'failed':
      return 5
    case 'expired':
      return 6
    case 'removed':
      return via === BY_READER ? 11 : 7
    case 'delivered':
      return isWebPush ? 8 : 9
    case 'confirmed':
      return 10
  }
}

/** The words of mpush 2.1 as its README documents them, plus three of ours for what mpush never told. */
export type MpushWord =
  | 'no'
  | 'ready'
  | 'wait'
  | 'webpush-wait'
  | 'webpush-ok'
  | 'webpush-ok-comfirm'
  | 'ok'
  | 'failed'
  | 'expired'
  | 'full'

/** What an mpush sender is told about a delivery. A removed recipient is one that is not there: `no`. */
export function mpushWord({ state, via, reason }: Standing): MpushWord {
  switch (state) {
    case 'queued':
      return 'ready'
    case 'sent':
      return via === WEB_PUSH ? 'webpush-wait' : 'wait'
    case 'accepted':
      return via === WEB_PUSH ? 'webpush-ok' : 'wait'
    case 'delivered':
      return via === WEB_PUSH ? 'webpush-ok-comfirm' : 'ok'
    case 'confirmed':
      return 'ok'
    case 'failed':
      return reason === 'full' ? 'full' : 'failed'
    case 'expired':
      return 'expired'
    case 'removed':
      return 'no'
  }
}
