/**
 * One live connection of a recipient. It follows the recipient's inbox with a cursor and a window: a new
 * frame goes out at once while the window is free, otherwise the session is `behind` and reads on from the
 * store when acks make room. There is no queue beside the store.
 */
import type { Clock } from '../ground/clock.ts'
import type { RecipientId } from '../protocol/address.ts'
import type { Mid } from '../protocol/states.ts'
import type { Message, Store } from '../store/store.ts'
import { encodeFrame } from './frame.ts'
import type { Meters } from './meters.ts'
import type { Turns } from './turns.ts'

/** Above this nothing more is written to a socket until it drains; far above it, the socket goes. */
export const SLOW_BYTES = 1024 * 1024
export const TOO_SLOW_BYTES = 4 * SLOW_BYTES

const STEADY_TRIES = 3
/** what asking the store costs beside what it finds, in frames */
const READ_COST = 4
const MAX_RETRY_MS = 60_000

/** What a door gives the hub to reach one socket. */
export interface Connection {
  send(frame: Buffer): void
  /** Runs `write` so that what it sends leaves in one piece. */
  batch(write: () => void): void
  /** bytes not yet taken by the network */
  buffered(): number
  close(code: number, reason: string): void
}

export interface SessionOptions {
  readonly recipient: RecipientId
  /** null: this session is the recipient's one plain client */
  readonly device: string | null
  readonly window: number
  readonly confirms: boolean
  /** mids up to here are not owed to this device */
  readonly cursor: Mid
  readonly connection: Connection
}

/** What a session needs of the lane it runs in. */
export interface Lane {
  readonly store: Store
  readonly clock: Clock
  readonly retryMs: number
  readonly frames: Meters['frames']
  /** those that want to read on */
  readonly reads: Turns<Session>
  /** A frame left that is not acked yet. */
  sent(mid: Mid, recipient: RecipientId): void
  /** The session has frames in flight or is behind, and wants ticks until it is idle. */
  busy(session: Session): void
  failed(error: unknown): void
}

/** A frame whose ack is awaited. The sessions that a push goes to share one. */
export interface Flight {
  readonly mid: Mid
  readonly frame: Buffer
  readonly tries: number
  /** when it is sent again, by the clock's `elapsed` */
  readonly dueAt: number
}

export class Session {
  readonly recipient: RecipientId
  readonly device: string | null
  readonly confirms: boolean
  readonly connection: Connection
  /** its recipient has no other session */
  alone = true
  readonly #lane: Lane
  readonly #window: number
  /** in the order of mids */
  #inFlight: Flight[] = []
  #cursor: Mid
  /** there may be more in the store: nothing is sent past it, so the order of mids holds */
  #behind = true
  /** the mid that a large push, sent in slices, will bring */
  #awaited: Mid | null = null
  #reading = false
  #offered = false
  #busy = false
  /** it is known of frames up to this mid that they were sent */
  #noted: Mid = ''
  #closed = false

  constructor(lane: Lane, options: SessionOptions) {
    this.#lane = lane
    this.recipient = options.recipient
    this.device = options.device
    this.confirms = options.confirms
    this.connection = options.connection
    this.#window = options.window
    this.#cursor = options.cursor
  }

  /** Whether it wants no more ticks for now. */
  rests(): boolean {
    if (this.#inFlight.length > 0 || this.#behind) return false
    this.#busy = false
    return true
  }

  /** A push in slices will offer `mid` in a later turn: what comes meanwhile must not overtake it. */
  await(mid: Mid): void {
    if (this.#behind) {
      this.#offered = true
      return
    }
    this.#behind = true
    this.#awaited = mid
    this.#wantTicks()
  }

  /** `mid` is durable and new. */
  offer(mid: Mid, flight: () => Flight): void {
    if (this.#closed || mid <= this.#cursor) return
    if (this.#awaited === mid) this.#behind = false
    this.#awaited = null
    if (!this.#behind && this.#hasRoom()) {
      this.#transmit(flight())
      return
    }
    this.#behind = true
    this.#offered = true
    this.#wantTicks()
    this.catchUp()
  }

  /** The client has it, or it is owed no longer; reads on if that made room. Null if it was not in flight. */
  release(mid: Mid): Flight | null {
    const at = this.#inFlight.findIndex((flight) => flight.mid === mid)
    const flight = this.#inFlight[at]
    if (!flight) return null
    if (at === this.#inFlight.length - 1) this.#inFlight.pop()
    else this.#inFlight.splice(at, 1)
    this.catchUp()
    return flight
  }

  /** Everything up to this mid was acked, or is not owed to this device. */
  get acked(): Mid {
    const [first] = this.#inFlight
    return first === undefined ? this.#cursor : before(first.mid)
  }

  /** In its turn it will send what is owed from the cursor on, as far as the window allows. */
  catchUp(): void {
    if (this.#reading || !this.#behind || !this.#hasRoom()) return
    this.#reading = true
    this.#lane.reads.add(this)
  }

  /** Its turn has come. Returns what that costs at most, in frames. */
  readOn(): number {
    const limit = this.#window - this.#inFlight.length
    this.#readPage(limit).then(
      () => this.#haveRead(),
      (error: unknown) => {
        this.#haveRead()
        this.#lane.failed(error)
      },
    )
    return limit + READ_COST
  }

  /**
   * Records of the frames in flight that they were sent. Nearly every ack comes before anybody asks, so this
   * is done when somebody does, or when the ack has not come by the next tick.
   */
  noteSent(): void {
    for (const { mid } of this.#inFlight) {
      if (mid <= this.#noted) continue
      this.#noted = mid
      this.#lane.sent(mid, this.recipient)
    }
  }

  /** Sends frames again whose ack is overdue. */
  tick(): void {
    if (this.#closed) return
    this.noteSent()
    const buffered = this.connection.buffered()
    if (buffered > SLOW_BYTES) return
    if (this.#awaited === null) this.catchUp()
    const now = this.#lane.clock.elapsed()
    for (const [at, flight] of this.#inFlight.entries()) {
      if (flight.dueAt > now) continue
      const tries = flight.tries + 1
      this.#inFlight[at] = { ...flight, tries, dueAt: now + retryDelay(this.#lane.retryMs, tries) }
      this.#lane.frames.again += 1
      this.connection.send(flight.frame)
    }
  }

  close(): void {
    this.noteSent()
    this.#closed = true
    this.#inFlight = []
  }

  async #readPage(limit: number): Promise<void> {
    this.#offered = false
    this.#awaited = null
    const page = await this.#lane.store.inbox(this.recipient, { after: this.#cursor, open: true, limit })
    if (this.#closed) return
    if (page.items.length > 1) this.connection.batch(() => this.#sendAll(page.items))
    else this.#sendAll(page.items)
    if (page.next === null && !this.#offered) this.#behind = false
  }

  #sendAll(items: readonly { readonly message: Message }[]): void {
    const now = this.#lane.clock.now()
    for (const { message } of items) {
      if (message.mid <= this.#cursor) continue
      if (message.expiresAt !== null && message.expiresAt <= now) this.#cursor = message.mid
      else this.#transmit(firstFlight(this.#lane, message))
    }
  }

  #haveRead(): void {
    this.#reading = false
    this.catchUp()
  }

  #hasRoom(): boolean {
    return !this.#closed && this.#inFlight.length < this.#window && this.connection.buffered() < SLOW_BYTES
  }

  #transmit(flight: Flight): void {
    this.#cursor = flight.mid
    this.#inFlight.push(flight)
    this.#lane.frames.first += 1
    this.connection.send(flight.frame)
    this.#wantTicks()
  }

  #wantTicks(): void {
    if (this.#busy) return
    this.#busy = true
    this.#lane.busy(this)
  }
}

/** A message as it leaves for the first time. */
export function firstFlight({ clock, retryMs }: Pick<Lane, 'clock' | 'retryMs'>, message: Message): Flight {
  return { mid: message.mid, frame: encodeFrame(message), tries: 1, dueAt: clock.elapsed() + retryMs }
}

/** ms since the frame left for the first time; of one that left again, less by up to a tick for each time. */
export function ageOf({ tries, dueAt }: Flight, { clock, retryMs }: Pick<Lane, 'clock' | 'retryMs'>): number {
  let firstAt = dueAt - retryMs
  for (let n = 2; n <= tries; n += 1) firstAt -= retryDelay(retryMs, n)
  return clock.elapsed() - firstAt
}

/** Clients expect a steady pace at first; after some tries it doubles up to a minute. */
function retryDelay(firstMs: number, tries: number): number {
  return Math.max(firstMs, Math.min(MAX_RETRY_MS, firstMs * 2 ** Math.max(0, tries - STEADY_TRIES)))
}

function before(mid: Mid): Mid {
  return String(Number(mid) - 1).padStart(mid.length, '0')
}
