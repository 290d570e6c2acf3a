/** The figures as text for people. */
import { cases, type CaseName } from './cases/cases.ts'
import { faultFigures, type Figure, figureNames } from './figures.ts'
import type { Verdict } from './goals.ts'
import { isNoisy, median, ratio, type Run } from './runs.ts'
import type { Side } from './servers/start.ts'

const LABEL_WIDTH = 24
const COLUMN_WIDTH = 14

const labels: Record<Figure, { readonly label: string; readonly digits: number }> = {
  pushesPerS: { label: 'pushes/s', digits: 0 },
  deliveriesPerS: { label: 'acked deliveries/s', digits: 0 },
  usPerPush: { label: 'us CPU/push', digits: 1 },
  usPerDelivery: { label: 'us CPU/delivery', digits: 2 },
  p50: { label: 'p50 ms', digits: 2 },
  p99: { label: 'p99 ms', digits: 2 },
  besideP50: { label: 'personal p50 ms', digits: 2 },
  besideP99: { label: 'personal p99 ms', digits: 2 },
  connectsPerS: { label: 'connect+AUTH/s', digits: 0 },
  usPerConnect: { label: 'us CPU/connect', digits: 1 },
  kibPerSession: { label: 'KiB RSS/session', digits: 2 },
  rssMib: { label: 'RSS MiB', digits: 0 },
  startMs: { label: 'start ms', digits: 0 },
  loggedInMs: { label: 'all logged in ms', digits: 0 },
  clearedMs: { label: 'all delivered ms', digits: 0 },
  checkpoint: { label: 'a checkpoint ended', digits: 0 },
  loopMax: { label: 'loop blocked max ms', digits: 0 },
  loopP99: { label: 'loop blocked p99 ms', digits: 1 },
  loopCpu: { label: 'CPU in one turn, ms', digits: 0 },
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
  'deliveriesPerS',
  'usPerPush',
  'usPerDelivery',
  'p50',
  'p99',
  'besideP99',
  'connectsPerS',
  'usPerConnect',
  'kibPerSession',
  'loggedInMs',
  'clearedMs',
  'loopMax',
  'loopCpu',
  'otherLoad',
]
/** The longest stalls are told, if they are longer than this. */
const STALL_MS = 50
const STALLS = 3

/** One run as soon as it is over. */
export function runLines(run: Run): string[] {
  const faults = faultFigures.filter((name) => (run.figures[name] ?? 0) > 0)
  const shown = [...inOneLine.filter((name) => run.figures[name] !== undefined), ...faults]
  const values = shown.map((name) => `${labels[name].label} ${print(run.figures[name] ?? null, labels[name].digits)}`)
  const mark = isNoisy(run) ? '  (noisy)' : ''
  const stalls = run.stalls
    .filter(({ ms }) => ms > STALL_MS)
    .toSorted((one, other) => other.ms - one.ms)
    .slice(0, STALLS)
    .map(({ at, ms, cpuMs }) => {
      const time = new Date(at).toISOString().slice(11, -1)
      return `         blocked ${print(ms, 0)} ms from ${time} (UTC) on, with ${print(cpuMs, 0)} ms of CPU`
    })
  return [`round ${run.round}  ${run.case.padEnd(13)}  ${run.side.padEnd(4)}  ${values.join(', ')}${mark}`, ...stalls]
}

/** The medians of all sides, and what the hub costs beside each baseline. */
export function caseTable(runs: readonly Run[], name: CaseName): string {
  const those = runs.filter((run) => run.case === name)
  const { title, sides } = cases[name]
  const measured = figureNames.filter((figure) => those.some(({ figures }) => figures[figure] !== undefined))
  const baselines = sides.filter((side) => side !== 'hub')
  const lines = measured.map((figure) => {
    const { label, digits } = labels[figure]
    return row(
      label,
      ...sides.map((side) => print(median(runs, [name, side, figure]), digits)),
      ...baselines.map((side) => print(ratio(runs, [name, 'hub', figure], [name, side, figure]), 2)),
    )
  })
  const head = row('', ...sides, ...baselines.map((side) => `hub/${side}`))
  const foot = row('quiet runs', ...sides.map((side) => quiet(those, side)))
  return [title, head, ...lines, foot].join('\n')
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
