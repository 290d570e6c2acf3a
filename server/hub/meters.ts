/**
 * What the hub counts of itself, in plain numbers. What they are called outside is said in http/metrics/table.ts;
 * the store counts for itself (store.ts, Figures).
 */
import type { ErrorName } from '../protocol/errors.ts'
import { Tally } from '../ground/tally.ts'

/** seconds */
const ACK_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** seconds */
const ATTEMPT_BOUNDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** How an attempt ended; `rests`: it was not made, the endpoint failed too often. */
export const OUTCOMES = ['delivered', 'accepted', 'retry', 'unknown', 'failed', 'rests'] as const
export type Door = 'http' | 'websocket'

/** What goes out through one channel. */
export interface ChannelMeters {
  /** attempts that wait for a place */
  waiting: number
  /** attempts under way */
  sending: number
  readonly outcomes: Map<(typeof OUTCOMES)[number], number>
  /** of attempts that were made */
  readonly seconds: Tally
}

export interface Meters {
  /** pushes by what became of them; `nobody`: no such recipient, or an empty group */
  readonly pushes: { accepted: number; repeated: number; nobody: number }
  /** well-formed pushes that were refused */
  readonly refusedPushes: Map<ErrorName, number>
  /** requests and packets that a door refused, those pushes among them */
  readonly refusals: Readonly<Record<Door, Map<ErrorName, number>>>
  /** MESSAGE frames to sessions, for the first time and again */
  readonly frames: { first: number; again: number }
  /** seconds from a frame's first leaving to its ack */
  readonly acks: Tally
  /** sockets that the hub closed, by close code */
  readonly closed: Map<number, number>
  /** those that were used */
  readonly channels: ReadonlyMap<string, ChannelMeters>
  channel(name: string): ChannelMeters
}

export function createMeters(): Meters {
  const channels = new Map<string, ChannelMeters>()
  return {
    pushes: { accepted: 0, repeated: 0, nobody: 0 },
    refusedPushes: new Map(),
    refusals: { http: new Map(), websocket: new Map() },
    frames: { first: 0, again: 0 },
    acks: new Tally(ACK_BOUNDS),
    closed: new Map(),
    channels,
    channel(name) {
      const known = channels.get(name)
      if (known) return known
      const made = { waiting: 0, sending: 0, outcomes: new Map(), seconds: new Tally(ATTEMPT_BOUNDS) }
      channels.set(name, made)
      return made
    },
  }
}
