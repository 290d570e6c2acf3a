/**
 * What a delivery does over a recipient's outbound endpoints. A plan is data, shared and frozen; a delivery
 * holds only its `step` and `dueAt`.
 */
import type { Endpoint } from '../channels/channel.ts'
import { LAST_RESORT, type Reach, SESSIONS, STRATEGIES } from '../channels/reach.ts'
import { type RecipientId, SYSTEM } from '../protocol/address.ts'
import { hasArrived, type State } from '../protocol/states.ts'

/** Endpoints that answer for each other: all of them get it, or one success is enough, in this order. */
export interface Track {
  readonly endpoints: readonly Endpoint[]
  readonly mode: 'all' | 'first'
}

export interface Step {
  /** side by side; none: the step only gives live sessions their time */
  readonly tracks: readonly Track[]
  /** the plan ends here once the delivery got this far */
  readonly until: Extract<State, 'accepted' | 'delivered' | 'confirmed'>
  /** ms to wait for `until` after a success, before the next step */
  readonly wait: number
}

export type Plan = readonly Step[]

export interface Plans {
  /** Empty when nothing goes out for this recipient. */
  of(recipient: RecipientId, strategy: string | null): Plan
  /** What the config says of the recipient; null when no channel reaches it. */
  reach(recipient: RecipientId): Reach | null
}

const NOTHING: Plan = Object.freeze([])
/** between rungs of a ladder that the config does not spell out */
const USUAL_WAIT_MS = 300_000
const PLATFORM = 'platform:'
const NOTIFY = 'notify:'

/** The strategy of a message for one platform only. */
export function onlyPlatform(channel: string): string {
  return PLATFORM + channel
}

/** The strategy of a message that is a notification itself: the last line of defence of whoever it is for. */
export const NOTIFICATION = onlyPlatform(LAST_RESORT)

/** The strategy of a notification: what could not be delivered to this recipient. */
export function notificationFor(recipient: RecipientId): string {
  return NOTIFY + recipient
}

export function compilePlans(reaches: readonly Reach[]): Plans {
  const byRecipient = new Map(reaches.map((reach) => [reach.recipient, reach]))
  const usual = new Map(reaches.map((reach) => [reach.recipient, frozen(planOf(reach, reach.strategy))]))
  const named = new Map<string, Plan>()

  function compile(recipient: RecipientId, strategy: string): Plan {
    if (strategy.startsWith(NOTIFY)) return notification(byRecipient, strategy.slice(NOTIFY.length))
    if (strategy === NOTIFICATION) return recipient === SYSTEM ? NOTHING : notification(byRecipient, recipient)
    const reach = byRecipient.get(recipient)
    return reach ? planOf(reach, strategy) : NOTHING
  }

  return {
    of(recipient, strategy) {
      if (strategy === null) return usual.get(recipient) ?? NOTHING
      const key = `${strategy} ${recipient}`
      const known = named.get(key)
      if (known) return known
      const plan = frozen(compile(recipient, strategy))
      if (plan.length > 0) named.set(key, plan)
      return plan
    },
    reach: (recipient) => byRecipient.get(recipient) ?? null,
  }
}

/** A name that is no strategy is one of an earlier config: then it goes the usual way. */
function planOf(reach: Reach, strategy: string | null): Plan {
  if (strategy?.startsWith(PLATFORM)) return onePlatform(reach, strategy.slice(PLATFORM.length))
  const platforms = reach.platforms.filter(({ channel }) => channel !== LAST_RESORT)
  const lists = platforms.map(({ endpoints }) => endpoints)
  switch (STRATEGIES.find((known) => known === strategy)) {
    case 'all':
      return together(lists.map((endpoints) => ({ endpoints, mode: 'all' })))
    case 'webhook_failover':
      return together(lists.map((endpoints) => ({ endpoints, mode: 'first' })))
    case 'failover':
      return bounded(lists).map((endpoints) => stepOf([{ endpoints, mode: 'first' }]))
    case 'mixed':
      return bounded(lists).map((endpoints) => stepOf([{ endpoints, mode: 'all' }]))
    case 'escalate':
      return ladderOf(reach)
    case undefined:
      return usualPlan(lists)
  }
}

/** Programs that ack get it at once, whatever else there is; the other platforms follow each other. */
function usualPlan(all: readonly (readonly Endpoint[])[]): Plan {
  const lists = bounded(all)
  const programs = lists.filter((endpoints) => isProgram(endpoints)).flat()
  const [first, ...rest] = lists.filter((endpoints) => !isProgram(endpoints))
  if (!first)
    return programs.length === 0 ? NOTHING : [{ ...stepOf([{ endpoints: programs, mode: 'all' }]), until: 'delivered' }]
  const beside: Track[] = programs.length === 0 ? [] : [{ endpoints: programs, mode: 'all' }]
  return [
    stepOf([...beside, { endpoints: first, mode: 'first' }]),
    ...rest.map((endpoints) => stepOf([{ endpoints, mode: 'first' }])),
  ]
}

function isProgram([endpoint]: readonly Endpoint[]): boolean {
  return endpoint?.capabilities.success === 'delivered'
}

/** One that would try without end must not hold up the steps behind it: it gets the rounds of the others. */
function bounded(lists: readonly (readonly Endpoint[])[]): readonly (readonly Endpoint[])[] {
  const other = lists.flat().find(({ backoff }) => Number.isFinite(backoff.tries))
  if (!other) return lists
  return lists.map((endpoints) =>
    endpoints.map((endpoint) =>
      Number.isFinite(endpoint.backoff.tries) ? endpoint : { ...endpoint, backoff: other.backoff },
    ),
  )
}

function together(tracks: readonly Track[]): Plan {
  return tracks.length === 0 ? NOTHING : [stepOf(tracks)]
}

function stepOf(tracks: readonly Track[]): Step {
  return { tracks, until: 'accepted', wait: 0 }
}

function onePlatform(reach: Reach, channel: string): Plan {
  const endpoints = reach.platforms.find((platform) => platform.channel === channel)?.endpoints ?? []
  return endpoints.length === 0 ? NOTHING : [stepOf([{ endpoints, mode: 'first' }])]
}

function ladderOf({ platforms, ladder }: Reach): Plan {
  const rungs =
    ladder ??
    platforms
      .filter(({ channel }) => channel !== LAST_RESORT)
      .map(({ channel }) => ({ platform: channel, waitMs: USUAL_WAIT_MS }))
  const reached = new Map(platforms.map(({ channel, endpoints }) => [channel, endpoints]))
  const lists = bounded(rungs.map(({ platform }) => reached.get(platform) ?? []))
  return rungs.map(({ platform, waitMs }, at) => ({
    tracks: platform === SESSIONS ? [] : [{ endpoints: lists[at] ?? [], mode: 'first' }],
    until: 'confirmed',
    wait: waitMs,
  }))
}

/** The recipient's own list, else that of the whole hub. They are places to look at, not spares of each other. */
function notification(reaches: ReadonlyMap<RecipientId, Reach>, recipient: RecipientId): Plan {
  for (const id of [recipient, SYSTEM]) {
    const endpoints = reaches.get(id)?.platforms.find(({ channel }) => channel === LAST_RESORT)?.endpoints ?? []
    if (endpoints.length > 0) return [stepOf([{ endpoints, mode: 'all' }])]
  }
  return NOTHING
}

function frozen(plan: Plan): Plan {
  for (const step of plan) {
    for (const track of step.tracks) Object.freeze(Object.freeze(track).endpoints)
    Object.freeze(Object.freeze(step).tracks)
  }
  return Object.freeze(plan)
}

/** Whether a delivery in this state got as far as a step wants it. */
export function isReached(until: Step['until'], state: State): boolean {
  if (until === 'confirmed') return state === 'confirmed'
  return hasArrived(state) || (until === 'accepted' && state === 'accepted')
}

/** Whether the plan keeps a recipient's messages in order: then its deliveries go one after another. */
export function keepsOrder(plan: Plan): boolean {
  return plan.some(({ tracks }) => tracks.some(({ endpoints }) => endpoints.some(isOrdered)))
}

function isOrdered({ capabilities }: Endpoint): boolean {
  return capabilities.ordered
}
