/** Keeps count of what one socket gets wrong, and says when it was once too often. */
import type { Clock } from '../ground/clock.ts'

const MINUTE_MS = 60_000
const SECOND_MS = 1_000

const BEFORE_AUTH = 3
const WRONG_TOKENS = 3
const BAD_PACKETS_A_MINUTE = 20
/** packets that move nothing: idle acks, PINGs and the like; far above what any client sends */
const IDLE_PACKETS_A_SECOND = 200
const BUSY_SECONDS = 10

type Pace = { readonly then: 'read' } | { readonly then: 'close' } | { readonly then: 'pause'; readonly ms: number }

/** There is one for each socket: plain numbers, whole ones, no closures. */
export class Conduct {
  readonly #clock: Clock
  #early = 0
  #wrong = 0
  #bad = 0
  #badSince: number
  #packets = 0
  #second: number
  #busySeconds = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#badSince = this.#now()
    this.#second = this.#badSince
  }

  /** A packet other than AUTH and PING came before AUTH. True: the socket must go. */
  tooEarly(): boolean {
    this.#early += 1
    return this.#early > BEFORE_AUTH
  }

  /** An AUTH had a wrong token. True: the socket must go. */
  wrongToken(): boolean {
    this.#wrong += 1
    return this.#wrong >= WRONG_TOKENS
  }

  /** A packet was not as documented. True: the socket must go. */
  badPacket(): boolean {
    const now = this.#now()
    if (now - this.#badSince > MINUTE_MS) {
      this.#badSince = now
      this.#bad = 0
    }
    this.#bad += 1
    return this.#bad > BAD_PACKETS_A_MINUTE
  }

  /** A packet came. `pause`: read nothing for so many ms; `close`: it went on so for 10 s. */
  packet(): Pace {
    const now = this.#now()
    const age = now - this.#second
    if (age >= SECOND_MS) {
      const wasBusy = this.#packets > IDLE_PACKETS_A_SECOND && age < 2 * SECOND_MS
      this.#busySeconds = wasBusy ? this.#busySeconds + 1 : 0
      this.#second = now
      this.#packets = 0
      if (this.#busySeconds >= BUSY_SECONDS) return { then: 'close' }
    }
    this.#packets += 1
    if (this.#packets <= IDLE_PACKETS_A_SECOND) return { then: 'read' }
    return { then: 'pause', ms: SECOND_MS - (now - this.#second) }
  }

  /** The packet counted last but moved something: an ack of a frame in flight. */
  useful(): void {
    this.#packets = Math.max(0, this.#packets - 1)
  }

  #now(): number {
    return Math.floor(this.#clock.elapsed())
  }
}
