/**
 * `npm run crash -- [MODE] [--rounds N] [--seed S] [--seconds-per-round X] [--hub NAME] [--outbound]`: exit 1 when the
 * hub broke a promise. README.md says what the modes are.
 */
import { parseArgs } from 'node:util'
import { clockJumps } from '../faults/clock.ts'
import { damage } from '../faults/damage.ts'
import { diskErrors, whyNoDiskErrors } from '../faults/disk-errors.ts'
import { whyNoWallClock } from '../faults/wall-clock.ts'
import { whyNoDisk } from './disk.ts'
import { hubs } from './hubs/index.ts'
import { crashLoop } from './loop.ts'
import { faultyHubs } from './outbound/hubs.ts'
import { outboundLoop } from './outbound/loop.ts'

/** violations printed in full */
const SHOWN = 30

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    'seconds-per-round': { type: 'string', default: '2' },
    /** `built`, or one of hubs/, or with --outbound of outbound/hubs.ts */
    hub: { type: 'string', default: 'built' },
    outbound: { type: 'boolean', default: false },
    'power-cut': { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    'disk-errors': { type: 'boolean', default: false },
    damage: { type: 'boolean', default: false },
    clock: { type: 'boolean', default: false },
  },
})

interface Result {
  readonly violations: readonly { readonly kind: string; readonly what: string }[]
  readonly figures: object
  /** what it leaves to look at */
  readonly kept: string | null
}

const modes = ['power-cut', 'stop', 'disk-errors', 'damage', 'clock'] as const
const named = modes.filter((mode) => values[mode])
const [mode = 'kill'] = named
if (named.length > 1) quit(`one of ${modes.map((name) => `--${name}`).join(' ')} at a time`)
if (values.outbound && mode !== 'kill' && mode !== 'stop') quit(`--outbound does not go with --${mode}`)

const result = await play()
print(result)
process.exitCode = result.violations.length === 0 ? 0 : 1

function play(): Promise<Result> {
  const trials = { rounds: Number(values.rounds), seed: Number(values.seed) }
  switch (mode) {
    case 'power-cut':
      demand(whyNoDisk())
      return crashLoop({ ...trials, ...load(), ending: 'power cut' })
    case 'kill':
    case 'stop': {
      const options = { ...trials, ...load(), ending: mode } as const
      return values.outbound ? outboundLoop(options) : crashLoop(options)
    }
    case 'disk-errors':
      demand(whyNoDiskErrors())
      return diskErrors(trials)
    case 'damage':
      return damage(trials)
    case 'clock':
      demand(whyNoWallClock())
      return clockJumps()
  }
}

/** What the loops run, and for how long each. */
function load(): { secondsPerRound: number; program?: readonly string[] } {
  const others = values.outbound ? new Map([...hubs, ...faultyHubs]) : hubs
  const program = others.get(values.hub)
  if (values.hub !== 'built' && !program) quit(`--hub is built, ${[...others.keys()].join(' or ')}`)
  return { secondsPerRound: Number(values['seconds-per-round']), ...(program ? { program } : {}) }
}

function demand(whyNot: string | null): void {
  if (whyNot !== null) quit(`--${mode}: ${whyNot}`)
}

function quit(why: string): never {
  process.stderr.write(`crash: ${why}\n`)
  process.exit(2)
}

function print({ violations, figures, kept }: Result): void {
  for (const [name, value] of Object.entries(figures)) say(`${name.padEnd(16)}${JSON.stringify(value)}`)
  say(`${'violations'.padEnd(16)}${violations.length}`)
  if (violations.length === 0) return
  const kinds = new Map<string, number>()
  for (const { kind } of violations) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  for (const [kind, count] of kinds) say(`  ${kind.padEnd(20)}${count}`)
  for (const { kind, what } of violations.slice(0, SHOWN)) say(`${kind}: ${what}`)
  say(`again: npm run crash -- ${process.argv.slice(2).join(' ')}`)
  if (kept !== null) say(`config, data and history: ${kept}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
