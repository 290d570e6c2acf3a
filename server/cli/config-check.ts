/** `carillon config check`: what was read, and whom it reaches. Names only, never an address or a secret. */
import type { Reach } from '../channels/reach.ts'
import type { ReadConfig } from '../config.ts'
import { wireName } from '../protocol/address.ts'

/** Of a config without mistakes: the file, warnings, and each recipient with its endpoints. */
export function reportOf({ config, file, warnings }: ReadConfig): string {
  return [
    `ok: ${file ?? 'no config file, only defaults, environment and flags'}`,
    ...warnings.map((line) => `warning: ${line}`),
    ...config.reaches.flatMap(linesOf),
  ].join('\n')
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
