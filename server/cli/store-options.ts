/** What the commands of the store have in common: where the data folder is. */
import { readConfig } from '../config.ts'
import type { Options } from './command.ts'
import { configOptions, flagsOf } from './flags.ts'

export const storeOptions = {
  ...configOptions,
  json: { type: 'boolean', about: 'print one JSON object' },
} as const satisfies Options

/** As the command line says, else as the config does. @throws ConfigMistakes */
export async function dataFolder(values: { readonly config?: string; readonly data?: string }): Promise<string> {
  if (values.data !== undefined) return values.data
  const { config } = await readConfig({ flags: flagsOf(values), env: process.env, cwd: process.cwd(), readOnly: true })
  return config.data
}
