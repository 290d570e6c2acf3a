import { setTimeout as sleep } from 'node:timers/promises'
import { connectAll } from './connect.ts'
import type { Figures, Load, Order } from './load.ts'
import { clientName } from './tally.ts'
import { loads, residentBytes, usageNow } from './usage.ts'

type SessionsLoad = Extract<Load, { type: 'sessions' }>

const KIB = 1024
/** time for what connecting left behind to be collected */
const SETTLE_MS = 3_000

/** Connects and logs in clients as fast as the server takes them, then weighs them at rest. */
export async function measureSessions({ clients }: SessionsLoad, { port, pid }: Order): Promise<Figures> {
  const emptyBytes = residentBytes(pid)
  const before = usageNow(pid)
  await connectAll(clients, (client) => ({ port, name: clientName(client), group: null, onMessage: unexpected }))
  const after = usageNow(pid)
  await sleep(SETTLE_MS)
  const bytes = residentBytes(pid)

  const { server, generator, other } = loads(before, after)
  return {
    connectsPerS: clients / (after.at - before.at),
    usPerConnect: ((after.server - before.server) * 1e6) / clients,
    kibPerSession: (bytes - emptyBytes) / clients / KIB,
    rssMib: bytes / KIB / KIB,
    serverLoad: server * 100,
    generatorLoad: generator * 100,
    otherLoad: other * 100,
  }
}

function unexpected(text: string): void {
  throw new Error(`nobody pushed, but ${text} arrived`)
}
