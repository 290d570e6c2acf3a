/** Recipients that have messages waiting for them. */
import { type Client, openClient } from '../generator/client.ts'
import { forEach } from '../generator/connect.ts'
import { createPool, postRequest } from '../generator/pusher.ts'
import { createTally, type Tally } from '../generator/tally.ts'
import { TOKEN } from '../servers/start.ts'

/** How senders are told that a message waits for its recipient to connect. */
const WAITING = 'ready'

export interface Backlog {
  readonly tally: Tally
  /** Connects a client; `cleared` resolves when the hub has read the ack of the last of its messages. */
  open(
    client: number,
    port: number,
    window?: number,
  ): Promise<{ readonly client: Client; readonly cleared: Promise<void> }>
}

/** So many messages for each of so many recipients, none of which is connected; all are durable. */
export async function leaveBacklog(port: number, clients: number, each: number): Promise<Backlog> {
  const tally = createTally({ sendType: 'personal', clients, state: WAITING })
  const pool = createPool(port)
  await forEach(clients, async (client) => {
    // by HTTP it makes the name known, and no session begins
    const auth = { cmd: 'AUTH', data: { token: TOKEN, name: tally.nameOf(client) } }
    const { status, body } = await pool.request(postRequest('/', auth))
    if (status !== 200) throw new Error(`AUTH was answered ${status}: ${body}`)
  })
  await forEach(clients * each, async () => {
    const { push, request } = tally.issue()
    const { status, body } = await pool.request(request)
    tally.replied(push, status, body)
  })
  pool.close()
  return {
    tally,
    async open(n, port, window) {
      let missing = each
      let gotAll: () => void
      const all = new Promise<void>((resolve) => (gotAll = resolve))
      const client = await openClient({
        port,
        name: tally.nameOf(n),
        ...(window === undefined ? {} : { window }),
        onMessage(text, mid) {
          tally.received(n, text, mid)
          missing -= 1
          if (missing === 0) gotAll()
        },
      })
      return { client, cleared: all.then(() => client.ping()) }
    },
  }
}
