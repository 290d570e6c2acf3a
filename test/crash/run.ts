/** `npm run crash -- --rounds N --seed S [--seconds-per-round X] [--hub NAME]`: exit 1 when the hub broke a promise. */
import { parseArgs } from 'node:util'
import { crashLoop, type LoopResult } from './loop.ts'
import { hubs } from './hubs/index.ts'

/** violations printed in full */
const SHOWN = 30

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    'seconds-per-round': { type: 'string', default: '2' },
    /** `built`, or one of hubs/ */
    hub: { type: 'string', default: 'built' },
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
const secondsPerRound = Number(values['seconds-per-round'])
const program = hubs.get(values.hub)
if (values.hub !== 'built' && !program) throw new Error(`--hub is built, ${[...hubs.keys()].join(' or ')}`)

const result = await crashLoop({ rounds, seed, secondsPerRound, ...(program ? { program } : {}) })
print(result)
process.exitCode = result.violations.length === 0 ? 0 : 1

function print({ violations, figures, kept }: LoopResult): void {
  for (const [name, value] of Object.entries(figures)) say(`${name.padEnd(16)}${JSON.stringify(value)}`)
  say(`${'violations'.padEnd(16)}${violations.length}`)
  if (violations.length === 0) return
  const kinds = new Map<string, number>()
  for (const { kind } of violations) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  for (const [kind, count] of kinds) say(`  ${kind.padEnd(20)}${count}`)
  for (const { kind, what } of violations.slice(0, SHOWN)) say(`${kind}: ${what}`)
  say(
    `again: npm run crash -- --rounds ${rounds} --seed ${seed} --seconds-per-round ${secondsPerRound} --hub ${values.hub}`,
  )
  say(`config, data and history: ${kept}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
