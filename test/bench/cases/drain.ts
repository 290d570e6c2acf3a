import { forEach } from '../generator/connect.ts'
import { type Case, measureSpan } from './case.ts'
import { leaveBacklog } from './backlog.ts'

const CLIENTS = 1_000
const EACH = 50
const WINDOW = 50

/** Counts from AUTH, on connections that stand, until the hub has read the last ack of all. */
export const drain: Case = {
  title: '1,000 clients log in with 50 messages waiting for each, window 50',
  sides: ['hub'],
  clients: CLIENTS,
  async measure(stage) {
    const server = await stage.start()
    const count = stage.size(CLIENTS)
    const { tally, open } = await leaveBacklog(server.port, count, EACH)
    const clients = await forEach(count, (n) => open(n, server.port, WINDOW))
    const span = await measureSpan(server, async () => {
      for (const { client } of clients) void client.login()
      await Promise.all(clients.map(({ cleared }) => cleared))
    })
    return {
      stalls: span.stalls,
      figures: {
        ...span.figures,
        deliveriesPerS: tally.deliveries / span.seconds,
        usPerDelivery: span.serverUs / tally.deliveries,
        ...tally.faults(),
      },
    }
  },
}
