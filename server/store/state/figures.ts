/** What is counted of the deliveries in memory. */
import type { State as DeliveryState } from '../../protocol/states.ts'
import type { Figures } from '../store.ts'
import type { State } from './state.ts'

/** How many deliveries got to each state, by the channel they came by. */
export class Reached {
  readonly #counts = new Map<string, { readonly state: DeliveryState; readonly via: string | null; count: number }>()

  add(state: DeliveryState, via: string | null, count: number): void {
    if (count === 0) return
    const key = `${state} ${via ?? ''}`
    const known = this.#counts.get(key)
    if (known) known.count += count
    else this.#counts.set(key, { state, via, count })
  }

  clear(): void {
    this.#counts.clear()
  }

  all(): Figures['reached'] {
    return [...this.#counts.values()].map((one) => ({ ...one }))
  }
}

export function figuresOf({ reached, inboxes, work }: State): Omit<Figures, 'disk'> {
  return { reached: reached.all(), open: { ...inboxes.total }, scheduled: work.size }
}
