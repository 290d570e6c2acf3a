/** Deliveries that ended as failed: they can be looked at, and sent again as a new message. */
import { type RecipientId, SYSTEM } from '../protocol/address.ts'
import type { Mid } from '../protocol/states.ts'
import type { Attempt, Delivery, Message, Page } from '../store/store.ts'
import { acceptOf, type Rooms, sendOn } from './push.ts'
import { event } from './settle.ts'

export interface DeadLetter {
  readonly delivery: Delivery
  readonly message: Message
  readonly attempts: readonly Attempt[]
}

export interface DeadLetters {
  /** Newest first; a page may be short with `next` set. @param before what the page before gave as `next` */
  list(page: { readonly before?: string; readonly limit: number }): Promise<Page<DeadLetter>>
  /**
   * Accepts the message anew for this recipient, and takes the dead letter off the list in the same write.
   * Null when there is no such dead letter. @throws what a push throws
   */
  resend(mid: Mid, recipient: RecipientId): Promise<Mid | null>
}

export function createDeadLetters(rooms: Rooms): DeadLetters {
  const { store, settle, clock } = rooms

  async function letterOf(delivery: Delivery): Promise<DeadLetter[]> {
    const { mid, recipient } = delivery
    const message = await store.message(mid)
    return message ? [{ delivery, message, attempts: await store.attempts(mid, recipient) }] : []
  }

  return {
    async list(page) {
      const { items, next } = await store.list({ states: ['failed'] }, page)
      // one about a notification has its message on the list already
      const letters = await Promise.all(items.filter(({ recipient }) => recipient !== SYSTEM).map(letterOf))
      return { items: letters.flat(), next }
    },

    async resend(mid, recipient) {
      const delivery = await store.delivery(mid, recipient)
      const message = await store.message(mid)
      if (!message || delivery?.state !== 'failed') return null
      const at = clock.now()
      const expiresAt = message.expiresAt === null ? null : at + message.expiresAt - message.at
      const accept = acceptOf(rooms, { ...message, at, to: [recipient], expiresAt }, [recipient])
      const removed = event(mid, recipient, 'removed', { reason: 'resent', closes: true })
      const [accepted] = (await settle.now([removed], [accept])) ?? []
      if (!accepted) return null
      sendOn(rooms, accept, accepted)
      return accepted.mid
    },
  }
}
