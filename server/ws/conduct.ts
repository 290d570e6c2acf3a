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

export interface Conduct {
  /** A packet other than AUTH and PING came before AUTH. True: the socket must go. */
  tooEarly(): boolean
  /** An AUTH had a wrong token. True: the socket must go. */
  wrongToken(): boolean
  /** A packet was not as documented. True: the socket must go. */
  badPacket(): boolean
  /** A packet came. `pause`: read nothing for so many ms; `close`: it went on so for 10 s. */
  packet(): { readonly then: 'read' } | { readonly then: 'close' } | { readonly then: 'pause'; readonly ms: number }
  /** The packet counted last but moved something: an ack of a frame in flight. */
  useful(): void
}

export function createConduct(clock: Clock): Conduct {
  const early = createWindow(clock, Infinity)
  const wrong = createWindow(clock, Infinity)
  const bad = createWindow(clock, MINUTE_MS)
  let second = clock.elapsed()
  let packets = 0
  let busySeconds = 0

  return {
    tooEarly: () => early() > BEFORE_AUTH,
    wrongToken: () => wrong() >= WRONG_TOKENS,
    badPacket: () => bad() > BAD_PACKETS_A_MINUTE,

    packet() {
      const age = clock.elapsed() - second
      if (age >= SECOND_MS) {
        busySeconds = packets > IDLE_PACKETS_A_SECOND && age < 2 * SECOND_MS ? busySeconds + 1 : 0
        second += age
        packets = 0
        if (busySeconds >= BUSY_SECONDS) return { then: 'close' }
      }
      packets += 1
      if (packets <= IDLE_PACKETS_A_SECOND) return { then: 'read' }
      return { then: 'pause', ms: Math.max(1, Math.ceil(SECOND_MS - (clock.elapsed() - second))) }
    },

    useful() {
      packets = Math.max(0, packets - 1)
    },
  }
}

/** Counts within windows of `ms`. */
function createWindow(clock: Clock, ms: number): () => number {
  let since = clock.elapsed()
  let count = 0
  return () => {
    if (clock.elapsed() - since > ms) {
      since = clock.elapsed()
      count = 0
    }
    count += 1
    return count
  }
}
