/** MESSAGE_REPLY as the text that goes out: a group's is long, and an object on the way would cost twice as much. */
import { wireName, type RecipientId } from './address.ts'
import { mpushWord, type Mid, type Standing } from './states.ts'

type Standings = ReadonlyMap<RecipientId, Standing | null>

/** Each recipient's state in the words of mpush, as its README has it; `no` for one the hub does not know. */
export function flatReply(standings: Standings): string {
  return `{"cmd":"MESSAGE_REPLY","data":${wordsOf(standings)}}`
}

/** The same as deployed 2.1 servers print it. `mid` is '' when nobody was meant; `id` is that of the push. */
export function nestedReply(mid: Mid | null, standings: Standings, id?: string): string {
  const more = id === undefined ? '' : `,"id":${JSON.stringify(id)}`
  return `{"cmd":"MESSAGE_REPLY","data":{"mid":"${mid ?? ''}","status":${wordsOf(standings)}}${more}}`
}

function wordsOf(standings: Standings): string {
  const parts: string[] = []
  for (const [id, standing] of standings) {
    parts.push(`${JSON.stringify(wireName(id))}:"${standing === null ? 'no' : mpushWord(standing)}"`)
  }
  return `{${parts.join(',')}}`
}
