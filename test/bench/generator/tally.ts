/**
 * Keeps account of pushes: who must get each, who got it, and what the sender was told. A push is known by
 * its number, which is the text of its message.
 */
import type { Figures } from './load.ts'

export const GROUP = 'bench'

export interface Tally {
  /** A new push and the path that asks for it. Personal ones go round the clients in turn. */
  issue(): { readonly push: number; readonly path: string }
  received(client: number, text: string): void
  /** The sender must be told `ok` for each recipient, and of nobody else. */
  replied(push: number, status: number, body: string): void
  /** messages received so far */
  readonly deliveries: number
  /** Call it when every push was answered. */
  faults(): Figures
}

export function clientName(client: number): string {
  return `c${client}`
}

export function createTally(sendType: 'personal' | 'group', clients: number): Tally {
  const recipients = sendType === 'group' ? clients : 1
  /** how many got the push with this number */
  const got: number[] = []
  /** the newest push that each client got: what is not newer came twice */
  const newest = new Int32Array(clients).fill(-1)
  let deliveries = 0
  let duplicates = 0
  let strays = 0
  let wrongReplies = 0

  function namesOf(push: number): readonly string[] {
    if (sendType === 'personal') return [clientName(push % clients)]
    return Array.from({ length: clients }, (_, client) => clientName(client))
  }

  function isRight(push: number, status: number, body: string): boolean {
    if (status !== 200) return false
    const { cmd, data } = JSON.parse(body) as { cmd?: unknown; data?: Record<string, unknown> }
    if (cmd !== 'MESSAGE_REPLY' || !data || Object.keys(data).length !== recipients) return false
    return namesOf(push).every((name) => data[name] === 'ok')
  }

  return {
    issue() {
      const push = got.push(0) - 1
      const target = sendType === 'group' ? `${GROUP}.group` : `${clientName(push % clients)}.send`
      return { push, path: `/${target}?text=${push}` }
    },

    received(client, text) {
      deliveries += 1
      const push = Number(text)
      const before = got[push]
      if (before === undefined || (sendType === 'personal' && push % clients !== client)) {
        strays += 1
      } else if (push <= (newest[client] ?? -1)) {
        duplicates += 1
      } else {
        newest[client] = push
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
