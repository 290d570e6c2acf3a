/** What became of a step so far, read from the attempts on record. Pure. */
import type { Backoff, Endpoint } from '../channels/channel.ts'
import { isSuccess, type Outcome } from '../channels/outcome.ts'
import type { Attempt } from '../store/store.ts'
import type { Step, Track } from './plan.ts'

const JITTER = 0.2

export type Tries =
  | { readonly kind: 'worked' }
  /** not to be tried again: it failed for good, or too often, or nobody knows and its channel would rather not repeat */
  | { readonly kind: 'over' }
  /**
   * to be tried, at `at` (ms since epoch) or later; `repeats`: it may have the message already; `skip`: so
   * many parts went out before
   */
  | { readonly kind: 'due'; readonly at: number; readonly repeats: boolean; readonly skip: number }

/** How one endpoint stands in a step. */
export function triesOf(endpoint: Endpoint, attempts: readonly Attempt[], step: number): Tries {
  const made = ofEndpoint(endpoint, attempts, step)
  const last = made.at(-1)
  if (!last) return { kind: 'due', at: 0, repeats: false, skip: 0 }
  if (last.outcome !== null && isSuccess(last.outcome)) return { kind: 'worked' }
  const unknown = isUnknown(last)
  if (unknown && endpoint.capabilities.onUnknown === 'skip') return { kind: 'over' }
  if ((!unknown && last.outcome !== 'retry') || made.length >= endpoint.backoff.tries) return { kind: 'over' }
  return { kind: 'due', at: last.retryAt ?? 0, repeats: made.some(isUnknown), skip: last.parts ?? 0 }
}

/** It may have arrived. */
function isUnknown({ endedAt, outcome }: Attempt): boolean {
  return endedAt === null || outcome === 'unknown'
}

/** Whether a track needs no more: an endpoint that answers for all of it took the message. */
export function hasWorked({ endpoints, mode }: Track, attempts: readonly Attempt[], step: number): boolean {
  return mode === 'first' && endpoints.some((endpoint) => triesOf(endpoint, attempts, step).kind === 'worked')
}

/**
 * What is left of a step: when its next round is due; null when there is nothing more to try.
 * @param freeAt when an endpoint may be used again, in ms since epoch
 */
export function roundAfter(
  { tracks }: Step,
  attempts: readonly Attempt[],
  step: number,
  freeAt: (endpoint: Endpoint) => number = () => 0,
): { readonly at: number; readonly ordered: boolean } | null {
  const left = tracks
    .filter((track) => !hasWorked(track, attempts, step))
    .flatMap(({ endpoints }) => endpoints)
    .flatMap((endpoint) => {
      const tries = triesOf(endpoint, attempts, step)
      return tries.kind === 'due' ? [{ at: Math.max(tries.at, freeAt(endpoint)), endpoint }] : []
    })
  if (left.length === 0) return null
  return {
    at: Math.min(...left.map(({ at }) => at)),
    ordered: left.some(({ endpoint }) => endpoint.capabilities.ordered),
  }
}

/**
 * When an endpoint may be tried again after an attempt that ended now; null when it need not be.
 * @param earlier its attempts in this step before that one
 */
export function retryAt(
  outcome: Outcome,
  backoff: Backoff,
  earlier: number,
  now: number,
  random: number,
): number | null {
  if (outcome.kind !== 'retry' && outcome.kind !== 'unknown') return null
  const atLeast = outcome.kind === 'retry' ? (outcome.retryAfterMs ?? 0) : 0
  return now + Math.round(Math.max(atLeast, delay(backoff, earlier, random)))
}

/** Never below the first delay and never above the last; the jitter keeps many from coming back at once. */
function delay({ firstMs, maxMs }: Backoff, earlier: number, random: number): number {
  const doubled = firstMs * 2 ** Math.min(earlier, 30)
  const longer = doubled * (1 + JITTER * random)
  return longer <= maxMs ? longer : Math.max(firstMs, maxMs * (1 - JITTER * random))
}

export function countOf(endpoint: Endpoint, attempts: readonly Attempt[], step: number): number {
  return ofEndpoint(endpoint, attempts, step).length
}

function ofEndpoint(endpoint: Endpoint, attempts: readonly Attempt[], step: number): readonly Attempt[] {
  return attempts.filter((made) => made.endpoint === endpoint.id && made.step === step)
}
