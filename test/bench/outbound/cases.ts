import * as z from 'zod'

export const caseNames = ['throughput', 'memory', 'accept', 'hang', 'lane'] as const
export type CaseName = (typeof caseNames)[number]

/** Each with its unit in its name, in the order to print them. */
export const figuresSchema = z.record(z.string(), z.number())
export type Figures = z.infer<typeof figuresSchema>
