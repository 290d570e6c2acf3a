/** The load generator, a process of its own: takes an order as JSON, prints the figures as JSON. */
import { orderSchema, type Figures, type Order } from './load.ts'
import { measurePushes } from './pushes.ts'
import { measureSessions } from './sessions.ts'

async function measure(order: Order): Promise<Figures> {
  const { load } = order
  return load.type === 'push' ? measurePushes(load, order) : measureSessions(load, order)
}

const figures = await measure(orderSchema.parse(JSON.parse(process.argv[2] ?? '')))
console.log(JSON.stringify(figures))
process.exit()
