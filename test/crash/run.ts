/**
 * `npm run crash -- --rounds N --seed S [--seconds-per-round X] [--hub NAME] [--outbound]`: exit 1 when the hub broke
 * a promise. `--outbound`: of what goes out through robots and webhooks, in place of sessions.
 */
import { parseArgs } from 'node:util'
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
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
const secondsPerRound = Number(values['seconds-per-round'])
const [loop, others] = values.outbound ? [outboundLoop, new Map([...hubs, ...faultyHubs])] : [crashLoop, hubs]
const program = others.get(values.hub)
if (values.hub !== 'built' && !program) throw new Error(`--hub is built, ${[...others.keys()].join(' or ')}`)

const result = await loop({ rounds, seed, secondsPerRound, ...(program ? { program } : {}) })
print(result)
process.exitCode = result.violations.length === 0 ? 0 : 1

function print({ violations, figures, kept }: Awaited<ReturnType<typeof loop>>): void {
  for (const [name, value] of Object.entries(figures)) say(`${name.padEnd(16)}${JSON.stringify(value)}`)
  say(`${'violations'.padEnd(16)}${violations.length}`)
  if (violations.length === 0) return
  const kinds = new Map<string, number>()
  for (const { kind } of violations) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  for (const [kind, count] of kinds) say(`  ${kind.padEnd(20)}${count}`)
  for (const { kind, what } of violations.slice(0, SHOWN)) say(`${kind}: ${what}`)
  const how = `--hub ${values.hub}${values.outbound ? ' --outbound' : ''}`
  say(`again: npm run crash -- --rounds ${rounds} --seed ${seed} --seconds-per-round ${secondsPerRound} ${how}`)
  say(`config, data and history: ${kept}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
