/**
 * How a message goes out: the contract of a channel. One file per kind of endpoint, found by its name.
 * A channel renders, sends and says what came of it; it never retries and never changes a state.
 */
import type * as z from 'zod'
import type { Log } from '../ground/log.ts'
import type { Content } from './content.ts'
import type { Outbound } from './outbound/outbound.ts'
import { scrubbed } from './outbound/secrets.ts'
import type { Outcome, Sent } from './outcome.ts'
import { sendParts } from './parts.ts'

export type { Outcome, Sent } from './outcome.ts'

/** What the hub hands to a channel for each send. */
export interface Io {
  readonly http: Outbound
  readonly log: Log
  /** ms since epoch */
  now(): number
  /** the shared token, for endpoints that the operator configured */
  readonly hubToken: string
  /** ms that one attempt may take */
  readonly timeoutMs: number
  /** aborts when the hub stops and cuts what is still in flight */
  readonly signal: AbortSignal
}

/** How much the other side takes, in its own unit; `body`: UTF-8 bytes of the whole request body. */
export interface Limit {
  readonly max: number
  readonly unit: 'bytes' | 'utf16' | 'codepoints' | 'body'
}

/** So many messages in so many ms at most. */
export interface Rate {
  readonly count: number
  readonly perMs: number
}

export interface Capabilities {
  /** messages reach an endpoint in order of acceptance: a retry holds back what came later */
  readonly ordered: boolean
  /** nobody knows whether it arrived (a crash in mid-attempt, an answer lost): try again, or leave it */
  readonly onUnknown: 'retry' | 'skip'
  /** one provider stands behind all its endpoints: they share its workers and its `max_concurrent_per_platform` */
  readonly shared: boolean
  /** what success means: a receiving program has it, or a provider took it */
  readonly success: 'delivered' | 'accepted'
  /** the longest text and card; null: as long as one likes */
  readonly limits: { readonly text: Limit; readonly card: Limit } | null
  /** per endpoint, all of them hold; empty: none */
  readonly rates: readonly Rate[]
}

/** Rounds of one endpoint: `tries` at most, Infinity for no end; the delay doubles with jitter up to `maxMs`. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
  readonly tries: number
}

/** One way to reach a recipient, ready to use. `id` is stable over restarts and holds no secret. */
export interface Endpoint {
  readonly id: string
  readonly channel: string
  /** as the operator calls it: the name of a robot, of a mail account */
  readonly name: string
  readonly capabilities: Capabilities
  readonly backoff: Backoff
  /** where its requests go, such as `https://open.feishu.cn`; null: nowhere, or each message says where */
  readonly server: string | null
  /** @param skip parts that an earlier attempt sent already */
  send(content: Content, io: Io, skip?: number): Promise<Sent>
}

/** A recipient that a channel's own section names, with its endpoint. */
export interface ConfiguredEndpoint {
  readonly recipient: string
  readonly group: string | null
  readonly endpoint: Endpoint
}

/** An endpoint as its channel knows it. */
export interface Addressed<Address> {
  /** what tells it from others of the channel, over restarts; hashed where it holds a secret (`fingerprint`) */
  readonly id: string
  readonly name: string
  readonly address: Address
  /** cut out of whatever the other side answers, before anything is stored or logged */
  readonly secrets: readonly string[]
  /** instead of the hub's own (`queue.retry_count`, `queue.retry_delay`) */
  readonly backoff?: Backoff
}

/** English and Chinese. */
export interface Words {
  readonly en: string
  readonly zh: string
}

/** A platform that cannot work as configured. The message names the key and never a value. */
export class Misconfigured extends Error {
  override readonly name = 'Misconfigured'
}

/** What a channel file exports. `Part` is one request ready to be signed and sent. */
export interface ChannelDefinition<Platform, Address, Part, Section = undefined, Account = never, Target = never> {
  /** the file's name, and the key under `recipients.<name>.platforms` */
  readonly name: string
  readonly title: Words
  /** where an operator gets what the config asks for, in a sentence or two; Markdown */
  readonly credentials: Words
  /** `recipients.<name>.platforms.<channel>`, with an `enabled` that is true by default */
  readonly platform: z.ZodType<Platform>
  /** a platform as an operator would write it, for the docs; secrets are made up */
  readonly example: unknown
  /** its own section of the config file, under its name */
  readonly section?: z.ZodType<Section>
  readonly capabilities: Capabilities
  /** @throws Misconfigured */
  addresses(platform: Platform, section: Section | undefined): readonly Addressed<Address>[]
  /** Recipients that its own section names. */
  recipients?(section: Section): readonly (Addressed<Address> & {
    readonly recipient: string
    readonly group: string | null
  })[]
  /** What an operator should know about a section that is valid but weak. */
  warnings?(section: Section): readonly string[]
  /** One account for whatever target a message names: calls of the multi-platform SDK. */
  readonly direct?: {
    readonly account: z.ZodType<Account>
    readonly target: z.ZodType<Target>
    /** @throws Misconfigured for a target that the account may not or cannot reach */
    addressed(account: Account, target: Target): Addressed<Address>
  }
  /** The URL that its requests go to, of which only scheme, host and port are read; null: none leaves this process. */
  server(address: Address): string | null
  /** Pure: no clock, no secrets of the hub, no I/O. Parts are sent in order. */
  render(content: Content, address: Address): readonly Part[]
  /** parts go to different people: one that failed does not keep back the others */
  readonly independentParts?: boolean
  send(part: Part, address: Address, content: Content, io: Io): Promise<Outcome>
}

/** A channel with its types closed over. */
export interface Channel {
  readonly name: string
  readonly title: Words
  readonly credentials: Words
  readonly platform: z.ZodType
  readonly example: unknown
  readonly section: z.ZodType | null
  readonly capabilities: Capabilities
  readonly account: z.ZodType | null
  /** The endpoints that a recipient's platform describes. @throws Misconfigured */
  endpoints(platform: unknown, section: unknown, backoff: Backoff): readonly Endpoint[]
  /** The recipients that its own section names. */
  configured(section: unknown, backoff: Backoff): readonly ConfiguredEndpoint[]
  /** An endpoint that sends where `extra.target` of each message says; null where the channel has none. */
  direct(account: unknown): Endpoint | null
  warnings(section: unknown): readonly string[]
}

/** A target is named once and tried once: whoever called is told what came of it. */
const ONCE: Backoff = { firstMs: 1_000, maxMs: 1_000, tries: 1 }

/** Closes a channel over the types of its own addresses and parts. */
export function defineChannel<Platform, Address, Part, Section = undefined, Account = never, Target = never>(
  definition: ChannelDefinition<Platform, Address, Part, Section, Account, Target>,
): Channel & Pick<typeof definition, 'render'> {
  const { name, title, credentials, platform, example, section, capabilities, direct } = definition

  /** A section that is not there is an empty one, where that says enough. */
  function parseSection(value: unknown): Section | undefined {
    if (value !== undefined) return section?.parse(value)
    return section?.safeParse({}).data
  }

  function endpointOf(addressed: Addressed<Address>, backoff: Backoff): Endpoint {
    return {
      id: `${name}:${addressed.id}`,
      channel: name,
      name: addressed.name,
      capabilities,
      backoff: addressed.backoff ?? backoff,
      server: originOf(definition.server(addressed.address)),
      send: (content, io, skip = 0) => sendTo(definition, addressed, content, io, skip),
    }
  }

  return {
    name,
    title,
    credentials,
    platform,
    example,
    section: section ?? null,
    capabilities,
    account: direct?.account ?? null,
    render: (content, address) => definition.render(content, address),
    endpoints: (given, own, backoff) =>
      definition.addresses(platform.parse(given), parseSection(own)).map((entry) => endpointOf(entry, backoff)),
    configured(given, backoff) {
      const own = parseSection(given)
      if (own === undefined || !definition.recipients) return []
      return definition
        .recipients(own)
        .map((entry) => ({ recipient: entry.recipient, group: entry.group, endpoint: endpointOf(entry, backoff) }))
    },
    direct(given) {
      if (!direct) return null
      const account = direct.account.parse(given)
      return {
        id: `${name}:direct`,
        channel: name,
        name,
        // it stands for many targets, each with a rate of its own
        capabilities: { ...capabilities, onUnknown: 'skip', rates: [] },
        backoff: ONCE,
        server: null,
        async send(content, io, skip = 0) {
          const target = direct.target.safeParse(content.frame.message.extra['target'])
          if (!target.success) return { kind: 'failed', detail: 'the target is not as this channel needs it' }
          try {
            return await sendTo(definition, direct.addressed(account, target.data), content, io, skip)
          } catch (error) {
            if (error instanceof Misconfigured) return { kind: 'failed', detail: error.message }
            throw error
          }
        },
      }
    },
    warnings(given) {
      const own = parseSection(given)
      return own === undefined ? [] : (definition.warnings?.(own) ?? [])
    },
  }
}

type Sender<Address, Part> = Pick<ChannelDefinition<never, Address, Part>, 'render' | 'send' | 'independentParts'>

function sendTo<Address, Part>(
  { render, send, independentParts = false }: Sender<Address, Part>,
  { address, secrets }: Addressed<Address>,
  content: Content,
  io: Io,
  skip: number,
): Promise<Sent> {
  const parts = render(content, address)
  const sends = parts.map((part) => async () => scrubbed(await send(part, address, content, io), secrets))
  return sendParts(sends, independentParts, skip)
}

/** Paths, queries and users of URLs may be secrets. */
function originOf(url: string | null): string | null {
  if (url === null) return null
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}
