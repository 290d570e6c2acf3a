/** Keeps count of what one socket gets wrong, and says when it was once too often. */
import type { Clock } from '../clock.ts'

const MINUTE_MS = 60_000
const SECOND_MS = 1_000

const BEFORE_AUTH = 3
const WRONG_TOKENS = 3
const BAD_PACKETS_A_MINUTE = 20
/** packets that move nothing: idle acks, PINGs and the like; far above what any client sends */
const IDLE_PACKETS_A_SECOND = 200
const BUSY_SECONDS = 10

type Pace = { readonly then: 'read' } | { readonly then: 'close' } | { readonly then: 'pause'; readonly ms: number }

export interface Conduct {
  /** A packet other than AUTH and PING came before AUTH. True: the socket must go. */
  tooEarly(): boolean
  /** An AUTH had a wrong token. True: the socket must go. */
  wrongToken(): boolean
  /** A packet was not as documented. True: the socket must go. */
  badPacket(): boolean
  /** A packet came. `pause`: read nothing for so many ms; `close`: it went on so for 10 s. */
  packet(): Pace
  /** The packet counted last but moved something: an ack of a frame in flight. */
  useful(): void
}

/** One per socket, and there are many: plain numbers, no closures. */
export function createConduct(clock: Clock): Conduct {
  return new SocketConduct(clock)
}

class SocketConduct implements Conduct {
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
    this.#badSince = clock.elapsed()
    this.#second = this.#badSince
  }

  tooEarly(): boolean {
    this.#early += 1
    return this.#early > BEFORE_AUTH
  }

  wrongToken(): boolean {
    this.#wrong += 1
    return this.#wrong >= WRONG_TOKENS
  }

  badPacket(): boolean {
    const now = this.#clock.elapsed()
    if (now - this.#badSince > MINUTE_MS) {
      this.#badSince = now
      this.#bad = 0
    }
    this.#bad += 1
    return this.#bad > BAD_PACKETS_A_MINUTE
  }

  packet(): Pace {
    const now = this.#clock.elapsed()
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
    return { then: 'pause', ms: Math.max(1, Math.ceil(SECOND_MS - (now - this.#second))) }
  }

  useful(): void {
    this.#packets = Math.max(0, this.#packets - 1)
  }
}
