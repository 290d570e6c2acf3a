/** What a strategy asks for, as the documentation has it and not as the hub's code has it. */
import type { Target } from './cast.ts'

/** Endpoints that answer for each other: all of them get it, or one success is enough, in this order. */
export interface Track {
  readonly endpoints: readonly string[]
  readonly mode: 'all' | 'first'
}

/** One after another; the next one only where the one before had no success at all. */
export type Steps = readonly (readonly Track[])[]

const PLATFORM = 'platform:'

/** @param named by the message: a strategy, or `platform:` and a channel */
export function stepsOf(target: Target, named: string | null): Steps {
  const strategy = named ?? target.strategy
  const lists = target.platforms.map(({ endpoints }) => endpoints)
  const one = (endpoints: readonly string[], mode: Track['mode']) => [{ endpoints, mode }]
  switch (strategy) {
    case 'all':
      return [lists.flatMap((endpoints) => one(endpoints, 'all'))]
    case 'webhook_failover':
      return [lists.flatMap((endpoints) => one(endpoints, 'first'))]
    case 'mixed':
      return lists.map((endpoints) => one(endpoints, 'all'))
    case 'failover':
      return lists.map((endpoints) => one(endpoints, 'first'))
    case null:
      return usual(target)
    default: {
      const only = target.platforms.filter(({ channel }) => PLATFORM + channel === strategy)
      return only.map(({ endpoints }) => one(endpoints, 'first'))
    }
  }
}

/** Webhooks get it at once; robots follow each other, and the first of them does not wait for the webhooks. */
function usual({ platforms }: Target): Steps {
  const webhooks = platforms.filter(({ channel }) => channel === 'webhook')
  const [first, ...rest] = platforms.filter(({ channel }) => channel !== 'webhook')
  const beside: Track[] = webhooks.map(({ endpoints }) => ({ endpoints, mode: 'all' }))
  const robots = (endpoints: readonly string[]): Track => ({ endpoints, mode: 'first' })
  if (!first) return [beside]
  return [[...beside, robots(first.endpoints)], ...rest.map(({ endpoints }) => [robots(endpoints)])]
}
