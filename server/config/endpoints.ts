/** What a config says of recipients with a way to reach them: the channels' own sections, and `recipients`. */
import { type Backoff, type Channel, type Endpoint, Misconfigured } from '../channels/channel.ts'
import { type Reach, type Rung, SESSIONS } from '../channels/reach.ts'
import { groupId, type GroupId, recipientId, type RecipientId } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import { isLayer, type Layer } from './layers.ts'
import type { Recipients } from './recipients.ts'
import { NO_GROUP } from './schema.ts'
import { sdkReaches } from './sdk.ts'

export interface Reaches {
  readonly reaches: readonly Reach[]
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** The checked config, as far as it is about recipients. */
interface Sections extends Layer {
  readonly recipients: Recipients
  readonly sdk: Layer
}

type Channels = ReadonlyMap<string, Channel>

/** What is known of one recipient so far. */
interface Found {
  readonly groups: Set<GroupId>
  readonly platforms: Map<string, Endpoint[]>
  name: string
  strategy: Reach['strategy']
  ladder: readonly Rung[] | null
}

interface Collection {
  readonly found: Map<RecipientId, Found>
  readonly problems: string[]
}

/**
 * @param settings the checked config
 * @param raw the same as it was written: it alone knows the order of platforms
 */
export function reachesOf(channels: Channels, settings: Sections, raw: Layer, backoff: Backoff): Reaches {
  const collection: Collection = { found: new Map(), problems: [] }
  const warnings: string[] = []
  for (const [name, channel] of channels) {
    readSection(collection, channel, settings[name], backoff)
    warnings.push(...channel.warnings(settings[name]).map((line) => `${name}: ${line}`))
  }
  for (const alias of Object.keys(settings.recipients)) {
    noting(collection, `recipients.${alias}`, () => readRecipient(collection, channels, settings, raw, alias, backoff))
  }
  const reaches = [...collection.found].map(([recipient, found]) => reachOf(recipient, found))
  return { reaches: [...reaches, ...sdkReaches(channels, settings.sdk)], problems: collection.problems, warnings }
}

/** Recipients that a channel's own section names. */
function readSection(collection: Collection, channel: Channel, section: unknown, backoff: Backoff): void {
  for (const { recipient, group, endpoint } of channel.configured(section, backoff)) {
    noting(collection, `${channel.name}: client ${JSON.stringify(recipient)}`, () => {
      const found = foundOf(collection, recipientId(recipient), recipient)
      if (group !== null && !NO_GROUP.has(group)) found.groups.add(groupId(group))
      addEndpoints(collection, `${channel.name}: ${recipient}`, found, channel.name, [endpoint])
    })
  }
}

function readRecipient(
  collection: Collection,
  channels: Channels,
  settings: Sections,
  raw: Layer,
  alias: string,
  backoff: Backoff,
): void {
  const { name = alias, group, strategy = null, escalate, platforms = {} } = settings.recipients[alias] ?? {}
  const found = foundOf(collection, recipientId(alias), name)
  Object.assign(found, { name, strategy })
  if (group !== undefined && group !== null) found.groups.add(group)
  for (const key of platformsAsWritten(raw, alias)) {
    const channel = channels.get(key)
    const platform: unknown = platforms[key]
    if (!channel || platform === undefined || !isEnabled(platform)) continue
    const place = `recipients.${alias}.platforms.${key}`
    noting(collection, place, () =>
      addEndpoints(collection, place, found, key, channel.endpoints(platform, settings[key], backoff)),
    )
  }
  found.ladder = escalate?.map((rung) => ({ platform: rung.platform, waitMs: rung.wait * 1000 })) ?? null
  for (const { platform } of found.ladder ?? []) {
    if (platform === SESSIONS || found.platforms.has(platform)) continue
    collection.problems.push(`recipients.${alias}.escalate: ${platform} is none of its platforms that are enabled`)
  }
}

function foundOf({ found }: Collection, id: RecipientId, name: string): Found {
  const known = found.get(id) ?? { groups: new Set(), platforms: new Map(), name, strategy: null, ladder: null }
  found.set(id, known)
  return known
}

function addEndpoints(
  { problems }: Collection,
  place: string,
  { platforms }: Found,
  channel: string,
  endpoints: readonly Endpoint[],
): void {
  const list = platforms.get(channel) ?? []
  for (const endpoint of endpoints) {
    if (list.some(({ id }) => id === endpoint.id)) problems.push(`${place} names the same endpoint twice`)
    else list.push(endpoint)
  }
  platforms.set(channel, list)
}

/** What the config got wrong is noted with its place; all else is a fault of ours. */
function noting({ problems }: Collection, place: string, read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof Misconfigured)) throw error
    problems.push(`${place}: ${error.message}`)
  }
}

function reachOf(recipient: RecipientId, { groups, platforms, name, strategy, ladder }: Found): Reach {
  return {
    recipient,
    name,
    groups: [...groups],
    platforms: [...platforms].map(([channel, endpoints]) => ({ channel, endpoints })),
    strategy,
    ladder,
  }
}

/** Keys of a checked section stand in the order of the schema; what was written has the operator's. */
function platformsAsWritten(raw: Layer, alias: string): readonly string[] {
  const recipients = raw['recipients']
  const recipient = isLayer(recipients) ? recipients[alias] : undefined
  const platforms = isLayer(recipient) ? recipient['platforms'] : undefined
  return isLayer(platforms) ? Object.keys(platforms) : []
}

function isEnabled(platform: unknown): boolean {
  return !isLayer(platform) || platform['enabled'] !== false
}
