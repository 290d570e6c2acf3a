import type { Figures } from '../figures.ts'
import { loads, usageNow } from '../generator/usage.ts'
import type { Loop } from '../servers/loop.ts'
import type { Server, ServerOptions, Side } from '../servers/start.ts'

export interface Case {
  readonly title: string
  readonly sides: readonly Side[]
  /** that are connected at once: each takes an open file on both sides */
  readonly clients: number
  measure(stage: Stage): Promise<Measured>
}

export interface Measured {
  readonly figures: Figures
  /** when the server's event loop was blocked for long */
  readonly stalls: Loop['stalls']
}

/** What a case runs on. */
export interface Stage {
  /** length of the measured part where a case can choose it */
  readonly seconds: number
  /** a folder that stays while the bench runs */
  readonly shared: string
  /** As many clients as said, and as long; fewer and shorter where it is only tried whether the case works. */
  size(full: number): number
  ms(full: number): number
  /** A server of the side that is measured. */
  start(options?: Pick<ServerOptions, 'data' | 'port'>): Promise<Server>
}

export interface Span extends Measured {
  readonly seconds: number
  /** CPU that the server used */
  readonly serverUs: number
}

/** What the server did while `body` ran. */
export async function measureSpan(server: Server, body: () => Promise<unknown>): Promise<Span> {
  const checkpoint = server.checkpoint()
  await server.loop()
  const before = usageNow(server.pid)
  await body()
  const after = usageNow(server.pid)
  const { max, p99, maxCpu, stalls } = await server.loop()
  const load = loads(before, after)
  return {
    seconds: after.at - before.at,
    serverUs: (after.server - before.server) * 1e6,
    stalls,
    figures: {
      startMs: server.startMs,
      checkpoint: Number(server.checkpoint() !== checkpoint),
      loopMax: max,
      loopP99: p99,
      loopCpu: maxCpu,
      serverLoad: load.server * 100,
      generatorLoad: load.generator * 100,
      otherLoad: load.other * 100,
    },
  }
}
