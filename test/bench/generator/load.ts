/** What the runner asks of the generator, and what it gets back: JSON on the command line and on stdout. */
import * as z from 'zod'

export const loadSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('push'),
    sendType: z.enum(['personal', 'group']),
    /** all log in before the first push; of a group they are the members */
    clients: z.int().positive(),
    /** connections that push, each one push at a time */
    pushers: z.int().positive(),
    /** length of the measured part */
    seconds: z.number().positive(),
  }),
  z.object({ type: z.literal('sessions'), clients: z.int().positive() }),
])

export const orderSchema = z.object({
  load: loadSchema,
  port: z.int().positive(),
  /** process of the server, whose CPU and memory are read */
  pid: z.int().positive(),
})

export type Load = z.infer<typeof loadSchema>
export type Order = z.infer<typeof orderSchema>

export const faultFigures = ['lost', 'duplicates', 'strays', 'wrongReplies'] as const

/** Loads are in % of a core, latencies in ms, `usPer…` is CPU of the server. A load gives the figures it can. */
export const figureNames = [
  'pushesPerS',
  'deliveriesPerS',
  'usPerPush',
  'usPerDelivery',
  'p50',
  'p99',
  'connectsPerS',
  'usPerConnect',
  'kibPerSession',
  'rssMib',
  'serverLoad',
  'generatorLoad',
  'otherLoad',
  ...faultFigures,
] as const
export type Figure = (typeof figureNames)[number]

export const figuresSchema = z.partialRecord(z.enum(figureNames), z.number())
export type Figures = Readonly<z.infer<typeof figuresSchema>>
