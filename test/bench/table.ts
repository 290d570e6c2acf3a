/** The figures as text for people. */
import { cases, type CaseName, type Side } from './cases.ts'
import { type Figure, figureNames } from './generator/load.ts'
import type { Verdict } from './goals.ts'
import { isNoisy, type Measure, median, ratio, type Run } from './runs.ts'

const LABEL_WIDTH = 24
const COLUMN_WIDTH = 14

const labels: Record<Figure, { readonly label: string; readonly digits: number }> = {
  pushesPerS: { label: 'pushes/s', digits: 0 },
  deliveriesPerS: { label: 'acked deliveries/s', digits: 0 },
  usPerPush: { label: 'us CPU/push', digits: 1 },
  usPerDelivery: { label: 'us CPU/delivery', digits: 2 },
  p50: { label: 'p50 ms', digits: 2 },
  p99: { label: 'p99 ms', digits: 2 },
  connectsPerS: { label: 'connect+AUTH/s', digits: 0 },
  usPerConnect: { label: 'us CPU/connect', digits: 1 },
  kibPerSession: { label: 'KiB RSS/session', digits: 2 },
  rssMib: { label: 'RSS MiB', digits: 0 },
  serverLoad: { label: '% server', digits: 0 },
  generatorLoad: { label: '% generator', digits: 0 },
  otherLoad: { label: '% otherCpu', digits: 1 },
  lost: { label: 'lost', digits: 0 },
  duplicates: { label: 'duplicates', digits: 0 },
  strays: { label: 'strays', digits: 0 },
  wrongReplies: { label: 'wrong replies', digits: 0 },
}

const inOneLine: readonly Figure[] = [
  'pushesPerS',
  'usPerPush',
  'usPerDelivery',
  'p50',
  'p99',
  'connectsPerS',
  'kibPerSession',
  'otherLoad',
]

/** One run as soon as it is over. */
export function runLine(run: Run): string {
  const shown = inOneLine.filter((name) => run.figures[name] !== undefined)
  const values = shown.map((name) => `${labels[name].label} ${print(run.figures[name] ?? null, labels[name].digits)}`)
  const mark = isNoisy(run) ? '  (noisy)' : ''
  return `round ${run.round}  ${run.case.padEnd(12)}  ${run.side.padEnd(8)}  ${values.join(', ')}${mark}`
}

/** The medians of both sides and what the hub costs beside the baseline. */
export function caseTable(runs: readonly Run[], name: CaseName): string {
  const those = runs.filter((run) => run.case === name)
  const measured = figureNames.filter((figure) => those.some(({ figures }) => figures[figure] !== undefined))
  const lines = measured.map((figure) => {
    const [hub, baseline]: [Measure, Measure] = [
      [name, 'hub', figure],
      [name, 'baseline', figure],
    ]
    const { label, digits } = labels[figure]
    return row(
      label,
      print(median(runs, hub), digits),
      print(median(runs, baseline), digits),
      print(ratio(runs, hub, baseline), 2),
    )
  })
  const head = row('', 'hub', 'baseline', 'hub/baseline')
  const foot = row('quiet runs', quiet(those, 'hub'), quiet(those, 'baseline'))
  return [cases[name].title, head, ...lines, foot].join('\n')
}

export function verdictLine({ goal, value, met }: Verdict): string {
  if (met === null) return `----  ${goal}: not measured in a quiet run`
  return `${met ? 'pass' : 'FAIL'}  ${goal}: ${print(value, 2)}`
}

function quiet(runs: readonly Run[], side: Side): string {
  const ofSide = runs.filter((run) => run.side === side)
  return `${ofSide.filter((run) => !isNoisy(run)).length} of ${ofSide.length}`
}

function row(label: string, ...cells: string[]): string {
  return label.padEnd(LABEL_WIDTH) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')
}

function print(value: number | null, digits: number): string {
  if (value === null) return '-'
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
