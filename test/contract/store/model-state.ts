/** What a store knows, in plain maps. Deliveries stand in the order of their mids, then as accepted. */
import type { Mid } from '../../../server/protocol/states.ts'
import type { Accept, Attempt, Delivery, Message, Store } from '../../../server/store/store.ts'
import type { TestClock } from '../../helpers/clock.ts'

export interface Model {
  readonly messages: Map<Mid, Message>
  /** by `mid recipient` */
  readonly deliveries: Map<string, Delivery>
  readonly attempts: Map<string, Attempt[]>
  readonly once: Map<string, { readonly mid: Mid; readonly print: string; readonly expiresAt: number }>
  /** settings by id */
  readonly documents: Map<string, unknown>
  readonly meters: Map<string, number>
}

/** The store of one run; a restart replaces it. */
export interface Real {
  store: Store
  readonly clock: TestClock
  /** undefined: it cannot */
  reopen(): Promise<Store | undefined>
}

export function emptyModel(): Model {
  return {
    messages: new Map(),
    deliveries: new Map(),
    attempts: new Map(),
    once: new Map(),
    documents: new Map(),
    meters: new Map(),
  }
}

/** Who of an accept has no room. */
export function fullOf(model: Model, { recipients, room }: Accept): string[] {
  if (!room) return []
  return recipients.filter((recipient) => {
    const waiting = [...model.deliveries.values()].filter(
      (delivery) => delivery.recipient === recipient && delivery.open,
    )
    return waiting.length >= room.count
  })
}

/** Takes in what the store accepted under `mid`. */
export function admit(
  model: Model,
  mid: Mid,
  { message, recipients, planned, holding = [] }: Accept,
  full: readonly string[],
): void {
  model.messages.set(mid, { ...message, mid })
  for (const recipient of recipients) {
    const isFull = full.includes(recipient)
    const dueAt = planned.includes(recipient) ? message.at : message.expiresAt
    model.deliveries.set(`${mid} ${recipient}`, {
      mid,
      recipient,
      state: isFull ? 'failed' : 'queued',
      via: null,
      at: message.at,
      by: null,
      reason: isFull ? 'full' : null,
      open: !isFull,
      step: 0,
      dueAt: isFull ? null : dueAt,
      holds: !isFull && holding.includes(recipient),
    })
  }
}

/** What is scheduled, up to the first of each recipient that holds. */
export function scheduledOf(model: Model): (Delivery & { readonly dueAt: number })[] {
  const held = new Set<string>()
  return [...model.deliveries.values()].flatMap(({ dueAt, ...delivery }) => {
    if (dueAt === null || held.has(delivery.recipient)) return []
    if (delivery.holds) held.add(delivery.recipient)
    return [{ ...delivery, dueAt }]
  })
}

/** All of it that is due. */
export function dueOf(model: Model, now: number): Delivery[] {
  return scheduledOf(model).filter(({ dueAt }) => dueAt <= now)
}
