/** Alice's plan on a rig: platforms in order, each with its robots. */
import type { Endpoint } from '../../server/channels/channel.ts'
import { compilePlans, type Plan } from '../../server/hub/plan.ts'
import { ALICE, type Rig, type Scripted } from './runner.ts'

export const SYSTEM = 'system@user'

/** Gives Alice these platforms under a strategy. */
export function plan(rig: Rig, strategy: string, ...platforms: (readonly Endpoint[])[]): Plan {
  const reach = {
    recipient: ALICE,
    name: 'Alice',
    groups: [],
    platforms: platforms.map((endpoints, n) => ({ channel: `p${n}`, endpoints })),
    strategy: null,
    ladder: null,
  }
  const made = compilePlans([reach]).of(ALICE, strategy)
  rig.plans.set(ALICE, made)
  return made
}

/** How often each was used. */
export function counts(...robots: readonly Scripted[]): number[] {
  return robots.map(({ sent }) => sent.length)
}

/** What was tried for Alice, in order: `a accepted`. */
export async function outcomes(rig: Rig, mid: string): Promise<string[]> {
  return (await rig.store.attempts(mid, ALICE)).map(({ endpoint, outcome }) => `${endpoint.slice(5)} ${outcome}`)
}

export async function notifications(rig: Rig) {
  return (await rig.store.inbox(SYSTEM, { limit: 100 })).items
}
