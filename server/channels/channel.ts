/**
 * How a message goes out: the contract of a channel. One file per kind of endpoint, found by its name.
 * A channel renders, sends and says what came of it; it never retries and never changes a state.
 */
import type * as z from 'zod'
import type { MessageFrame } from '../protocol/packets.ts'
import type { Outbound } from './outbound.ts'

/** What came of one attempt. A refusal by the other side is an outcome, never an exception. */
export type Outcome =
  /** the receiving program has it */
  | { readonly kind: 'delivered' }
  /** a provider took it */
  | { readonly kind: 'accepted' }
  /** worth another round, not before `retryAfterMs` if the other side named a time */
  | { readonly kind: 'retry'; readonly detail: string; readonly retryAfterMs?: number }
  /** the request left and no answer came back: the endpoint's `onUnknown` says whether to try again */
  | { readonly kind: 'unknown'; readonly detail: string }
  /** will not work however often it is tried */
  | { readonly kind: 'failed'; readonly detail: string }

/** What the hub hands to a channel for each send. */
export interface Io {
  readonly http: Outbound
  /** ms since epoch */
  now(): number
  /** the shared token, for endpoints that the operator configured */
  readonly hubToken: string
}

export interface Capabilities {
  /** messages reach an endpoint in order of acceptance: a retry holds back what came later */
  readonly ordered: boolean
  /** nobody knows whether it arrived (a crash in mid-attempt, an answer lost): try again, or leave it */
  readonly onUnknown: 'retry' | 'skip'
}

/** First delay between rounds; it doubles with jitter up to `maxMs`. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/** One way to reach a recipient, ready to use. `id` is stable over restarts and holds no secret. */
export interface Endpoint {
  readonly id: string
  readonly channel: string
  readonly capabilities: Capabilities
  readonly backoff: Backoff
  send(message: MessageFrame, io: Io): Promise<Outcome>
}

/** A recipient that the config names, with its endpoint on one channel. */
export interface ConfiguredEndpoint {
  readonly name: string
  readonly group: string | null
  readonly endpoint: Endpoint
}

/** What a channel file exports. `Part` is one request ready to be signed and sent. */
export interface ChannelDefinition<Section, Address, Part> {
  readonly name: string
  /** its section of the config file, under its name */
  readonly config: z.ZodType<Section>
  readonly capabilities: Capabilities
  addresses(section: Section): readonly {
    readonly name: string
    readonly group: string | null
    readonly id: string
    readonly address: Address
    readonly backoff: Backoff
  }[]
  /** What an operator should know about a section that is valid but weak. */
  warnings?(section: Section): readonly string[]
  /** Pure: no clock, no secrets of the hub, no I/O. */
  render(message: MessageFrame, address: Address): readonly Part[]
  send(part: Part, address: Address, message: MessageFrame, io: Io): Promise<Outcome>
}

export interface Channel {
  readonly name: string
  readonly config: z.ZodType
  /** The endpoints that the channel's section of the config describes. */
  configured(section: unknown): readonly ConfiguredEndpoint[]
  /** What an operator should know about a section that is valid but weak. */
  warnings(section: unknown): readonly string[]
}

/** Closes a channel over the types of its own addresses and parts. */
export function defineChannel<Section, Address, Part>(
  definition: ChannelDefinition<Section, Address, Part>,
): Channel & ChannelDefinition<Section, Address, Part> {
  return {
    ...definition,
    warnings: (section) => definition.warnings?.(definition.config.parse(section)) ?? [],
    configured(section) {
      return definition.addresses(definition.config.parse(section)).map((entry) => ({
        name: entry.name,
        group: entry.group,
        endpoint: {
          id: `${definition.name}:${entry.id}`,
          channel: definition.name,
          capabilities: definition.capabilities,
          backoff: entry.backoff,
          send: (message, io) => sendParts(definition, entry.address, message, io),
        },
      }))
    },
  }
}

async function sendParts<Section, Address, Part>(
  channel: ChannelDefinition<Section, Address, Part>,
  address: Address,
  message: MessageFrame,
  io: Io,
): Promise<Outcome> {
  let outcome: Outcome = { kind: 'failed', detail: 'nothing to send' }
  for (const part of channel.render(message, address)) {
    outcome = await channel.send(part, address, message, io)
    if (outcome.kind !== 'delivered' && outcome.kind !== 'accepted') return outcome
  }
  return outcome
}
