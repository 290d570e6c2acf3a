/** Pushes without pause, and at a pace. */
import { setTimeout as sleep } from 'node:timers/promises'
import { atRate, percentile } from '../generator/pace.ts'
import { startPushing } from '../generator/pushing.ts'
import { createTally, type Tally, type TallyOptions } from '../generator/tally.ts'
import { connectTallied, pacedPush } from '../generator/tallied.ts'
import { residentBytes } from '../generator/usage.ts'
import type { Server, Side } from '../servers/start.ts'
import { type Case, type Measured, measureSpan, type Span, type Stage } from './case.ts'

export const WARM_UP_MS = 1_500
/** about 40 % of what the hub can take without pause on two cores of 2024 */
const PACE = 5_000
const MIB = 1024 * 1024
const EVERYBODY: readonly Side[] = ['hub', 'koa', 'node']

interface Load {
  readonly sendType: TallyOptions['sendType']
  readonly clients: number
  /** connections that push, each one push at a time */
  readonly pushers: number
}

export const PERSONAL: Load = { sendType: 'personal', clients: 1_000, pushers: 64 }

export const personal: Case = {
  title: 'personal push, 64 pushers, 1,000 clients',
  sides: EVERYBODY,
  clients: PERSONAL.clients,
  measure: async (stage) => measurePushes(stage, await stage.start(), PERSONAL),
}

export const personal5000: Case = {
  title: 'personal push, 64 pushers, 5,000 clients',
  sides: ['hub', 'koa'],
  clients: 5_000,
  measure: async (stage) => measurePushes(stage, await stage.start(), { ...PERSONAL, clients: 5_000 }),
}

export const group: Case = {
  title: 'push to a group of 1,000, one in flight',
  sides: EVERYBODY,
  clients: 1_000,
  measure: async (stage) =>
    measurePushes(stage, await stage.start(), { sendType: 'group', clients: 1_000, pushers: 1 }),
}

export const paced: Case = {
  title: 'personal push, 5,000 a second, 1,000 clients',
  sides: ['hub', 'koa'],
  clients: 1_000,
  async measure(stage) {
    const server = await stage.start()
    const tally = createTally({ sendType: 'personal', clients: stage.size(1_000) })
    await connectTallied(server.port, tally)
    const pace = stage.size(PACE)
    const push = pacedPush(server.port, tally)
    const latencies: number[] = []
    await atRate(pace, stage.ms(WARM_UP_MS) / 1_000, async () => void (await push()))
    const span = await measureSpan(server, () =>
      atRate(pace, stage.seconds, async () => void latencies.push(await push())),
    )
    return pushFigures(span, server, tally, latencies, latencies.length)
  },
}

/**
 * Pushes without pause: warms up, measures, and then waits for every answer to see that all is right.
 * @param last resolves when enough was measured
 */
export async function measurePushes(
  stage: Stage,
  server: Server,
  load: Load,
  last = () => sleep(stage.seconds * 1_000),
): Promise<Measured> {
  const tally = createTally({ sendType: load.sendType, clients: stage.size(load.clients) })
  await connectTallied(server.port, tally)
  const pushing = await startPushing(load.pushers, server.port, tally)
  await sleep(stage.ms(WARM_UP_MS))

  const latencies = pushing.latencies()
  const before = tally.deliveries
  const span = await measureSpan(server, last)
  const measured = [...latencies]
  const deliveries = tally.deliveries - before
  await pushing.stop()
  return pushFigures(span, server, tally, measured, deliveries)
}

function pushFigures(
  span: Span,
  server: Server,
  tally: Tally,
  latencies: readonly number[],
  deliveries: number,
): Measured {
  const { seconds, serverUs, stalls } = span
  return {
    stalls,
    figures: {
      ...span.figures,
      pushesPerS: latencies.length / seconds,
      deliveriesPerS: deliveries / seconds,
      usPerPush: serverUs / latencies.length,
      usPerDelivery: serverUs / deliveries,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      rssMib: residentBytes(server.pid) / MIB,
      ...tally.faults(),
    },
  }
}
