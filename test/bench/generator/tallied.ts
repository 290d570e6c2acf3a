/** Clients and pushes that a tally is kept of. */
import { connectClient } from './client.ts'
import { forEach } from './connect.ts'
import { createPool } from './pusher.ts'
import { GROUP, type Tally } from './tally.ts'

/** Connects and logs in all that are pushed to. */
export async function connectTallied(port: number, tally: Tally): Promise<void> {
  await forEach(tally.clients, (client) =>
    connectClient({
      port,
      name: tally.nameOf(client),
      ...(tally.sendType === 'group' ? { group: GROUP } : {}),
      onMessage: (text, mid) => tally.received(client, text, mid),
    }),
  )
}

/** A call pushes once and resolves with the ms that the answer took. */
export function pacedPush(port: number, tally: Tally): () => Promise<number> {
  const pool = createPool(port)
  return async () => {
    const { push, request } = tally.issue()
    const { status, body, ms } = await pool.request(request)
    tally.replied(push, status, body)
    return ms
  }
}
