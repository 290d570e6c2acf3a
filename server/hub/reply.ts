/**
 * Senders that wait for their answer. A reply waits only while something can still happen: a live session
 * owes an ack, or an attempt is in flight.
 */
import type { Clock } from '../ground/clock.ts'
import type { RecipientId } from '../protocol/address.ts'
import { hasArrived, isFinal, mayFollow, type Mid, type Standing } from '../protocol/states.ts'

export const QUEUED: Standing = Object.freeze({ state: 'queued', via: null, reason: null })
/** The same, but a live session will get it, or has it, and owes the ack. */
const OWED: Standing = Object.freeze({ ...QUEUED })

/** How far one message got with each of its recipients, in the order accepted. */
export type Standings = Map<RecipientId, Standing>

interface Waiting {
  readonly standings: Standings
  /** recipients whose sessions owe an ack and that stand beyond OWED: few, so the others need no entry */
  owing: Set<RecipientId> | null
  /** how many recipients' sessions owe an ack */
  owed: number
  /** recipients with an attempt in flight or about to be */
  attempts: Set<RecipientId> | null
  done: (() => void) | null
}

export interface Replies {
  /** Follows a message that was accepted just now. */
  open(mid: Mid, standings: Standings): void
  /** A live session of the recipient will get the message, or has it and owes the ack. */
  sessionOwes(mid: Mid, recipient: RecipientId): void
  attemptOwes(mid: Mid, recipient: RecipientId): void
  attemptEnded(mid: Mid, recipient: RecipientId): void
  /** Nothing more is due now: of all recipients, only those that are `busy` can still bring an outcome. */
  attemptsRest(busy: (recipient: RecipientId) => boolean): void
  /** The recipient's last live session is gone: it owes nothing for now. */
  sessionsGone(recipient: RecipientId): void
  /** A delivery was raised. */
  raised(mid: Mid, recipient: RecipientId, standing: Standing): void
  /**
   * Resolves when nothing more can happen, after `timeoutMs` at the latest, and stops following.
   * @param noteSent is asked to record what a session that still owes an ack was sent
   */
  settled(mid: Mid, timeoutMs: number, noteSent: (recipient: RecipientId) => void): Promise<Standings>
  /** Every waiting sender is answered with what is known now. */
  close(): void
}

export function createReplies(clock: Clock): Replies {
  const waiting = new Map<Mid, Waiting>()
  const ready: (() => void)[] = []
  /** the one asked for last: events come in runs */
  let last: { readonly mid: Mid; readonly reply: Waiting | undefined } = { mid: '', reply: undefined }

  function replyOf(mid: Mid): Waiting | undefined {
    if (last.mid !== mid) last = { mid, reply: waiting.get(mid) }
    return last.reply
  }

  function set(mid: Mid, reply: Waiting | undefined): void {
    if (reply) waiting.set(mid, reply)
    else waiting.delete(mid)
    last = { mid, reply }
  }

  function finishIfIdle(reply: Waiting): void {
    if (!isIdle(reply) || !reply.done) return
    if (ready.length === 0) setImmediate(answerReady)
    ready.push(reply.done)
    reply.done = null
  }

  /** Answers leave together at the end of a turn: who reads them is woken once, not once for each. */
  function answerReady(): void {
    for (const done of ready) done()
    ready.length = 0
  }

  function owes(reply: Waiting, recipient: RecipientId): boolean {
    return reply.standings.get(recipient) === OWED || reply.owing?.has(recipient) === true
  }

  return {
    open(mid, standings) {
      set(mid, { standings, owing: null, owed: 0, attempts: null, done: null })
    },
    sessionOwes(mid, recipient) {
      const reply = replyOf(mid)
      const now = reply?.standings.get(recipient)
      if (!reply || now === OWED || reply.owing?.has(recipient)) return
      if (now === QUEUED) reply.standings.set(recipient, OWED)
      else (reply.owing ??= new Set()).add(recipient)
      reply.owed += 1
    },
    attemptOwes(mid, recipient) {
      const reply = replyOf(mid)
      if (reply) (reply.attempts ??= new Set()).add(recipient)
    },

    attemptEnded(mid, recipient) {
      const reply = replyOf(mid)
      if (reply?.attempts?.delete(recipient)) finishIfIdle(reply)
    },

    attemptsRest(busy) {
      for (const reply of waiting.values()) {
        if (reply.attempts === null) continue
        for (const recipient of reply.attempts) if (!busy(recipient)) reply.attempts.delete(recipient)
        finishIfIdle(reply)
      }
    },

    sessionsGone(recipient) {
      for (const reply of waiting.values()) {
        if (!owes(reply, recipient)) continue
        if (!reply.owing?.delete(recipient)) reply.standings.set(recipient, QUEUED)
        reply.owed -= 1
        finishIfIdle(reply)
      }
    },

    raised(mid, recipient, standing) {
      const reply = replyOf(mid)
      const now = reply?.standings.get(recipient)
      if (!reply || !now || !mayFollow(now, standing)) return
      const owed = now === OWED || reply.owing?.delete(recipient) === true
      reply.standings.set(recipient, standing)
      if (!hasArrived(standing.state) && !isFinal(standing.state)) {
        if (owed) (reply.owing ??= new Set()).add(recipient)
        return
      }
      if (owed) reply.owed -= 1
      reply.attempts?.delete(recipient)
      finishIfIdle(reply)
    },

    async settled(mid, timeoutMs, noteSent) {
      const reply = replyOf(mid)
      if (!reply) return new Map()
      if (!isIdle(reply) && timeoutMs > 0) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(timeoutMs, resolve)
          reply.done = () => {
            cancel()
            resolve()
          }
        })
      }
      if (reply.owed > 0)
        for (const recipient of reply.standings.keys()) if (owes(reply, recipient)) noteSent(recipient)
      set(mid, undefined)
      return reply.standings
    },

    close() {
      for (const reply of waiting.values()) reply.done?.()
    },
  }
}

/** Nothing more can happen that its sender waits for. */
function isIdle({ owed, attempts }: Waiting): boolean {
  return owed === 0 && (attempts === null || attempts.size === 0)
}
