/** Who takes part in a run, and the config that makes them known to the hub before they ever connect. */

/**
 * How a receiver behaves until the clean phase: `late` acks after a while, often on a later connection;
 * `withholding` leaves many copies without an ack; `flaky` comes and goes; `absent` was never there.
 */
export type Habit = 'quick' | 'late' | 'withholding' | 'flaky' | 'absent'

export interface Role {
  readonly name: string
  readonly habit: Habit
  /** frames in flight that it asks for; null: it does not ask */
  readonly window: number | null
  /** how often a personal push is for it, compared to others */
  readonly weight: number
}

export interface Group {
  readonly name: string
  readonly members: readonly string[]
}

export const RETRY_MS = 250
const WAIT_MS = 300

export const roles: readonly [Role, ...Role[]] = [
  { name: 'c0', habit: 'quick', window: null, weight: 14 },
  { name: 'c1', habit: 'quick', window: null, weight: 14 },
  { name: 'c 2', habit: 'quick', window: null, weight: 14 },
  { name: '丙', habit: 'quick', window: 8, weight: 14 },
  { name: 'late.4', habit: 'late', window: 8, weight: 2 },
  { name: 'late5@x.test', habit: 'late', window: null, weight: 1 },
  { name: 'deaf6', habit: 'withholding', window: null, weight: 2 },
  { name: 'deaf7', habit: 'withholding', window: 8, weight: 2 },
  { name: 'flaky8', habit: 'flaky', window: null, weight: 3 },
  { name: 'flaky9', habit: 'flaky', window: null, weight: 3 },
  { name: 'absent10', habit: 'absent', window: null, weight: 1 },
  { name: 'absent11', habit: 'absent', window: 8, weight: 1 },
]

export const groups: readonly [Group, ...Group[]] = [
  { name: 'quick', members: ['c0', 'c1', 'c 2', '丙'] },
  { name: 'mixed', members: ['c1', '丙', 'flaky8', 'flaky9', 'absent10'] },
  { name: 'slow', members: ['c0', 'late.4', 'deaf6', 'absent11'] },
]

/** Names for personal pushes, each as often as its weight. */
export const targets: readonly string[] = roles.flatMap(({ name, weight }) => Array<string>(weight).fill(name))

/** Nobody has these messages but the hub, for a long time. */
export const absentees: readonly string[] = roles.filter(({ habit }) => habit === 'absent').map(({ name }) => name)

/** The hub's config: everybody is known from the start. */
export function hubConfig(token: string): object {
  const clients = roles.map(({ name }) => ({
    name,
    groups: groups.filter(({ members }) => members.includes(name)).map((group) => group.name),
  }))
  return { token, http: { waitTimeout: WAIT_MS, verifyToken: true }, websocket: { retryTimeout: RETRY_MS }, clients }
}
