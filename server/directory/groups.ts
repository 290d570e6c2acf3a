import type { GroupId, RecipientId } from '../protocol/address.ts'

export interface Groups {
  add(group: GroupId, member: RecipientId): void
  remove(group: GroupId, member: RecipientId): void
  /** In order of joining. The array is shared and never changed: a message may hold on to it. */
  members(group: GroupId): readonly RecipientId[]
}

/** Which recipients a group names now. */
export function createGroups(): Groups {
  const groups = new Map<GroupId, { members: Set<RecipientId>; list: readonly RecipientId[] | null }>()

  return {
    add(group, member) {
      const found = groups.get(group)
      if (!found) {
        groups.set(group, { members: new Set([member]), list: null })
        return
      }
      found.members.add(member)
      found.list = null
    },
    remove(group, member) {
      const found = groups.get(group)
      if (!found?.members.delete(member)) return
      found.list = null
      if (found.members.size === 0) groups.delete(group)
    },
    members(group) {
      const found = groups.get(group)
      if (!found) return []
      found.list ??= Object.freeze([...found.members])
      return found.list
    },
  }
}
