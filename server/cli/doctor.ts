/** `carillon doctor`: looks at all that a hub depends on, sends nothing, changes nothing. */
import { ConfigMistakes, type ReadConfig, readConfig } from '../config.ts'
import { defineCommand } from './command.ts'
import { disk } from './doctor/disk.ts'
import { fault, type Finding, ok, warning } from './doctor/finding.ts'
import { ports } from './doctor/ports.ts'
import { reachable } from './doctor/reach.ts'
import { time } from './doctor/time.ts'
import { tokens } from './doctor/tokens.ts'
import { flagsOf, serverOptions } from './flags.ts'
import { print, printable, printJson } from './output.ts'

export default defineCommand({
  name: 'doctor',
  usage: 'doctor',
  summary: 'Looks at config, tokens, disk, clock, ports and the servers of the channels',
  notes: ['Nothing is sent and nothing is changed; a hub may be running. Exit code 1: something will not work.'],
  options: { ...serverOptions, json: { type: 'boolean', about: 'print one JSON object per finding' } },
  async run({ values }) {
    let worst = 0
    for await (const finding of findings(flagsOf(values))) {
      if (finding.level === 'fault') worst = 1
      await (values.json ? printJson(finding) : print(lineOf(finding)))
    }
    return worst === 0 ? 0 : 1
  },
})

/** In the order in which somebody would mend them; nothing more can be known without a config. */
async function* findings(flags: ReturnType<typeof flagsOf>): AsyncGenerator<Finding> {
  let read: ReadConfig
  try {
    read = await readConfig({ flags, env: process.env, cwd: process.cwd(), readOnly: true })
  } catch (error) {
    if (!(error instanceof ConfigMistakes)) throw error
    yield fault('config', error.message)
    return
  }
  const { config, file, warnings } = read
  yield ok('config', file ?? 'no file, only defaults, environment and flags')
  for (const line of warnings) yield warning('config', line)
  yield* tokens(read)
  yield* await disk(config.data)
  yield* await time(config.data, Date.now())
  yield* await ports(config)
  yield* await reachable(config.reaches)
}

function lineOf({ level, about, text }: Finding): string {
  return `${level.padEnd(8)}${about}: ${text.split('\n').map(printable).join('\n        ')}`
}
