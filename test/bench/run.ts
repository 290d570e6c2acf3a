/**
 * Measures the hub beside the baseline, in turns, and says whether the goals are met.
 *
 *   npm run bench -- [--rounds N] [--seconds N] [--only CASE]... [--side SIDE] [--even] [--json FILE] [--profile]
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { type CaseName, caseNames, cases, type Side } from './cases.ts'
import { makeScratch } from './disk.ts'
import { judge } from './goals.ts'
import { generate, pinning, startServer } from './processes.ts'
import { profileSummary } from './profile.ts'
import type { Run } from './runs.ts'
import { caseTable, runLine, verdictLine } from './table.ts'

const SIDES: readonly Side[] = ['hub', 'baseline']
const INTERRUPTED = 130

const optionsSchema = z.object({
  rounds: z.coerce.number().int().positive().default(3),
  seconds: z.coerce.number().positive().default(4),
  only: z.array(z.enum(caseNames)).default([...caseNames]),
  side: z.enum(['hub', 'baseline']).optional(),
  json: z.string().optional(),
  profile: z.boolean().default(false),
  even: z.boolean().default(false),
})

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string', multiple: true },
    side: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'boolean' },
    even: { type: 'boolean' },
  },
})
const options = optionsSchema.parse(values)

async function measure(name: CaseName, side: Side, round: number): Promise<Run> {
  const dir = mkdtempSync(join(scratch.path, `${side}-`))
  const server = await startServer(side, { dir, profile: options.profile, even: options.even })
  const figures = await generate({ load: cases[name].load(options.seconds), port: server.port, pid: server.pid })
  await server.stop()
  const run: Run = { round, case: name, side, figures }
  console.log(runLine(run))
  if (options.profile) console.log(profileSummary(dir))
  return run
}

process.once('SIGINT', () => process.exit(INTERRUPTED))
process.once('SIGTERM', () => process.exit(INTERRUPTED))
const scratch = makeScratch()
const machine = {
  cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  system: `${process.platform} ${release()}`,
  node: process.version,
  disk: scratch.kind,
  pinning: pinning(),
}
console.log(`${machine.cpu}, ${machine.system}, Node ${machine.node}`)
console.log(`the hub's data on ${scratch.kind} (${scratch.path}); ${machine.pinning ?? 'processes are not pinned'}`)
if (options.profile) console.log('profiling slows the servers: these figures do not count')

const runs: Run[] = []
for (let round = 1; round <= options.rounds; round++) {
  for (const name of options.only) {
    for (const side of options.side ? [options.side] : SIDES) runs.push(await measure(name, side, round))
  }
}

for (const name of options.only) console.log(`\n${caseTable(runs, name)}`)
const verdicts = judge(runs)
console.log(`\n${verdicts.map(verdictLine).join('\n')}`)
if (options.json)
  writeFileSync(options.json, JSON.stringify({ at: new Date(), machine, options, runs, verdicts }, null, 2))
process.exitCode = verdicts.some(({ met }) => met === false) ? 1 : 0
