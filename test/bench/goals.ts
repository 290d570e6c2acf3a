import { type Figures, faultFigures } from './figures.ts'
import type { CaseName } from './cases/cases.ts'
import { isNoisy, type Measure, median, ratio, type Run } from './runs.ts'

export interface Verdict {
  readonly goal: string
  /** null: not measured in a quiet run */
  readonly value: number | null
  readonly met: boolean | null
}

interface Goal {
  readonly text: string
  readonly value: (runs: readonly Run[]) => number | null
  readonly atLeast?: number
  readonly atMost?: number
  /** noise bends figures, but excuses no fault */
  readonly ofAll?: true
}

/** Cases in which a checkpoint, a large group or a storm of connections could block the event loop. */
const BUSY: readonly CaseName[] = ['checkpoint', 'group10000', 'restart']

const goals: readonly Goal[] = [
  {
    text: "durable personal push: the hub's pushes/s by those of Koa",
    value: ratioOf(['personal', 'hub', 'pushesPerS'], ['personal', 'koa', 'pushesPerS']),
    atLeast: 0.9,
  },
  {
    text: 'personal push: CPU with 5,000 clients by CPU with 1,000',
    value: ratioOf(['personal5000', 'hub', 'usPerPush'], ['personal', 'hub', 'usPerPush']),
    atMost: 1.1,
  },
  {
    text: 'personal push: CPU with a million delivered messages by CPU with an empty store',
    value: ratioOf(['history', 'hub', 'usPerPush'], ['personal', 'hub', 'usPerPush']),
    atMost: 1.1,
  },
  {
    text: 'ms until a hub with a million delivered messages listens',
    value: medianOf(['history', 'hub', 'startMs']),
    atMost: 1_000,
  },
  { text: '5,000 personal pushes a second: p50 ms', value: medianOf(['paced', 'hub', 'p50']), atMost: 3 },
  { text: '5,000 personal pushes a second: p99 ms', value: medianOf(['paced', 'hub', 'p99']), atMost: 20 },
  {
    text: "group of 1,000: Koa's CPU per delivery by the hub's",
    value: ratioOf(['group', 'koa', 'usPerDelivery'], ['group', 'hub', 'usPerDelivery']),
    atLeast: 0.85,
  },
  { text: 'group of 1,000: all have acked, p50 ms', value: medianOf(['group', 'hub', 'p50']), atMost: 10 },
  {
    text: 'group of 10,000: us CPU per delivery, personal pushes beside it included',
    value: medianOf(['group10000', 'hub', 'usPerDelivery']),
    atMost: 17,
  },
  {
    text: 'personal pushes beside a group of 10,000: p99 ms',
    value: medianOf(['group10000', 'hub', 'besideP99']),
    atMost: 60,
  },
  {
    text: '18,000 sessions: KiB RSS each',
    value: medianOf(['sessions18000', 'hub', 'kibPerSession']),
    atMost: 9,
  },
  {
    text: 'KiB RSS of one of 18,000 sessions by that of one of 8,000',
    value: ratioOf(['sessions18000', 'hub', 'kibPerSession'], ['sessions', 'hub', 'kibPerSession']),
    atMost: 1.1,
  },
  {
    text: 'connections with AUTH a second, 8,000 of them',
    value: medianOf(['sessions', 'hub', 'connectsPerS']),
    atLeast: 3_000,
  },
  {
    text: 'connections with AUTH a second, 18,000 of them',
    value: medianOf(['sessions18000', 'hub', 'connectsPerS']),
    atLeast: 3_000,
  },
  {
    text: 'acks a second as 1,000 clients take 50 waiting messages each',
    value: medianOf(['drain', 'hub', 'deliveriesPerS']),
    atLeast: 40_000,
  },
  {
    text: 'ms from the start of a killed hub until 10,000 clients are back and have what waited',
    value: medianOf(['restart', 'hub', 'clearedMs']),
    atMost: 4_000,
  },
  {
    text: `ms that the event loop was blocked at most (${BUSY.join(', ')})`,
    value: (runs) => highest(runs.filter((run) => run.side === 'hub' && BUSY.includes(run.case))),
    atMost: 50,
  },
  {
    text: 'lost, duplicates, strays and wrong replies in all runs',
    value: (runs) => runs.reduce((sum, { figures }) => sum + faults(figures), 0),
    atMost: 0,
    ofAll: true,
  },
]

/** @param noisy judge by noisy runs, too */
export function judge(runs: readonly Run[], noisy: boolean): Verdict[] {
  const quiet = noisy ? runs : runs.filter((run) => !isNoisy(run))
  return goals.map(({ text, value: valueOf, atLeast = -Infinity, atMost = Infinity, ofAll = false }) => {
    const value = valueOf(ofAll ? runs : quiet)
    const goal = `${text} ${atMost < Infinity ? `<= ${atMost}` : `>= ${atLeast}`}`
    return { goal, value, met: value === null ? null : value >= atLeast && value <= atMost }
  })
}

function ratioOf(of: Measure, by: Measure): Goal['value'] {
  return (runs) => ratio(runs, of, by)
}

function medianOf(measure: Measure): Goal['value'] {
  return (runs) => median(runs, measure)
}

function highest(runs: readonly Run[]): number | null {
  return runs.length === 0 ? null : Math.max(...runs.map(({ figures }) => figures.loopMax ?? 0))
}

function faults(figures: Figures): number {
  return faultFigures.reduce((sum, name) => sum + (figures[name] ?? 0), 0)
}
