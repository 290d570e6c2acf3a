/** How long something takes: seconds as a number, or a text such as "10m" or "1h30m" as Go programs have it. */
import * as z from 'zod'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const PARTS = /(\d+(?:\.\d+)?)(ms|[smhd])/g
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/
const WORDS = 'expected seconds, or a duration such as "10m" or "24h"'

/** Reads to ms. @param leastMs shorter ones are refused */
export function durationSchema(leastMs: number) {
  return z
    .union([z.number(), z.string().regex(WHOLE, { error: WORDS })], { error: WORDS })
    .transform((given) => (typeof given === 'number' ? given * 1_000 : msOf(given)))
    .refine((ms) => ms >= leastMs, { error: `expected ${leastMs / 1_000} s or longer` })
}

function msOf(text: string): number {
  return [...text.matchAll(PARTS)].reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0)
}
