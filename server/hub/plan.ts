/**
 * What a delivery does over a recipient's outbound endpoints. A plan is data, shared and frozen; a delivery
 * holds only its `step` and `dueAt`.
 */
import type { Endpoint } from '../channels/channel.ts'
import type { RecipientId } from '../protocol/address.ts'
import { hasArrived, type State } from '../protocol/states.ts'

export interface Step {
  /** none: the step is only a wait */
  readonly endpoints: readonly Endpoint[]
  /** all: every endpoint gets it, whatever the others did; first: one success is enough */
  readonly mode: 'all' | 'first'
  /** the plan ends here once the delivery got this far */
  readonly until: Extract<State, 'accepted' | 'delivered' | 'confirmed'>
  /** ms to wait for `until` before the next step */
  readonly wait: number
}

export type Plan = readonly Step[]

export interface Plans {
  /** Empty when nothing goes out for this recipient. */
  of(recipient: RecipientId, strategy: string | null): Plan
}

const NOTHING: Plan = Object.freeze([])

/** The default plan of each recipient: all its endpoints at once, each until it has the message. */
export function compilePlans(endpoints: ReadonlyMap<RecipientId, readonly Endpoint[]>): Plans {
  const plans = new Map<RecipientId, Plan>()
  for (const [recipient, list] of endpoints) {
    const step: Step = { endpoints: Object.freeze([...list]), mode: 'all', until: 'delivered', wait: 0 }
    plans.set(recipient, Object.freeze([Object.freeze(step)]))
  }
  return { of: (recipient) => plans.get(recipient) ?? NOTHING }
}

/** Whether a delivery in this state got as far as a step wants it. */
export function isReached(until: Step['until'], state: State): boolean {
  if (until === 'confirmed') return state === 'confirmed'
  return hasArrived(state) || (until === 'accepted' && state === 'accepted')
}
