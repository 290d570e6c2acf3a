/** One case in a process of its own: `measure.ts CASE DIR TASKS` prints its figures as JSON. Its hub ends with it. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { forEach } from '../generator/connect.ts'
import { atRate, percentile } from '../generator/pace.ts'
import { createTally } from '../generator/tally.ts'
import { connectTallied, pacedPush } from '../generator/tallied.ts'
import { loads, residentBytes, usageNow } from '../generator/usage.ts'
import { pinGenerator } from '../servers/cores.ts'
import { startHub } from '../servers/start.ts'
import { caseNames, type CaseName, type Figures } from './cases.ts'
import { configOf, createSender, type Send, startVendor, type Vendor } from './stage.ts'

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
  readonly send: Send
}

async function onStage(
  queue: object,
  measure: (stage: Stage) => Promise<Figures>,
  flags: readonly string[] = [],
): Promise<Figures> {
  pinGenerator()
  const vendor = await startVendor()
  const { port, pid } = await startHub({
    dir: mkdtempSync(join(dir, 'outbound-')),
    config: configOf(vendor, ROBOTS, queue),
    flags,
  })
  return measure({ port, pid, vendor, send: createSender(port) })
}

/** So many tasks from so many senders, each as soon as the one before was accepted. */
async function pushAll({ send }: Stage, senders: number, from: number, to: number): Promise<void> {
  await forEach(to - from, (n) => send(`r${(from + n) % ROBOTS}`, from + n), senders)
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
    onStage(WIDE, async ({ send, vendor }) => {
      const took: number[] = []
      await atRate(500, 12, async (n) => {
        const ms = await send(`r${n % ROBOTS}`, n)
        if (n >= 1_000) took.push(ms)
      })
      await vendor.arrived(6_000)
      return { 'POST p50 ms': percentile(took, 0.5), 'POST p99 ms': percentile(took, 0.99) }
    }),

  hang: () =>
    onStage(USUAL, async ({ send, vendor }) => {
      let n = 0
      async function delays(withHanging: boolean): Promise<number[]> {
        const from = n
        const sentAt = new Map<number, number>()
        await Promise.all([
          atRate(200, 10, async () => {
            const mine = n++
            sentAt.set(mine, performance.now())
            await send(`r${mine % ROBOTS}`, mine)
          }),
          atRate(withHanging ? 50 : 0, 10, async (k) => void (await send(`h${k % ROBOTS}`, 1e9 + k))),
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
    onStage(WIDE, async ({ port, pid, send, vendor }) => {
      const tally = createTally({ sendType: 'personal', clients: 1_000 })
      await connectTallied(port, tally)
      const push = pacedPush(port, tally)
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
            const ms = await push()
            if (n >= (lane * SECONDS) / 2) took.push(ms)
          }),
          atRate(outbound, SECONDS, async (n) => void (await send(`r${n % ROBOTS}`, from + n))),
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

console.log(JSON.stringify(await measures[name]()))
process.exit()
