import { setTimeout as sleep } from 'node:timers/promises'
import { addFaults } from '../figures.ts'
import { atRate, percentile } from '../generator/pace.ts'
import { startPushing } from '../generator/pushing.ts'
import { createTally } from '../generator/tally.ts'
import { connectTallied, pacedPush } from '../generator/tallied.ts'
import { type Case, measureSpan } from './case.ts'
import { WARM_UP_MS } from './push.ts'

const MEMBERS = 10_000
const OTHERS = 1_000
/** personal pushes a second beside those to the group */
const BESIDE = 200

export const group10000: Case = {
  title: 'push to a group of 10,000, one in flight, beside 200 personal pushes a second to 1,000 others',
  sides: ['hub', 'koa'],
  clients: MEMBERS + OTHERS,
  async measure(stage) {
    const server = await stage.start()
    const crowd = createTally({ sendType: 'group', clients: stage.size(MEMBERS), prefix: 'g' })
    const others = createTally({ sendType: 'personal', clients: stage.size(OTHERS) })
    await connectTallied(server.port, crowd)
    await connectTallied(server.port, others)
    const pushing = await startPushing(1, server.port, crowd)
    await sleep(stage.ms(WARM_UP_MS))

    const latencies = pushing.latencies()
    const beside: number[] = []
    const before = crowd.deliveries + others.deliveries
    const push = pacedPush(server.port, others)
    const span = await measureSpan(server, () =>
      atRate(BESIDE, stage.seconds, async () => void beside.push(await push())),
    )
    const pushes = [...latencies]
    const deliveries = crowd.deliveries + others.deliveries - before
    await pushing.stop()
    return {
      stalls: span.stalls,
      figures: {
        ...span.figures,
        pushesPerS: pushes.length / span.seconds,
        deliveriesPerS: deliveries / span.seconds,
        usPerDelivery: span.serverUs / deliveries,
        p50: percentile(pushes, 0.5),
        p99: percentile(pushes, 0.99),
        besideP50: percentile(beside, 0.5),
        besideP99: percentile(beside, 0.99),
        ...addFaults(crowd.faults(), others.faults()),
      },
    }
  },
}
