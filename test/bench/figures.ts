/** What a case yields. */
import * as z from 'zod'

export const faultFigures = ['lost', 'duplicates', 'strays', 'wrongReplies'] as const

/** Loads are in % of a core, latencies in ms, `usPer…` is CPU of the server. A case gives the figures it can. */
export const figureNames = [
  'pushesPerS',
  'deliveriesPerS',
  'usPerPush',
  'usPerDelivery',
  'p50',
  'p99',
  'besideP50',
  'besideP99',
  'connectsPerS',
  'usPerConnect',
  'kibPerSession',
  'rssMib',
  'startMs',
  'loggedInMs',
  'clearedMs',
  'checkpoint',
  'loopMax',
  'loopP99',
  'loopCpu',
  'serverLoad',
  'generatorLoad',
  'otherLoad',
  ...faultFigures,
] as const
export type Figure = (typeof figureNames)[number]

export const figuresSchema = z.partialRecord(z.enum(figureNames), z.number())
export type Figures = Readonly<z.infer<typeof figuresSchema>>

/** Two tallies of one run. */
export function addFaults(one: Figures, other: Figures): Figures {
  return Object.fromEntries(faultFigures.map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]))
}
