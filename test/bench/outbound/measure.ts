/** One case in a process of its own: `measure.ts CASE DIR TASKS` prints its figures as JSON. Its hub ends with it. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { connectAll } from '../generator/connect.ts'
import { openPusher } from '../generator/pusher.ts'
import { clientName, createTally } from '../generator/tally.ts'
import { loads, residentBytes, usageNow } from '../generator/usage.ts'
import { caseNames, type CaseName, type Figures } from './cases.ts'
import { atRate, openSender, percentile, type Sender, startHub, startVendor, type Vendor } from './stage.ts'

const ROBOTS = 2_000
/** of each part of the case `lane` */
const SECONDS = 8
const WIDE = { worker_count: 64, max_concurrent_per_platform: 64, buffer_size: 1_000_000 }
const USUAL = {}
const MIB = 1024 * 1024

const [name, dir, tasks] = z
  .tuple([z.enum(caseNames), z.string(), z.coerce.number().int().positive()])
  .parse(process.argv.slice(2))

interface Stage {
  readonly port: number
  readonly pid: number
  readonly vendor: Vendor
  readonly sender: Sender
}

async function onStage(
  queue: object,
  measure: (stage: Stage) => Promise<Figures>,
  flags: readonly string[] = [],
): Promise<Figures> {
  const vendor = await startVendor()
  const hub = await startHub(mkdtempSync(join(dir, 'outbound-')), vendor, ROBOTS, queue, flags)
  const sender = await openSender(hub.port)
  return measure({ port: hub.port, pid: hub.child.pid ?? 0, vendor, sender })
}

/** So many tasks from so many senders, each as soon as the one before was accepted. */
async function pushAll({ sender }: Stage, senders: number, from: number, to: number): Promise<void> {
  let next = from
  async function run(): Promise<void> {
    for (let n = next++; n < to; n = next++) await sender.push(`r${n % ROBOTS}`, n)
  }
  await Promise.all(Array.from({ length: senders }, run))
}

const measures: Record<CaseName, () => Promise<Figures>> = {
  throughput: () =>
    onStage(WIDE, async (stage) => {
      await pushAll(stage, 16, 0, 2_000)
      await stage.vendor.arrived(2_000)
      const before = usageNow(stage.pid)
      await pushAll(stage, 16, 2_000, 12_000)
      await stage.vendor.arrived(12_000)
      const after = usageNow(stage.pid)
      const seconds = after.at - before.at
      const { server, generator, other } = loads(before, after)
      return {
        'deliveries/s': 10_000 / seconds,
        'us CPU/delivery': ((after.server - before.server) * 1e6) / 10_000,
        '% server': server * 100,
        '% generator': generator * 100,
        '% other': other * 100,
        repeats: stage.vendor.repeats(),
      }
    }),

  /** The collector lets garbage lie while it has room: with little of it, what lives is what is seen. */
  memory: () =>
    onStage(
      WIDE,
      async (stage) => {
        const figures: Figures = {}
        const step = tasks / 5
        for (let done = 0; done < tasks; done += step) {
          await pushAll(stage, 16, done, done + step)
          await stage.vendor.arrived(done + step)
          figures[`RSS MiB at ${done + step}`] = residentBytes(stage.pid) / MIB
        }
        return { ...figures, repeats: stage.vendor.repeats() }
      },
      ['--max-old-space-size=192'],
    ),

  accept: () =>
    onStage(WIDE, async ({ sender, vendor }) => {
      const took: number[] = []
      await atRate(500, 12, async (n) => {
        const ms = await sender.push(`r${n % ROBOTS}`, n)
        if (n >= 1_000) took.push(ms)
      })
      await vendor.arrived(6_000)
      return { 'POST p50 ms': percentile(took, 0.5), 'POST p99 ms': percentile(took, 0.99) }
    }),

  hang: () =>
    onStage(USUAL, async ({ sender, vendor }) => {
      let n = 0
      async function delays(withHanging: boolean): Promise<number[]> {
        const from = n
        const sentAt = new Map<number, number>()
        await Promise.all([
          atRate(200, 10, async () => {
            const mine = n++
            sentAt.set(mine, performance.now())
            await sender.push(`r${mine % ROBOTS}`, mine)
          }),
          atRate(withHanging ? 50 : 0, 10, async (k) => void (await sender.push(`h${k % ROBOTS}`, 1e9 + k))),
        ])
        await vendor.arrived(n)
        return [...sentAt].filter(([k]) => k >= from + 400).map(([k, at]) => (vendor.arrivals.get(k) ?? 0) - at)
      }
      const alone = await delays(false)
      const beside = await delays(true)
      const [a, b] = [percentile(alone, 0.99), percentile(beside, 0.99)]
      return {
        'p50 ms alone': percentile(alone, 0.5),
        'p50 ms beside one that hangs': percentile(beside, 0.5),
        'p99 ms alone': a,
        'p99 ms beside one that hangs': b,
        ratio: b / a,
      }
    }),

  lane: () =>
    onStage(WIDE, async ({ port, pid, sender, vendor }) => {
      const tally = createTally('personal', 1_000)
      await connectAll(1_000, (client) => ({
        port,
        name: clientName(client),
        group: null,
        onMessage: (text) => tally.received(client, text),
      }))
      const pushers: LanePusher[] = []
      /** Both at their rates for so long: latencies of the second half, and the server's part of a core. */
      async function run(
        lane: number,
        outbound: number,
      ): Promise<{ took: number[]; server: number; perSecond: number }> {
        const took: number[] = []
        const from = vendor.arrivals.size
        const before = usageNow(pid)
        await Promise.all([
          atRate(lane, SECONDS, async (n) => {
            const pusher = pushers.pop() ?? (await openLanePusher(port, tally, pushers))
            const ms = await pusher()
            pushers.push(pusher)
            if (n >= (lane * SECONDS) / 2) took.push(ms)
          }),
          atRate(outbound, SECONDS, async (n) => void (await sender.push(`r${n % ROBOTS}`, from + n))),
        ])
        const after = usageNow(pid)
        const perSecond = (vendor.arrivals.size - from) / (after.at - before.at)
        return { took, server: loads(before, after).server * 100, perSecond }
      }
      const alone = await run(1_000, 0)
      const outbound = await run(0, 1_000)
      const beside = await run(1_000, 1_000)
      return {
        'p50 ms alone': percentile(alone.took, 0.5),
        'p50 ms beside': percentile(beside.took, 0.5),
        'p99 ms alone': percentile(alone.took, 0.99),
        'p99 ms beside': percentile(beside.took, 0.99),
        'outbound/s beside': beside.perSecond,
        '% server, lane alone': alone.server,
        '% server, outbound alone': outbound.server,
        '% server, both': beside.server,
        'CPU of the lane, beside / alone': (beside.server - outbound.server) / alone.server,
        'wrong replies': tally.faults().wrongReplies ?? 0,
      }
    }),
}

type LanePusher = () => Promise<number>

/** @param idle from which it goes when the hub closes it, having rested too long */
async function openLanePusher(
  port: number,
  tally: ReturnType<typeof createTally>,
  idle: LanePusher[],
): Promise<LanePusher> {
  let answered: (status: number, body: string) => void = () => {}
  const pusher = await openPusher(
    port,
    (status, body) => answered(status, body),
    () => void idle.splice(idle.indexOf(push), 1),
  )
  async function push(): Promise<number> {
    const { push: number, path } = tally.issue()
    const startedAt = performance.now()
    await new Promise<void>((done) => {
      answered = (status, body) => {
        tally.replied(number, status, body)
        done()
      }
      pusher.get(path)
    })
    return performance.now() - startedAt
  }
  return push
}

console.log(JSON.stringify(await measures[name]()))
process.exit()
