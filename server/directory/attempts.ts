/**
 * Who may still try. An address whose proofs fail too often is not listened to for a while: until it has a try
 * again, a right token from it is not looked at either, for else guessing would go on. What needs no proof is
 * served all the same. Sockets that have not come through AUTH are counted per address, too.
 *
 * As long as `trustProxy` names nobody, loopback is counted and not refused: behind a proxy on this machine
 * everybody comes from there, and one stranger could lock out all others. The log says when that matters.
 */
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../ground/clock.ts'
import type { Log } from '../ground/log.ts'
import { Refusal } from '../protocol/errors.ts'
import { createPeerReader, isLoopback, type Peer } from './peers.ts'

const MINUTE_MS = 60_000
const MAX_PEERS = 100_000
const REFUSED = 'proofs from this address failed too often: it is refused for a while; if it is a proxy, see trustProxy'
const SPARED = 'proofs from this machine failed too often; nobody is refused, as a proxy may be here: see trustProxy'
const TOO_MANY_SOCKETS = 'too many sockets without AUTH from this address'

export interface AttemptLimits {
  /** failed proofs that an address has at once */
  readonly attempts: number
  /** how fast they come back */
  readonly attemptsPerMinute: number
  /** sockets of an address that have not come through AUTH */
  readonly socketsPerAddress: number
}

/**
 * Runs a proof if its caller may still try; one that throws costs a try.
 * @throws Refusal too-many-attempts, and what the proof throws
 */
export type Prove = <T>(proof: () => T) => T

/** A socket that has not come through AUTH. */
export interface Newcomer {
  readonly prove: Prove
  /** It came through AUTH, or is gone; repeated calls do nothing. */
  leave(): void
}

export interface Attempts {
  /** As Prove. Costs nothing while no proof has failed anywhere. */
  prove<T>(request: IncomingMessage, proof: () => T): T
  /** A socket opens. @throws Refusal too-many-attempts */
  open(request: IncomingMessage): Newcomer
}

export interface AttemptOptions {
  readonly limits: AttemptLimits
  readonly trustProxy: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

export function createAttempts({ limits, trustProxy, clock, log }: AttemptOptions): Attempts {
  const peerOf = createPeerReader(trustProxy)
  const msPerTry = MINUTE_MS / limits.attemptsPerMinute
  /** when each peer that failed has all its tries again; the one that tried last stands last */
  const wholeAt = new Map<Peer, number>()
  const newcomers = new Map<Peer, number>()

  function isSpared(peer: Peer): boolean {
    return trustProxy.length === 0 && isLoopback(peer)
  }

  /** ms until the peer has a try; 0 or less: it has. */
  function waitOf(whole: number): number {
    return whole - clock.elapsed() - (limits.attempts - 1) * msPerTry
  }

  function remember(peer: Peer, whole: number): void {
    wholeAt.delete(peer)
    wholeAt.set(peer, whole)
    if (wholeAt.size <= MAX_PEERS) return
    const [longestAgo] = wholeAt.keys()
    if (longestAgo !== undefined) wholeAt.delete(longestAgo)
  }

  function check(peer: Peer): void {
    const whole = wholeAt.get(peer)
    if (whole === undefined) return
    if (whole <= clock.elapsed()) {
      wholeAt.delete(peer)
      return
    }
    const ms = waitOf(whole)
    if (ms <= 0 || isSpared(peer)) return
    remember(peer, whole)
    throw new Refusal('too-many-attempts', undefined, Math.ceil(ms / 1_000))
  }

  function fail(peer: Peer): void {
    const before = Math.max(wholeAt.get(peer) ?? 0, clock.elapsed())
    const whole = before + msPerTry
    remember(peer, whole)
    if (waitOf(whole) > 0 && waitOf(before) <= 0) log.warn({ address: peer }, isSpared(peer) ? SPARED : REFUSED)
  }

  function tryOf<T>(peer: () => Peer, proof: () => T): T {
    if (wholeAt.size > 0) check(peer())
    try {
      return proof()
    } catch (error) {
      fail(peer())
      throw error
    }
  }

  /** There is one for each socket: no closures. */
  class Unproved implements Newcomer {
    readonly #peer: Peer
    #isNew = true

    constructor(peer: Peer) {
      this.#peer = peer
    }

    prove<T>(proof: () => T): T {
      return tryOf(() => this.#peer, proof)
    }

    leave(): void {
      if (!this.#isNew) return
      this.#isNew = false
      const left = (newcomers.get(this.#peer) ?? 1) - 1
      if (left > 0) newcomers.set(this.#peer, left)
      else newcomers.delete(this.#peer)
    }
  }

  return {
    prove: (request, proof) => tryOf(() => peerOf(request), proof),

    open(request) {
      const peer = peerOf(request)
      check(peer)
      const count = newcomers.get(peer) ?? 0
      if (count >= limits.socketsPerAddress && !isSpared(peer)) throw new Refusal('too-many-attempts', TOO_MANY_SOCKETS)
      newcomers.set(peer, count + 1)
      return new Unproved(peer)
    },
  }
}
