/**
 * One case on one side, in a process of its own: the order as JSON on the command line, the outcome as JSON on
 * stdout. This process is the load; the server is its child.
 */
import type { Stage } from './cases/case.ts'
import { cases } from './cases/cases.ts'
import { closeSockets } from './generator/socket.ts'
import { type Order, orderSchema } from './order.ts'
import { pinGenerator } from './servers/cores.ts'
import { type Server, type ServerOptions, startBaseline, startHub } from './servers/start.ts'

const LEAST = 2
const INTERRUPTED = 130

function start({ side, dir, profile, even, hub }: Order, where: Partial<ServerOptions>): Promise<Server> {
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${dir}`] : []
  const options: ServerOptions = { dir, flags, ...(hub === undefined ? {} : { hub }), ...where }
  return side === 'hub' ? startHub(options) : startBaseline(side, even, options)
}

const order = orderSchema.parse(JSON.parse(process.argv[2] ?? ''))
let last: Server | null = null
const stage: Stage = {
  seconds: order.seconds,
  shared: order.shared,
  size: (full) => Math.max(LEAST, Math.round(full * order.scale)),
  ms: (full) => full * order.scale,
  start: async (where = {}) => (last = await start(order, where)),
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(INTERRUPTED))
pinGenerator()
const measured = await cases[order.case].measure(stage)
closeSockets()
await (last as Server | null)?.stop()
console.log(JSON.stringify(measured))
