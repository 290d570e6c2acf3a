import { setTimeout as sleep } from 'node:timers/promises'
import { connectAll } from './connect.ts'
import type { Figures, Load, Order } from './load.ts'
import { openPusher } from './pusher.ts'
import { clientName, createTally, GROUP, type Tally } from './tally.ts'
import { loads, residentBytes, usageNow } from './usage.ts'

type PushLoad = Extract<Load, { type: 'push' }>

const WARM_UP_MS = 1_500
/** longer than any server waits for acks */
const DRAIN_MS = 10_000
const MIB = 1024 * 1024

/** Pushes without pause: warms up, measures, and then waits for every answer to see that all is right. */
export async function measurePushes(load: PushLoad, { port, pid }: Order): Promise<Figures> {
  const { sendType, clients } = load
  const tally = createTally(sendType, clients)
  const group = sendType === 'group' ? GROUP : null
  await connectAll(clients, (client) => ({
    port,
    name: clientName(client),
    group,
    onMessage: (text) => tally.received(client, text),
  }))
  const pushing = await startPushing(load.pushers, port, tally)
  await sleep(WARM_UP_MS)

  const latencies = pushing.latencies()
  const deliveredBefore = tally.deliveries
  const before = usageNow(pid)
  await sleep(load.seconds * 1_000)
  const after = usageNow(pid)
  const deliveries = tally.deliveries - deliveredBefore
  const measured = Float64Array.from(latencies).toSorted()
  const rssMib = residentBytes(pid) / MIB

  await pushing.stop()
  const seconds = after.at - before.at
  const serverUs = (after.server - before.server) * 1e6
  const { server, generator, other } = loads(before, after)
  return {
    pushesPerS: measured.length / seconds,
    deliveriesPerS: deliveries / seconds,
    usPerPush: serverUs / measured.length,
    usPerDelivery: serverUs / deliveries,
    p50: percentile(measured, 0.5),
    p99: percentile(measured, 0.99),
    rssMib,
    serverLoad: server * 100,
    generatorLoad: generator * 100,
    otherLoad: other * 100,
    ...tally.faults(),
  }
}

interface Pushing {
  /** From now on latencies, in ms, are collected in this new list. */
  latencies(): readonly number[]
  /** Pushes no more; resolves when every push was answered. */
  stop(): Promise<void>
}

async function startPushing(pushers: number, port: number, tally: Tally): Promise<Pushing> {
  let latencies: number[] = []
  let open = 0
  let stopped: (() => void) | null = null

  async function start(): Promise<void> {
    let push = 0
    let startedAt = 0
    const pusher = await openPusher(port, (status, body) => {
      latencies.push(performance.now() - startedAt)
      open -= 1
      tally.replied(push, status, body)
      if (!stopped) next()
      else if (open === 0) stopped()
    })
    function next(): void {
      const issued = tally.issue()
      push = issued.push
      startedAt = performance.now()
      open += 1
      pusher.get(issued.path)
    }
    next()
  }

  await Promise.all(Array.from({ length: pushers }, start))
  return {
    latencies: () => (latencies = []),
    async stop() {
      const late = setTimeout(() => {
        throw new Error(`${open} pushes were never answered`)
      }, DRAIN_MS)
      await new Promise<void>((resolve) => (stopped = resolve))
      clearTimeout(late)
    },
  }
}

/** @param sorted ascending */
function percentile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
