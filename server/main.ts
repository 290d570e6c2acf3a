#!/usr/bin/env node
/** The program: reads the config, starts the server, stops on signals. */
import { bannerOf } from './banner.ts'
import { BadArguments, readArguments, USAGE } from './cli/arguments.ts'
import { testChannel, UnknownName } from './cli/channel-test.ts'
import { reportOf } from './cli/config-check.ts'
import { ConfigMistakes, type Flags, type ReadConfig, readConfig } from './config.ts'
import { PortTaken } from './listen.ts'
import { LogUnwritable } from './log/files.ts'
import { openLog, type OpenLog } from './log/open.ts'
import { type RunningServer, startServer } from './server.ts'
import { StoreCorrupt, StoreLocked, StoreVersion } from './store/store.ts'
import { readVersion } from './version.ts'

const STOP_MS = 5_000

process.umask(0o077)
run(process.argv.slice(2)).catch(giveUp)

async function run(words: readonly string[]): Promise<void> {
  const command = readArguments(words)
  switch (command.name) {
    case 'help':
      return say(USAGE.trimEnd())
    case 'version':
      return say(readVersion())
    case 'config check':
      return say(reportOf(await look(command.flags)))
    case 'channel test': {
      const { config } = await look(command.flags)
      return end((await testChannel(config, command, say)) ? 0 : 1)
    }
    case 'serve':
      return serve(command.flags)
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Once all is printed; connections that are kept for later do not hold it. */
function end(exitCode: number): void {
  process.stdout.write('', () => process.exit(exitCode))
}

/** Reads the config and leaves the data directory as it is, so a hub may run on it. */
function look(flags: Flags): Promise<ReadConfig> {
  return readConfig({ flags, env: process.env, cwd: process.cwd(), readOnly: true })
}

async function serve(flags: Flags): Promise<void> {
  const { config, file, kept, warnings } = await readConfig({ flags, env: process.env, cwd: process.cwd() })
  const logs = openLog(config.log)
  const { log } = logs
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
  stopOnSignals(server, logs)
  log.info({ url: server.url, wsUrl: server.wsUrl, host: config.http.host ?? 'all interfaces' }, 'listening')
  if (config.log.output !== 'stdout') process.on('SIGHUP', () => logs.reopen())
  if (config.log.output === 'file') {
    process.stderr.write(`carillon: listening on ${server.url}, the log is in ${config.log.file_path}\n`)
  }
  if (file === null && kept) process.stderr.write(`${bannerOf(server, kept)}\n`)
}

function stopOnSignals(server: RunningServer, { log, close }: OpenLog): void {
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
    await close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop(signal).catch(giveUp))
}

/** What the operator can mend is said in words, all else with its stack. */
function giveUp(error: unknown): never {
  const expected = [
    ConfigMistakes,
    BadArguments,
    UnknownName,
    LogUnwritable,
    PortTaken,
    StoreLocked,
    StoreCorrupt,
    StoreVersion,
  ]
  const isExpected = expected.some((kind) => error instanceof kind)
  const text =
    isExpected && error instanceof Error ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`carillon: ${text}\n`)
  process.exit(exitCodeOf(error))
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UnknownName) return 2
  return error instanceof BadArguments ? error.exitCode : 1
}
