/** What the runner asks of the process that measures, and what it gets back: JSON on the command line and on stdout. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import type { Measured } from './cases/case.ts'
import { caseNames } from './cases/cases.ts'
import { figuresSchema } from './figures.ts'
import { loopSchema } from './servers/loop.ts'
import { sides } from './servers/start.ts'

const program = new URL('measure.ts', import.meta.url).pathname

export const orderSchema = z.object({
  case: z.enum(caseNames),
  side: z.enum(sides),
  /** length of the measured part of cases that push */
  seconds: z.number().positive(),
  /** below 1: fewer clients and messages, only to see that the case works */
  scale: z.number().positive().max(1),
  /** for what this run leaves behind */
  dir: z.string(),
  /** for what runs share */
  shared: z.string(),
  /** write a profile of the server into `dir` */
  profile: z.boolean(),
  /** the baselines get the hub's flags of Node */
  even: z.boolean(),
  /** the hub's program, if not the one in `dist` */
  hub: z.string().optional(),
})
export type Order = z.infer<typeof orderSchema>

const measuredSchema = z.object({ figures: figuresSchema, stalls: loopSchema.shape.stalls })

/** Measures in a process of its own. Throws if that fails, having printed why. */
export async function carryOut(order: Order): Promise<Measured> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = (): void => void child.kill()
  process.once('exit', end)
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')])
  process.off('exit', end)
  if (child.exitCode !== 0) throw new Error(`${order.case} on ${order.side} failed`)
  return measuredSchema.parse(JSON.parse(printed))
}
