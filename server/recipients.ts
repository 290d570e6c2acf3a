/** Joins what the config says of recipients: those registered by name, and those that channels reach. */
import type { Config } from './config.ts'
import type { ConfiguredRecipient } from './directory/directory.ts'
import { type RecipientId, SYSTEM } from './protocol/address.ts'

/** Every recipient once, with all its groups. One that only channels reach is not expected to open sessions. */
export function configuredRecipients({ clients, reaches }: Config): readonly ConfiguredRecipient[] {
  const recipients = new Map<RecipientId, { groups: Set<string>; connects: boolean }>()

  function add(id: RecipientId, groups: readonly (string | null)[], connects: boolean): void {
    const known = recipients.get(id) ?? { groups: new Set(), connects: false }
    for (const group of groups) if (group !== null) known.groups.add(group)
    known.connects ||= connects
    recipients.set(id, known)
  }

  // its inbox holds the notifications
  add(SYSTEM, [], true)
  for (const { name, group = null, groups = [] } of clients) add(name, [group, ...groups], true)
  for (const { recipient, groups } of reaches) add(recipient, groups, false)
  return [...recipients].map(([id, { groups, connects }]) => ({ id, groups: [...groups], connects }))
}
