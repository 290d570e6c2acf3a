/** Joins what the config says of recipients: those registered by name, and those that a channel reaches. */
import type { Endpoint } from './channels/channel.ts'
import type { Config } from './config.ts'
import type { ConfiguredRecipient } from './directory/directory.ts'
import type { RecipientId } from './protocol/address.ts'

/** Every recipient once, with all its groups. One that only a channel reaches is not expected to open sessions. */
export function configuredRecipients({ clients, endpoints }: Config): readonly ConfiguredRecipient[] {
  const recipients = new Map<RecipientId, { groups: Set<string>; connects: boolean }>()

  function add(id: RecipientId, groups: readonly (string | null)[], connects: boolean): void {
    const known = recipients.get(id) ?? { groups: new Set(), connects: false }
    for (const group of groups) if (group !== null) known.groups.add(group)
    known.connects ||= connects
    recipients.set(id, known)
  }

  for (const { name, group = null, groups = [] } of clients) add(name, [group, ...groups], true)
  for (const { recipient, group } of endpoints) add(recipient, [group], false)
  return [...recipients].map(([id, { groups, connects }]) => ({ id, groups: [...groups], connects }))
}

/** The endpoints of each recipient that has any, in the order of the config. */
export function endpointsByRecipient({ endpoints }: Config): ReadonlyMap<RecipientId, readonly Endpoint[]> {
  const lists = new Map<RecipientId, Endpoint[]>()
  for (const { recipient, endpoint } of endpoints) {
    const list = lists.get(recipient)
    if (list) list.push(endpoint)
    else lists.set(recipient, [endpoint])
  }
  return lists
}
