/** `carillon config check`: what was read, and whom it reaches. Names only, never an address or a secret. */
import type { Reach } from '../channels/reach.ts'
import { type ReadConfig, readConfig } from '../config.ts'
import { wireName } from '../protocol/address.ts'
import { defineCommand } from './command.ts'
import { flagsOf, serverOptions } from './flags.ts'
import { print, printJson } from './output.ts'

export default defineCommand({
  name: 'config check',
  usage: 'config check',
  summary: 'Looks for every mistake in the config, starts nothing',
  options: { ...serverOptions, json: { type: 'boolean', about: 'print one JSON object' } },
  async run({ values }) {
    const read = await readConfig({ flags: flagsOf(values), env: process.env, cwd: process.cwd(), readOnly: true })
    await (values.json ? printJson(summaryOf(read)) : print(reportOf(read)))
    return 0
  },
})

/** Of a config without mistakes: the file, warnings, and each recipient with its endpoints. */
export function reportOf({ config, file, warnings }: ReadConfig): string {
  return [
    `ok: ${file ?? 'no config file, only defaults, environment and flags'}`,
    ...warnings.map((line) => `warning: ${line}`),
    ...config.reaches.flatMap(linesOf),
  ].join('\n')
}

/** The same as values: no platform holds more than names. */
function summaryOf({ config, file, warnings }: ReadConfig) {
  const recipients = config.reaches.map(({ recipient, name, groups, strategy, platforms }) => ({
    recipient: wireName(recipient),
    name,
    groups: groups.map((group) => wireName(group)),
    strategy,
    platforms: Object.fromEntries(
      platforms.map(({ channel, endpoints }) => [channel, endpoints.map((one) => one.name)]),
    ),
  }))
  return { ok: true, file, warnings, recipients }
}

function linesOf({ recipient, name, groups, strategy, platforms }: Reach): readonly string[] {
  const alias = wireName(recipient)
  const facts = [
    ...(name === alias ? [] : [name]),
    ...(groups.length === 0 ? [] : [`in ${groups.join(', ')}`]),
    ...(strategy === null ? [] : [`by ${strategy}`]),
  ]
  return [
    facts.length === 0 ? alias : `${alias}: ${facts.join(', ')}`,
    ...platforms.map(({ channel, endpoints }) => `  ${channel}: ${endpoints.map((one) => one.name).join(', ')}`),
    ...(platforms.length === 0 ? ['  no platform'] : []),
  ]
}
