/**
 * The only writer of states. Acks, confirms, outcomes, expiry and removal all come here; here they become
 * records, answers to waiting senders, and news for the recipient's sessions.
 */
import type { Clock } from '../ground/clock.ts'
import type { Log } from '../ground/log.ts'
import type { RecipientId } from '../protocol/address.ts'
import type { Mid, Standing, State } from '../protocol/states.ts'
import type { Accepted, Op, Put, Raise, Store } from '../store/store.ts'
import type { Replies } from './reply.ts'

/** Something that happens to deliveries. One frozen object serves all that it happens to in the same way. */
export interface Happening extends Standing {
  /** who acked or confirmed, on which device; null when that adds nothing to the recipient's name */
  readonly by: string | null
  /** the delivery is no longer owed to the recipient's sessions */
  readonly closes: boolean
}

/** Something that happened to one delivery. */
export interface Event extends Happening {
  readonly mid: Mid
  readonly recipient: RecipientId
}

export interface Settle {
  /**
   * Records what happened with all else of this turn of the event loop; readable at the end of the turn,
   * durable within 5 ms. Senders hear of it at once: losing it in a crash only sends the frame again.
   */
  soon(what: Happening, mid: Mid, recipient: RecipientId): void
  /** Adds a document that may follow within the same 5 ms; a later one with the same id replaces it. */
  soonToo(op: Put): void
  /**
   * Records the events together with `ops` in one write; all is durable before anyone hears of it. Resolves to
   * what was accepted; null, and nothing happened, when an op no longer holds: somebody else has the work by now.
   */
  now(events: readonly Event[], ops: readonly Op[]): Promise<readonly Accepted[] | null>
  /** What `soon` holds is handed to the store. */
  flush(): void
  /** Calls back for each event recorded by `now` that closes a delivery. */
  onClosed(listener: (what: Happening, mid: Mid, recipient: RecipientId) => void): void
}

/** The recipients of each message that one thing happened to. */
type Batch = Map<Mid, RecipientId[]>

export interface SettleOptions {
  readonly store: Store
  readonly replies: Replies
  readonly clock: Clock
  readonly log: Log
}

export function createSettle({ store, replies, clock, log }: SettleOptions): Settle {
  const batches = new Map<Happening, Batch>()
  const documents = new Map<string, Put>()
  const listeners: ((what: Happening, mid: Mid, recipient: RecipientId) => void)[] = []
  let scheduled = false
  /** where the last event went: nearly always the next one goes there too */
  let last: { readonly what: Happening; readonly mid: Mid; readonly recipients: RecipientId[] } | null = null

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(flush)
  }

  function flush(): void {
    scheduled = false
    if (batches.size === 0 && documents.size === 0) return
    const at = clock.now()
    const ops = [...[...batches].map(([what, of]) => raiseOf(what, of, at)), ...documents.values()]
    batches.clear()
    documents.clear()
    last = null
    store.write(ops, 'lazy').catch((error: unknown) => log.error({ err: error }, 'states were not recorded'))
  }

  function recipientsOf(what: Happening, mid: Mid): RecipientId[] {
    if (last && last.what === what && last.mid === mid) return last.recipients
    const batch = batches.get(what) ?? new Map<Mid, RecipientId[]>()
    batches.set(what, batch)
    const recipients = batch.get(mid) ?? []
    batch.set(mid, recipients)
    last = { what, mid, recipients }
    return recipients
  }

  return {
    soon(what, mid, recipient) {
      recipientsOf(what, mid).push(recipient)
      schedule()
      replies.raised(mid, recipient, what)
    },

    soonToo(op) {
      documents.set(`${op.kind} ${op.id}`, op)
      schedule()
    },

    async now(events, ops) {
      const at = clock.now()
      const raises = events.map((event) => raiseOf(event, new Map([[event.mid, [event.recipient]]]), at))
      const written = await store.write([...raises, ...ops], 'sync')
      if (!written.ok) return null
      for (const event of events) {
        replies.raised(event.mid, event.recipient, event)
        if (event.closes) for (const listener of listeners) listener(event, event.mid, event.recipient)
      }
      return written.mids
    },

    flush,
    onClosed: (listener) => void listeners.push(listener),
  }
}

function raiseOf(what: Happening, of: Batch, at: number): Raise {
  return {
    op: 'raise',
    state: what.state,
    via: what.via,
    at,
    open: !what.closes,
    ...(what.by === null ? {} : { by: what.by }),
    ...(what.reason === null ? {} : { reason: what.reason }),
    of: [...of],
  }
}

interface Details {
  readonly via?: string
  readonly by?: string | null
  readonly reason?: string
  readonly closes: boolean
}

/** A thing that can happen to many deliveries. */
export function happening(state: State, { via, by, reason, closes }: Details): Happening {
  return Object.freeze({ state, via: via ?? null, by: by ?? null, reason: reason ?? null, closes })
}

/** A thing that happened to one delivery. */
export function event(mid: Mid, recipient: RecipientId, state: State, details: Details): Event {
  return { mid, recipient, ...happening(state, details) }
}
