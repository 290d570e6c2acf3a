/**
 * Who may send now: workers and platforms have so many places, each endpoint the rate that its vendor allows,
 * and one that fails again and again rests for a while (a circuit breaker).
 */
import type { Endpoint, Outcome } from '../channels/channel.ts'
import type { Clock } from '../ground/clock.ts'

const BREAKS_AFTER = 5
const FIRST_REST_MS = 15_000
const LONGEST_REST_MS = 300_000

export interface Limits {
  /** attempts at once */
  readonly workers: number
  /** attempts at once through one channel */
  readonly perPlatform: number
}

export interface Traffic {
  /** When the endpoint may be used, in ms since epoch; not later than now: at once. */
  freeAt(endpoint: Endpoint): number
  /** The endpoint is about to be used: that counts against its rate. */
  take(endpoint: Endpoint): void
  /** When somebody who found it busy should come back: everyone at another time, in turn. */
  promise(endpoint: Endpoint): number
  /** ms that whoever waits longest for a place has waited by now */
  longestWait(): number
  /** Waits for a place; returns how to leave it. */
  enter(endpoint: Endpoint): Promise<() => void>
  /** Whether it rests after too many failures. The first to ask after the rest may try, alone. */
  isResting(endpoint: Endpoint): boolean
  ended(endpoint: Endpoint, outcome: Outcome): void
  /** Sends away whoever waits for a place: `enter` rejects with Stopped. */
  close(): void
}

/** How one endpoint fares. */
interface Record {
  readonly buckets: { readonly size: number; readonly refillMs: number; left: number; at: number }[]
  pausedUntil: number
  promisedUntil: number
  failures: number
  restsUntil: number
}

export function createTraffic(clock: Clock, { workers, perPlatform }: Limits): Traffic {
  const records = new Map<string, Record>()
  const all = createPlaces(workers, clock)
  const platforms = new Map<string, Places>()

  function of(endpoint: Endpoint): Record {
    const known = records.get(endpoint.id)
    if (known) return known
    const now = clock.now()
    const buckets = endpoint.capabilities.rates.map(({ count, perMs }) => ({
      size: count,
      refillMs: perMs / count,
      left: count,
      at: now,
    }))
    const made = { buckets, pausedUntil: 0, promisedUntil: 0, failures: 0, restsUntil: 0 }
    records.set(endpoint.id, made)
    return made
  }

  function placesOf(channel: string): Places {
    const places = platforms.get(channel) ?? createPlaces(perPlatform, clock)
    platforms.set(channel, places)
    return places
  }

  function freeAt(endpoint: Endpoint): number {
    const { buckets, pausedUntil } = of(endpoint)
    const now = clock.now()
    let at = pausedUntil
    for (const bucket of buckets) {
      bucket.left = Math.min(bucket.size, bucket.left + Math.max(0, now - bucket.at) / bucket.refillMs)
      bucket.at = now
      if (bucket.left < 1) at = Math.max(at, Math.ceil(now + (1 - bucket.left) * bucket.refillMs))
    }
    return at
  }

  return {
    freeAt,
    take(endpoint) {
      for (const bucket of of(endpoint).buckets) bucket.left -= 1
    },
    promise(endpoint) {
      const record = of(endpoint)
      const apart = Math.max(1, ...record.buckets.map(({ refillMs }) => refillMs))
      record.promisedUntil = Math.max(freeAt(endpoint), record.promisedUntil + apart)
      return Math.ceil(record.promisedUntil)
    },

    longestWait: () => Math.max(...[all, ...platforms.values()].map((places) => places.longestWait())),

    async enter(endpoint) {
      if (!endpoint.capabilities.shared) return () => {}
      // the platform's place first: who waits for a slow platform must not hold a worker
      const leavePlatform = await placesOf(endpoint.channel).enter()
      const leaveWorkers = await all.enter().catch((error: unknown) => {
        leavePlatform()
        throw error
      })
      return () => {
        leaveWorkers()
        leavePlatform()
      }
    },

    isResting(endpoint) {
      const record = of(endpoint)
      if (record.failures < BREAKS_AFTER) return false
      const now = clock.now()
      if (record.restsUntil > now) return true
      record.restsUntil = now + restOf(record.failures)
      return false
    },

    ended(endpoint, outcome) {
      // one that keeps order rests by itself: its next message waits for the retry of this one
      if (endpoint.capabilities.ordered) return
      const record = of(endpoint)
      if (outcome.kind === 'retry' && outcome.retryAfterMs !== undefined) {
        // where nothing is tried again, whoever calls is told at once instead of waiting
        if (endpoint.backoff.tries > 1) record.pausedUntil = clock.now() + outcome.retryAfterMs
        return
      }
      if (outcome.kind !== 'retry' && outcome.kind !== 'unknown') {
        record.failures = 0
        return
      }
      record.failures += 1
      if (record.failures >= BREAKS_AFTER) record.restsUntil = clock.now() + restOf(record.failures)
    },

    close() {
      for (const places of [all, ...platforms.values()]) places.close()
    },
  }
}

function restOf(failures: number): number {
  return Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (failures - BREAKS_AFTER))
}

/** The hub stops: whoever waited for a place gets none any more. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

interface Places {
  enter(): Promise<() => void>
  longestWait(): number
  close(): void
}

/** First come, first served. */
function createPlaces(count: number, clock: Clock): Places {
  /** a Set keeps the order of arrival and gives up its first in constant time */
  const waiting = new Set<{ readonly since: number; readonly go: () => void; readonly stop: (why: Stopped) => void }>()
  let free = count

  function leave(): void {
    const [next] = waiting
    if (!next) {
      free += 1
      return
    }
    waiting.delete(next)
    next.go()
  }

  return {
    async enter() {
      if (free > 0) free -= 1
      else await new Promise<void>((go, stop) => void waiting.add({ since: clock.elapsed(), go, stop }))
      return leave
    },
    longestWait() {
      const [first] = waiting
      return first ? clock.elapsed() - first.since : 0
    },
    close() {
      for (const { stop } of waiting) stop(new Stopped())
      waiting.clear()
    },
  }
}
