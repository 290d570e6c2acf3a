/**
 * Measures the hub beside the baselines, in turns, and says whether the goals are met.
 *
 *   npm run bench -- [--rounds N] [--seconds N] [--only CASE]... [--side SIDE]... [--even] [--noisy] [--scale N]
 *                    [--hub FILE] [--json FILE] [--profile]
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { type CaseName, caseNames, cases } from './cases/cases.ts'
import { makeScratch } from './disk.ts'
import { judge } from './goals.ts'
import { carryOut } from './order.ts'
import { profileSummary } from './profile.ts'
import type { Run } from './runs.ts'
import { pinning } from './servers/cores.ts'
import { type Side, sides } from './servers/start.ts'
import { caseTable, runLines, verdictLine } from './table.ts'

const INTERRUPTED = 130
/** open files that a process has beside its clients */
const OTHER_FILES = 300

const optionsSchema = z.object({
  rounds: z.coerce.number().int().positive().default(3),
  seconds: z.coerce.number().positive().default(4),
  scale: z.coerce.number().positive().max(1).default(1),
  only: z.array(z.enum(caseNames)).default([...caseNames]),
  side: z.array(z.enum(sides)).default([...sides]),
  hub: z.string().optional(),
  json: z.string().optional(),
  profile: z.boolean().default(false),
  even: z.boolean().default(false),
  noisy: z.boolean().default(false),
})

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    scale: { type: 'string' },
    only: { type: 'string', multiple: true },
    side: { type: 'string', multiple: true },
    hub: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'boolean' },
    even: { type: 'boolean' },
    noisy: { type: 'boolean' },
  },
})
const options = optionsSchema.parse(values)

async function measure(name: CaseName, side: Side, round: number): Promise<Run> {
  const { seconds, scale, profile, even, hub } = options
  const dir = mkdtempSync(join(scratch.path, `${name}-${side}-`))
  const measured = await carryOut({ case: name, side, seconds, scale, dir, shared: scratch.path, profile, even, hub })
  const run: Run = { round, case: name, side, ...measured }
  console.log(runLines(run).join('\n'))
  if (profile) console.log(profileSummary(dir))
  return run
}

/** Node raises its own limit to the highest it may. */
function openFiles(): number {
  return Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity)
}

/** The cases that this machine lets run. */
function possible(): CaseName[] {
  const limit = openFiles()
  return options.only.filter((name) => {
    const needed = Math.round(cases[name].clients * options.scale) + OTHER_FILES
    if (needed <= limit) return true
    console.log(`${name} is left out: it needs ${needed} open files, and the limit is ${limit} (ulimit -Hn)`)
    return false
  })
}

process.once('SIGINT', () => process.exit(INTERRUPTED))
process.once('SIGTERM', () => process.exit(INTERRUPTED))
const scratch = makeScratch()
const machine = {
  cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  system: `${process.platform} ${release()}`,
  node: process.version,
  disk: scratch.kind,
  pinning,
}
console.log(`${machine.cpu}, ${machine.system}, Node ${machine.node}`)
console.log(`the hub's data on ${scratch.kind} (${scratch.path}); ${machine.pinning ?? 'processes are not pinned'}`)
if (options.profile) console.log('profiling slows the servers: these figures do not count')
if (options.scale < 1) console.log('the cases are made small: these figures do not count')

const names = possible()
const runs: Run[] = []
for (let round = 1; round <= options.rounds; round++) {
  for (const name of names) {
    for (const side of cases[name].sides.filter((one) => options.side.includes(one))) {
      runs.push(await measure(name, side, round))
    }
  }
}

for (const name of names) console.log(`\n${caseTable(runs, name)}`)
const verdicts = judge(runs, options.noisy)
console.log(`\n${verdicts.map(verdictLine).join('\n')}`)
if (options.json)
  writeFileSync(options.json, JSON.stringify({ at: new Date(), machine, options, runs, verdicts }, null, 2))
process.exitCode = verdicts.some(({ met }) => met === false) ? 1 : 0
