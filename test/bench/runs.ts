import type { CaseName } from './cases/cases.ts'
import type { Measured } from './cases/case.ts'
import type { Figure } from './figures.ts'
import type { Side } from './servers/start.ts'

/**
 * Above this part of a core used by others, in %, a run is noisy. The kernel's own threads, which write the
 * hub's journal out, count as others: up to a tenth.
 */
const NOISY = 15

/** One figure of one side in one case. */
export type Measure = readonly [name: CaseName, side: Side, figure: Figure]

export interface Run extends Measured {
  readonly round: number
  readonly case: CaseName
  readonly side: Side
}

export function isNoisy({ figures }: Run): boolean {
  return Math.abs(figures.otherLoad ?? 0) > NOISY
}
/** Of the quiet runs, or of all if none was quiet; null if the figure was not measured. */
export function median(runs: readonly Run[], measure: Measure): number | null {
  return middleOf([...byRound(runs, measure).values()])
}

/** The median over the rounds: a machine's speed drifts, and what stands in one round was measured close together. */
export function ratio(runs: readonly Run[], of: Measure, by: Measure): number | null {
  const divisors = byRound(runs, by)
  const ratios: number[] = []
  for (const [round, value] of byRound(runs, of)) {
    const divisor = divisors.get(round)
    if (divisor !== undefined && divisor !== 0) ratios.push(value / divisor)
  }
  return middleOf(ratios)
}

function byRound(runs: readonly Run[], [name, side, figure]: Measure): Map<number, number> {
  const those = runs.filter((run) => run.case === name && run.side === side)
  const quiet = those.filter((run) => !isNoisy(run))
  const values = new Map<number, number>()
  for (const { round, figures } of quiet.length > 0 ? quiet : those) {
    const value = figures[figure]
    if (value !== undefined) values.set(round, value)
  }
  return values
}

function middleOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2
}
