import { faultFigures } from './generator/load.ts'
import { isNoisy, ratio, type Run } from './runs.ts'

export interface Verdict {
  readonly goal: string
  /** null: not measured in a quiet run */
  readonly value: number | null
  readonly met: boolean | null
}

interface Goal {
  readonly text: string
  /** the runs that count: noise bends figures, but excuses no fault */
  readonly of: 'quiet' | 'all'
  value(runs: readonly Run[]): number | null
  isMet(value: number): boolean
}

/** What binds, and that no run lost, doubled or misreported anything. */
const goals: readonly Goal[] = [
  {
    of: 'quiet',
    text: "durable personal push >= 0.85 x the baseline's pushes/s",
    value: (runs) => ratio(runs, ['personal', 'hub', 'pushesPerS'], ['personal', 'baseline', 'pushesPerS']),
    isMet: (value) => value >= 0.85,
  },
  {
    of: 'quiet',
    text: '5,000 clients <= 1.1 x the CPU per push of 1,000',
    value: (runs) => ratio(runs, ['personal5000', 'hub', 'usPerPush'], ['personal', 'hub', 'usPerPush']),
    isMet: (value) => value <= 1.1,
  },
  {
    of: 'quiet',
    text: "group of 1,000 <= 1.2 x the baseline's CPU per delivery",
    value: (runs) => ratio(runs, ['group', 'hub', 'usPerDelivery'], ['group', 'baseline', 'usPerDelivery']),
    isMet: (value) => value <= 1.2,
  },
  {
    of: 'all',
    text: 'lost, duplicates, strays and wrong replies = 0 in every run',
    value: (runs) => runs.reduce((sum, { figures }) => sum + faults(figures), 0),
    isMet: (value) => value === 0,
  },
]

export function judge(runs: readonly Run[]): Verdict[] {
  const quiet = runs.filter((run) => !isNoisy(run))
  return goals.map((goal) => {
    const value = goal.value(goal.of === 'quiet' ? quiet : runs)
    return { goal: goal.text, value, met: value === null ? null : goal.isMet(value) }
  })
}

function faults(figures: Run['figures']): number {
  return faultFigures.reduce((sum, name) => sum + (figures[name] ?? 0), 0)
}
