import { wireName, type RecipientId } from './address.ts'
import type { FlatReply, NestedReply } from './packets.ts'
import { mpushWord, type Mid, type Standing } from './states.ts'

/** Each recipient's state in the words of mpush; `no` for one the hub does not know. */
export function flatReply(standings: ReadonlyMap<RecipientId, Standing | null>): FlatReply {
  const reply: FlatReply = Object.create(null)
  for (const [id, standing] of standings) reply[wireName(id)] = standing === null ? 'no' : mpushWord(standing)
  return reply
}

/** The same as deployed 2.1 servers print it. `mid` is '' when nobody was meant. */
export function nestedReply(mid: Mid | null, standings: ReadonlyMap<RecipientId, Standing | null>): NestedReply {
  return { mid: mid ?? '', status: flatReply(standings) }
}
