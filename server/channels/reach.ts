/** How a recipient can be reached: its platforms in the order of the config, and how they follow each other. */
import type { GroupId, RecipientId } from '../protocol/address.ts'
import type { Endpoint } from './channel.ts'

/**
 * Named ways to make a plan out of platforms. Across platforms and inside one:
 * `all` all/all, `failover` in order/first success, `webhook_failover` all/first success, `mixed` in order/all,
 * `escalate` in order until somebody confirmed/first success.
 */
export const STRATEGIES = ['all', 'failover', 'webhook_failover', 'mixed', 'escalate'] as const
export type Strategy = (typeof STRATEGIES)[number]

/** The platform of notifications about what could not be delivered: used when it is named, or as the last resort. */
export const LAST_RESORT = 'system'
/** A rung of a ladder that sends nothing: live sessions get their time to answer. */
export const SESSIONS = 'websocket'

/** All of one channel that reaches a recipient. */
export interface Platform {
  readonly channel: string
  readonly endpoints: readonly Endpoint[]
}

/** One step of `escalate`. */
export interface Rung {
  /** a channel of the recipient, or SESSIONS */
  readonly platform: string
  /** ms until the next rung, unless somebody confirmed */
  readonly waitMs: number
}

export interface Reach {
  readonly recipient: RecipientId
  /** as the operator calls it */
  readonly name: string
  readonly groups: readonly GroupId[]
  readonly platforms: readonly Platform[]
  /** for messages that name none; null: programs at once, all else by failover */
  readonly strategy: Strategy | null
  /** null: all platforms in order, each with the usual wait */
  readonly ladder: readonly Rung[] | null
}
