/**
 * Keeps account of pushes: who must get each, who got it, and what the sender was told. A push is known by
 * its number, which is the text of its message.
 */
import type { Figures } from '../figures.ts'
import { getRequest } from './pusher.ts'

export const GROUP = 'bench'

export interface Tally {
  readonly sendType: 'personal' | 'group'
  readonly clients: number
  nameOf(client: number): string
  /** A new push and the request that asks for it. Personal ones go round the clients in turn. */
  issue(): { readonly push: number; readonly request: string }
  received(client: number, text: string, mid: string): void
  /** The sender must be told of each recipient what is right, and of nobody else. */
  replied(push: number, status: number, body: string): void
  /** messages received so far */
  readonly deliveries: number
  /** Call it when every push was answered. */
  faults(): Figures
}

export interface TallyOptions {
  readonly sendType: Tally['sendType']
  /** those that are pushed to; of a group all the members */
  readonly clients: number
  /** of the clients' names */
  readonly prefix?: string
  /** what senders must be told; `ok` unless told */
  readonly state?: string
}

export function createTally({ sendType, clients, prefix = 'c', state = 'ok' }: TallyOptions): Tally {
  const recipients = sendType === 'group' ? clients : 1
  /** how many got the push with this number */
  const got: number[] = []
  /** the newest mid that each client got: what is not newer came twice, or too late */
  const newest = new Float64Array(clients)
  let deliveries = 0
  let duplicates = 0
  let strays = 0
  let wrongReplies = 0

  function nameOf(client: number): string {
    return `${prefix}${client}`
  }

  function namesOf(push: number): readonly string[] {
    if (sendType === 'personal') return [nameOf(push % clients)]
    return Array.from({ length: clients }, (_, client) => nameOf(client))
  }

  function isRight(push: number, status: number, body: string): boolean {
    if (status !== 200) return false
    const { cmd, data } = JSON.parse(body) as { cmd?: unknown; data?: Record<string, unknown> }
    if (cmd !== 'MESSAGE_REPLY' || !data || Object.keys(data).length !== recipients) return false
    return namesOf(push).every((name) => data[name] === state)
  }

  return {
    sendType,
    clients,
    nameOf,
    issue() {
      const push = got.push(0) - 1
      const target = sendType === 'group' ? `${GROUP}.group` : `${nameOf(push % clients)}.send`
      return { push, request: getRequest(`/${target}?text=${push}`) }
    },

    received(client, text, mid) {
      deliveries += 1
      const push = Number(text)
      const n = Number(mid)
      const before = got[push]
      if (before === undefined || (sendType === 'personal' && push % clients !== client)) {
        strays += 1
      } else if (n <= (newest[client] ?? 0)) {
        duplicates += 1
      } else {
        newest[client] = n
        got[push] = before + 1
      }
    },

    replied(push, status, body) {
      if (!isRight(push, status, body)) wrongReplies += 1
    },

    get deliveries() {
      return deliveries
    },

    faults() {
      const lost = got.reduce((sum, count) => sum + recipients - count, 0)
      return { lost, duplicates, strays, wrongReplies }
    },
  }
}
