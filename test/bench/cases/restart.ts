import { connectClient } from '../generator/client.ts'
import { forEach } from '../generator/connect.ts'
import type { Server } from '../servers/start.ts'
import { type Backlog, leaveBacklog } from './backlog.ts'
import { type Case, measureSpan } from './case.ts'

const CLIENTS = 10_000
const EACH = 3

/** Counts from the start of the hub's process: until the last AUTH was answered, and until the last ack was read. */
export const restart: Case = {
  title: '10,000 clients with 3 messages waiting for each: the hub is killed and starts again, all come at once',
  sides: ['hub'],
  clients: CLIENTS,
  async measure(stage) {
    const first = await stage.start()
    const backlog = await leaveBacklog(first.port, stage.size(CLIENTS), EACH)
    const { tally } = backlog
    await cutOff(first, backlog)
    const startedAt = performance.now()
    const server = await stage.start({ port: first.port, data: first.data })
    let loggedInMs = 0
    let clearedMs = 0
    const span = await measureSpan(server, async () => {
      await comeBack(server.port, backlog, () => (loggedInMs = performance.now() - startedAt))
      clearedMs = performance.now() - startedAt
    })
    return { stalls: span.stalls, figures: { ...span.figures, loggedInMs, clearedMs, ...tally.faults() } }
  },
}

/** All are connected, with a message in flight that they do not acknowledge, when the hub is killed. */
async function cutOff(server: Server, { tally }: Backlog): Promise<void> {
  const ends: Promise<void>[] = []
  await forEach(tally.clients, async (n) => {
    let end = (): void => {}
    ends[n] = new Promise((resolve) => (end = resolve))
    await connectClient({ port: server.port, name: tally.nameOf(n), mute: true, onMessage: () => {}, onEnd: end })
  })
  await server.kill()
  await Promise.all(ends)
}

async function comeBack(port: number, { tally, open }: Backlog, whenLoggedIn: () => void): Promise<void> {
  const all = tally.clients
  const cleared = await forEach(all, (n) => logIn(() => open(n, port)), all)
  whenLoggedIn()
  await Promise.all(cleared.map((client) => client.cleared))
}

async function logIn(open: () => ReturnType<Backlog['open']>): ReturnType<Backlog['open']> {
  const opened = await open()
  await opened.client.login()
  return opened
}
