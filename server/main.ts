/** The program: reads the config, starts the server, stops on signals. */
import { parseArgs } from 'node:util'
import { bannerOf } from './banner.ts'
import { ConfigMistakes, type Flags, readConfig } from './config.ts'
import { PortTaken } from './listen.ts'
import { createLog, type Log } from './log.ts'
import { type RunningServer, startServer } from './server.ts'
import { StoreCorrupt, StoreLocked, StoreVersion } from './store/store.ts'
import { readVersion } from './version.ts'

const STOP_MS = 5_000
const USAGE = `carillon [serve] [options]

  --config FILE   config file, JSON5 or YAML (else config.json, config.yaml, config/config.yaml, config/config.json)
  --data DIR      directory of everything that survives a restart (./data)
  --port N        port to listen on (9093)
  --host H        address to listen on (127.0.0.1 without a config file, all interfaces with one)
  --version       print the version
  --help          print this

Every key of the config can also be set in the environment: CARILLON_HTTP__PORT=9093.
`

/** A command line that cannot be understood. */
class BadArguments extends Error {
  override readonly name = 'BadArguments'
}

process.umask(0o077)
run(process.argv.slice(2)).catch(giveUp)

async function run(words: readonly string[]): Promise<void> {
  const { help, version, ...flags } = readArguments(words)
  if (help) return void process.stdout.write(USAGE)
  if (version) return void process.stdout.write(`${readVersion()}\n`)
  await serve(flags)
}

async function serve(flags: Flags): Promise<void> {
  const { config, file, kept, warnings } = await readConfig({ flags, env: process.env, cwd: process.cwd() })
  const log = createLog(config.log.level)
  if (file !== null) log.info({ file }, 'the config was read')
  for (const warning of warnings) log.warn(warning)

  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'a fault in the program')
    process.exit(1)
  })
  const server = await startServer(config, {
    log,
    onFailed(error) {
      log.fatal(
        { err: error },
        'the disk cannot be trusted any more: nothing more is accepted; look at the disk, then start again',
      )
      process.exit(1)
    },
  })
  stopOnSignals(server, log)
  log.info({ url: server.url, wsUrl: server.wsUrl, host: config.http.host ?? 'all interfaces' }, 'listening')
  if (file === null && kept) process.stderr.write(`${bannerOf(server, kept)}\n`)
}

function stopOnSignals(server: RunningServer, log: Log): void {
  let stopping = false
  async function stop(signal: string): Promise<void> {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.error('the hub did not stop in time')
      process.exit(1)
    }, STOP_MS).unref()
    await server.close()
    log.info('stopped')
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop(signal).catch(giveUp))
}

/** @throws BadArguments */
function readArguments(words: readonly string[]): Flags & { help: boolean; version: boolean } {
  // one dash is enough, as in PushServer
  const args = words.map((word) => word.replace(/^-(?=(config|data|port|host|help|version)(=|$))/, '--'))
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        data: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
      },
    })
    const [word = 'serve', ...more] = positionals
    if (word !== 'serve' || more.length > 0) throw new Error(`there is no command ${positionals.join(' ')}`)
    return { ...values, port: portOf(values.port) }
  } catch (error) {
    throw new BadArguments(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,5}$/.test(text)) throw new Error(`--port is a number from 0 to 65535, not ${text}`)
  return Number(text)
}

/** What the operator can mend is said in words, all else with its stack. */
function giveUp(error: unknown): never {
  const expected = [ConfigMistakes, BadArguments, PortTaken, StoreLocked, StoreCorrupt, StoreVersion]
  const isExpected = expected.some((kind) => error instanceof kind)
  const text =
    isExpected && error instanceof Error ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`carillon: ${text}\n`)
  process.exit(1)
}
