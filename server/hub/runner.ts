/**
 * The plan runner: moves deliveries over outbound endpoints. It claims what is due, with a lease, and has it
 * advanced; how, is said in advance.ts.
 */
import type { RecipientId } from '../protocol/address.ts'
import type { Mid } from '../protocol/states.ts'
import { type Claimed, StoreBusy, StoreFull } from '../store/store.ts'
import { advance, type AdvanceOptions } from './advance.ts'
import type { Replies } from './reply.ts'
import { Stopped } from './traffic.ts'

/** longer than a round of any sensible plan takes; a round that takes longer has its lease renewed */
const LEASE_MS = 120_000
/** after a start, so that sessions can come back before overdue steps ring elsewhere */
const GRACE_MS = 5_000
/** looks again at the latest after this: wake-ups may be lost, and the wall clock may jump */
const POLL_MS = 60_000
/** how long to leave a store alone that could not take a write or give work */
const STORE_PAUSE_MS = 1_000
/** mids run so far ahead of the clock at most, by load alone */
const MIDS_AHEAD_MS = 600_000

export interface Runner {
  /** Starts claiming; overdue work waits a moment for sessions to come back. */
  start(): Promise<void>
  /** Whether more may be accepted that goes out through endpoints. */
  hasRoom(): boolean
  /** deliveries that are in flight, wait for a place, or were accepted and not claimed yet */
  readonly size: number
  /** There may be new work due now. @param count deliveries that were accepted just now */
  wake(count?: number): void
  /** Claims nothing more and waits for what is in flight. */
  stop(): Promise<void>
}

export interface RunnerOptions extends Omit<AdvanceOptions, 'persist'> {
  readonly replies: Replies
  readonly queue: {
    /** deliveries claimed at once */
    readonly batch: number
    /** deliveries that may be in flight or wait for a place */
    readonly room: number
  }
}

/** Work in flight, or waiting for a place. Its fence is renewed when the lease ran out meanwhile. */
interface Flight extends Claimed {
  fence: number
  /** it was claimed again meanwhile: its lease had ended, or it was just scheduled anew */
  again: Claimed | null
  done: Promise<void>
}

export function createRunner(options: RunnerOptions): Runner {
  const { store, replies, clock, due, log, queue } = options
  const flights = new Map<string, Flight>()
  /** how many flights each recipient has */
  const busy = new Map<RecipientId, number>()
  const pauses = new Set<() => void>()
  let state: 'idle' | 'grace' | 'running' | 'stopped' = 'idle'
  let claiming: Promise<void> | null = null
  let again = false
  let cancelTimer: (() => void) | null = null
  /** accepted, and not claimed yet */
  let coming = 0

  function wake(count = 0): void {
    coming += count
    if (state !== 'running') return
    if (claiming) {
      again = true
      return
    }
    claiming = claimAll()
      .catch((error: unknown) => {
        log.error({ err: error }, 'due work could not be claimed')
        schedule(STORE_PAUSE_MS)
      })
      .finally(() => {
        claiming = null
        if (!again) return
        again = false
        wake()
      })
  }

  async function claimAll(): Promise<void> {
    cancelTimer?.()
    cancelTimer = null
    coming = 0
    for (;;) {
      const claimed = await store.claim(due.now(), queue.batch, LEASE_MS)
      if (isStopped()) return
      for (const work of claimed) take(work)
      if (claimed.length < queue.batch) break
    }
    const dueAt = await store.nextDue()
    if (dueAt !== null) schedule(dueAt - due.now())
    if (!again) replies.attemptsRest((recipient) => busy.has(recipient))
  }

  function size(): number {
    return flights.size + coming
  }

  function isStopped(): boolean {
    return state === 'stopped'
  }

  /** A clock that was set back shows by mids from the future: they follow the furthest time that it has shown. */
  async function recallTime(): Promise<void> {
    const newest = (await store.list({}, { limit: 1 })).items[0]
    const furthest = Number(newest?.mid ?? 0)
    if (furthest - clock.now() > MIDS_AHEAD_MS) due.reached(furthest)
  }

  function schedule(ms: number): void {
    if (state === 'running') cancelTimer = clock.after(Math.min(Math.max(1, ms), POLL_MS), wake)
  }

  function take(work: Claimed): void {
    const { mid, recipient } = work.delivery
    const key = keyOf(mid, recipient)
    const known = flights.get(key)
    if (known) {
      known.fence = work.fence
      known.again = work
      return
    }
    const flight: Flight = { ...work, again: null, done: Promise.resolve() }
    flights.set(key, flight)
    busy.set(recipient, (busy.get(recipient) ?? 0) + 1)
    flight.done = advance({ ...options, persist }, flight)
      .catch((error: unknown) => {
        if (!(error instanceof Stopped)) log.error({ err: error, mid, recipient }, 'a delivery could not be moved on')
        return false
      })
      .then(async (goesOn) => {
        flights.delete(key)
        if (flight.again) await giveBack(flight.again)
        const left = (busy.get(recipient) ?? 1) - 1
        if (left > 0) busy.set(recipient, left)
        else busy.delete(recipient)
        // whoever waits for the answer waits for the next step, too
        if (!goesOn) replies.attemptEnded(mid, recipient)
        wake()
      })
  }

  /**
   * A claim that nobody works on: due again as it was. Where the flight itself used its fence, the store knows
   * better and nothing changes.
   */
  async function giveBack({ delivery, fence }: Claimed): Promise<void> {
    const { mid, recipient, step, dueAt, holds } = delivery
    await store.write([{ op: 'step', mid, recipient, step, dueAt, holds, fence }], 'lazy').catch((error: unknown) => {
      log.error({ err: error, mid, recipient }, 'a delivery comes back only when its lease ends')
    })
  }

  /** The other side may have the message by now: what came of it is worth waiting for a store without room. */
  async function persist<T>(write: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await write()
      } catch (error) {
        const passes = error instanceof StoreBusy || error instanceof StoreFull
        if (!passes || isStopped()) throw error
        if (tries === 1) log.warn({ err: error }, 'the store has no room for an outcome, trying again')
      }
      await pause()
    }
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        pauses.delete(end)
        resolve()
      }
      const cancel = clock.after(STORE_PAUSE_MS, end)
      pauses.add(end)
    })
  }

  return {
    async start() {
      await recallTime()
      const dueAt = await store.nextDue()
      const overdue = dueAt !== null && dueAt <= due.now()
      state = overdue ? 'grace' : 'running'
      if (!overdue) return wake()
      cancelTimer = clock.after(GRACE_MS, () => {
        state = 'running'
        wake()
      })
    },
    hasRoom: () => size() < queue.room,
    get size() {
      return size()
    },
    wake,
    async stop() {
      state = 'stopped'
      cancelTimer?.()
      options.traffic.close()
      for (const end of pauses) end()
      await claiming
      await Promise.all([...flights.values()].map(({ done }) => done))
    },
  }
}

function keyOf(mid: Mid, recipient: RecipientId): string {
  return `${mid} ${recipient}`
}
