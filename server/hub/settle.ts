/**
 * The only writer of states. Acks, confirms, outcomes, expiry and removal all come here; here they become
 * records, answers to waiting senders, and news for the recipient's sessions.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { RecipientId } from '../protocol/address.ts'
import type { Mid, Standing, State } from '../protocol/states.ts'
import type { Op, Put, Raise, Store } from '../store/store.ts'
import type { Replies } from './reply.ts'

/** Something that happened to one delivery. */
export interface Event extends Standing {
  readonly mid: Mid
  readonly recipient: RecipientId
  /** who acked or confirmed, on which device; '' or null when that adds nothing to the recipient's name */
  readonly by: string | null
  /** the delivery is no longer owed to the recipient's sessions */
  readonly closes: boolean
}

export interface Settle {
  /**
   * Records the event with others of this turn of the event loop; readable at the end of the turn, durable
   * within 5 ms. Senders and sessions hear of it at once: losing it in a crash only sends the frame again.
   */
  soon(event: Event): void
  /** Adds a document that may follow within the same 5 ms; a later one with the same id replaces it. */
  soonToo(op: Put): void
  /** Records the events together with `ops` in one write; all is durable before anyone hears of it. */
  now(events: readonly Event[], ops: readonly Op[]): Promise<void>
  /** What `soon` holds is handed to the store. */
  flush(): void
  /** Calls back for each event that closes a delivery. */
  onClosed(listener: (event: Event) => void): void
}

interface Batch {
  readonly event: Event
  readonly of: Map<Mid, RecipientId[]>
}

export interface SettleOptions {
  readonly store: Store
  readonly replies: Replies
  readonly clock: Clock
  readonly log: Log
}

export function createSettle({ store, replies, clock, log }: SettleOptions): Settle {
  const batches = new Map<string, Batch>()
  const documents = new Map<string, Put>()
  const listeners: ((event: Event) => void)[] = []
  let scheduled = false

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(flush)
  }

  function flush(): void {
    scheduled = false
    if (batches.size === 0 && documents.size === 0) return
    const at = clock.now()
    const ops = [...[...batches.values()].map((batch) => raiseOf(batch, at)), ...documents.values()]
    batches.clear()
    documents.clear()
    store.write(ops, 'lazy').catch((error: unknown) => log.error({ err: error }, 'states were not recorded'))
  }

  function tell(event: Event): void {
    replies.raised(event.mid, event.recipient, event)
    if (event.closes) for (const listener of listeners) listener(event)
  }

  return {
    soon(event) {
      const key = `${event.state} ${event.via} ${event.closes} ${event.reason} ${event.by ?? ''}`
      let batch = batches.get(key)
      if (!batch) {
        batch = { event, of: new Map() }
        batches.set(key, batch)
      }
      const recipients = batch.of.get(event.mid)
      if (recipients) recipients.push(event.recipient)
      else batch.of.set(event.mid, [event.recipient])
      schedule()
      tell(event)
    },

    soonToo(op) {
      documents.set(`${op.kind} ${op.id}`, op)
      schedule()
    },

    async now(events, ops) {
      const at = clock.now()
      const raises = events.map((event) => raiseOf({ event, of: new Map([[event.mid, [event.recipient]]]) }, at))
      await store.write([...raises, ...ops], 'sync')
      for (const event of events) tell(event)
    },

    flush,
    onClosed: (listener) => void listeners.push(listener),
  }
}

function raiseOf({ event, of }: Batch, at: number): Raise {
  return {
    op: 'raise',
    state: event.state,
    via: event.via,
    at,
    open: !event.closes,
    ...(event.by === null || event.by === '' ? {} : { by: event.by }),
    ...(event.reason === null ? {} : { reason: event.reason }),
    of: [...of],
  }
}

/** An event that only says how far a delivery got. */
export function event(
  mid: Mid,
  recipient: RecipientId,
  state: State,
  more: { via?: string; by?: string | null; reason?: string; closes: boolean },
): Event {
  return {
    mid,
    recipient,
    state,
    via: more.via ?? null,
    by: more.by ?? null,
    reason: more.reason ?? null,
    closes: more.closes,
  }
}
