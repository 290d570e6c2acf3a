/** The options by which the server and the operator's commands find the config. */
import type { Flags } from '../config.ts'
import { BadArguments } from './arguments.ts'
import type { Options } from './command.ts'

export const configOptions = {
  config: {
    type: 'string',
    value: 'FILE',
    about: 'config file, JSON5 or YAML (else config.json, config.yaml, config/config.yaml, config/config.json)',
  },
  data: { type: 'string', value: 'DIR', about: 'directory of everything that survives a restart (./data)' },
} as const satisfies Options

export const serverOptions = {
  ...configOptions,
  port: { type: 'string', value: 'N', about: 'port to listen on (9093)' },
  host: {
    type: 'string',
    value: 'H',
    about: 'address to listen on (127.0.0.1 without a config file, all interfaces with one)',
  },
} as const satisfies Options

interface Values {
  readonly config?: string | undefined
  readonly data?: string | undefined
  readonly port?: string | undefined
  readonly host?: string | undefined
}

/** @throws BadArguments */
export function flagsOf({ config, data, port, host }: Values): Flags {
  return { config, data, host, port: port === undefined ? undefined : portOf(port) }
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new BadArguments(`--port is a number from 0 to 65535, not ${text}`)
  return Number(text)
}
