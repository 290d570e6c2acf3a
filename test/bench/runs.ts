import type { CaseName, Side } from './cases.ts'
import type { Figure, Figures } from './generator/load.ts'

/** Above this part of a core used by others, in %, a run is noisy. */
export const NOISY = 5

export interface Run {
  readonly round: number
  readonly case: CaseName
  readonly side: Side
  readonly figures: Figures
}

export function isNoisy({ figures }: Run): boolean {
  return Math.abs(figures.otherLoad ?? 0) > NOISY
}

/** Of the quiet runs, or of all if none was quiet; null if the figure was not measured. */
export function median(runs: readonly Run[], name: CaseName, side: Side, figure: Figure): number | null {
  const those = runs.filter((run) => run.case === name && run.side === side)
  const quiet = those.filter((run) => !isNoisy(run))
  const values = (quiet.length > 0 ? quiet : those).map(({ figures }) => figures[figure]).filter(isNumber)
  values.sort((a, b) => a - b)
  const upper = values[Math.floor(values.length / 2)]
  const lower = values[Math.floor((values.length - 1) / 2)]
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2
}

/** null where either is missing or there is nothing to divide by */
export function ratio(of: number | null, by: number | null): number | null {
  return of === null || by === null || by === 0 ? null : of / by
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined
}
