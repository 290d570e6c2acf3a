/** What the program is asked to do, as its command line says it. */
import { parseArgs } from 'node:util'
import type { Flags } from '../config.ts'

export const USAGE = `carillon [serve] [options]          run the hub
carillon config check [options]     look for every mistake in the config, start nothing
carillon channel test NAME [options]
                                    send a test message to the recipient NAME, or through all of the channel NAME

  --config FILE   config file, JSON5 or YAML (else config.json, config.yaml, config/config.yaml, config/config.json)
  --data DIR      directory of everything that survives a restart (./data)
  --port N        port to listen on (9093)
  --host H        address to listen on (127.0.0.1 without a config file, all interfaces with one)
  --platform P    channel test: only through this platform of the recipient
  --version       print the version
  --help          print this

Every key of the config can also be set in the environment: CARILLON_HTTP__PORT=9093.
`

export type Command =
  | { readonly name: 'help' | 'version' }
  | { readonly name: 'serve' | 'config check'; readonly flags: Flags }
  | {
      readonly name: 'channel test'
      readonly flags: Flags
      /** a recipient or a channel */
      readonly target: string
      readonly platform: string | undefined
    }

/** A command line that cannot be understood. */
export class BadArguments extends Error {
  override readonly name = 'BadArguments'
  /** 2 for `channel test`, whose 1 means that something was not delivered */
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2) {
    super(message)
    this.exitCode = exitCode
  }
}

/** @throws BadArguments */
export function readArguments(words: readonly string[]): Command {
  try {
    return commandOf(words)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new BadArguments(`${text}\n\n${USAGE}`, words.includes('channel') ? 2 : 1)
  }
}

function commandOf(words: readonly string[]): Command {
  // one dash is enough, as in PushServer
  const args = words.map((word) => word.replace(/^-(?=(config|data|port|host|platform|help|version)(=|$))/, '--'))
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      platform: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', default: false },
    },
  })
  const { help, version, platform, ...rest } = values
  if (help) return { name: 'help' }
  if (version) return { name: 'version' }
  const flags = { ...rest, port: portOf(values.port) }

  const said = positionals.join(' ')
  const [first, second, target, ...more] = positionals
  if (first === 'channel' && second === 'test' && more.length === 0) {
    if (target === undefined) throw new Error('channel test needs the NAME of a recipient or channel')
    return { name: 'channel test', flags, target, platform }
  }
  if (platform !== undefined) throw new Error('--platform belongs to channel test')
  if (said === '' || said === 'serve') return { name: 'serve', flags }
  if (said === 'config check') return { name: 'config check', flags }
  throw new Error(`there is no command ${said}`)
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,5}$/.test(text)) throw new Error(`--port is a number from 0 to 65535, not ${text}`)
  return Number(text)
}
