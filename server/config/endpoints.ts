/** What the channels' sections of a config describe: recipients with a way to reach them. */
import type { Channel, Endpoint } from '../channels/channel.ts'
import { groupId, recipientId, type GroupId, type RecipientId } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import { NO_GROUP } from './schema.ts'

export interface RecipientEndpoint {
  readonly recipient: RecipientId
  readonly group: GroupId | null
  readonly endpoint: Endpoint
}

export interface Endpoints {
  readonly endpoints: readonly RecipientEndpoint[]
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** @param sections the checked config; a channel without a section there has no endpoints */
export function endpointsOf(
  channels: ReadonlyMap<string, Channel>,
  sections: Readonly<Record<string, unknown>>,
): Endpoints {
  const endpoints: RecipientEndpoint[] = []
  const problems: string[] = []
  const warnings: string[] = []
  const seen = new Set<string>()

  for (const [channelName, channel] of channels) {
    const section = sections[channelName]
    if (section === undefined) continue
    warnings.push(...channel.warnings(section).map((line) => `${channelName}: ${line}`))
    for (const { name, group, endpoint } of channel.configured(section)) {
      try {
        const recipient = recipientId(name)
        const key = `${recipient} ${endpoint.id}`
        if (seen.has(key)) problems.push(`${channelName}: ${name} names the same endpoint twice`)
        seen.add(key)
        const isNone = group === null || NO_GROUP.has(group)
        endpoints.push({ recipient, group: isNone ? null : groupId(group), endpoint })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        problems.push(`${channelName}: client ${JSON.stringify(name)}: ${error.message}`)
      }
    }
  }
  return { endpoints, problems, warnings }
}
