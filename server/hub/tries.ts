/** What became of a step so far, read from the attempts on record. Pure. */
import type { Backoff, Endpoint, Outcome } from '../channels/channel.ts'
import type { Attempt } from '../store/store.ts'
import type { Step } from './plan.ts'

const JITTER = 0.2

export type Tries =
  | { readonly kind: 'worked' }
  /** not to be tried again: it failed for good, or nobody knows and its channel would rather not repeat */
  | { readonly kind: 'over' }
  /** to be tried, at `at` (ms since epoch) or later; `repeats`: it may have the message already */
  | { readonly kind: 'due'; readonly at: number; readonly repeats: boolean }

/** How one endpoint stands in a step. */
export function triesOf(endpoint: Endpoint, attempts: readonly Attempt[], step: number): Tries {
  const last = ofEndpoint(endpoint, attempts, step).at(-1)
  if (!last) return { kind: 'due', at: 0, repeats: false }
  const unknown = last.endedAt === null || last.outcome === 'unknown'
  if (unknown && endpoint.capabilities.onUnknown === 'skip') return { kind: 'over' }
  if (unknown || last.outcome === 'retry') return { kind: 'due', at: last.retryAt ?? 0, repeats: unknown }
  return { kind: last.outcome !== null && isSuccess(last.outcome) ? 'worked' : 'over' }
}

/** What is left of a step: when its next round is due; null when there is nothing more to try. */
export function roundAfter(
  { endpoints, mode }: Step,
  attempts: readonly Attempt[],
  step: number,
): { readonly at: number; readonly ordered: boolean } | null {
  const tries = endpoints.map((endpoint) => triesOf(endpoint, attempts, step))
  if (mode === 'first' && tries.some(({ kind }) => kind === 'worked')) return null
  const times = tries.flatMap((one) => (one.kind === 'due' ? [one.at] : []))
  if (times.length === 0) return null
  const ordered = endpoints.some((endpoint, place) => endpoint.capabilities.ordered && tries[place]?.kind === 'due')
  return { at: Math.min(...times), ordered }
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

export function isSuccess(outcome: string): outcome is 'delivered' | 'accepted' {
  return outcome === 'delivered' || outcome === 'accepted'
}

function ofEndpoint(endpoint: Endpoint, attempts: readonly Attempt[], step: number): readonly Attempt[] {
  return attempts.filter((made) => made.endpoint === endpoint.id && made.step === step)
}
