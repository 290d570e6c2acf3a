/**
 * Measures deliveries through a channel: a vendor that answers in 20 ms, everything durable.
 *
 *   npm run bench:outbound -- [--rounds N] [--only CASE]... [--tasks N]
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { makeScratch } from '../disk.ts'
import { caseNames, figuresSchema } from './cases.ts'

const measure = new URL('measure.ts', import.meta.url).pathname

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, only: { type: 'string', multiple: true }, tasks: { type: 'string' } },
})
const { rounds, only, tasks } = z
  .object({
    rounds: z.coerce.number().int().positive().default(3),
    only: z.array(z.enum(caseNames)).default([...caseNames]),
    tasks: z.coerce.number().int().positive().default(100_000),
  })
  .parse(values)

const scratch = makeScratch()
console.log(`the hub's data on ${scratch.kind}`)
for (let round = 1; round <= rounds; round += 1) {
  for (const name of only) {
    const order = ['--import', 'tsx', measure, name, scratch.path, String(tasks)]
    const printed = execFileSync(process.execPath, order, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    const figures = figuresSchema.parse(JSON.parse(printed))
    const told = Object.entries(figures).map(([key, value]) => `${key} ${value.toFixed(value < 100 ? 2 : 0)}`)
    console.log(`round ${round}  ${name.padEnd(10)}  ${told.join(', ')}`)
  }
}
