/** The hub as a command: reads the config, starts the server, stops on signals. */
import { bannerOf } from './banner.ts'
import { defineCommand, type ExitCode } from './cli/command.ts'
import { flagsOf, serverOptions } from './cli/flags.ts'
import { type Flags, readConfig } from './config.ts'
import { openLog, type OpenLog } from './log/open.ts'
import { type RunningServer, startServer } from './server.ts'

const STOP_MS = 5_000
/** for answers that say that the disk failed */
const LAST_ANSWERS_MS = 100

export default defineCommand({
  name: 'serve',
  usage: 'serve',
  summary: 'Runs the hub',
  notes: [
    'Every key of the config can also be set in the environment: CARILLON_HTTP__PORT=9093.',
    'One dash is enough, as in PushServer: -config FILE.',
  ],
  options: serverOptions,
  run: ({ values }) => serve(flagsOf(values)),
})

/** Resolves when the hub was stopped by a signal. */
async function serve(flags: Flags): Promise<ExitCode> {
  process.umask(0o077)
  // a command ends with whoever reads what it prints; a hub goes on without a terminal
  process.stdout.removeAllListeners('error')
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
      setTimeout(() => process.exit(1), LAST_ANSWERS_MS)
    },
  })
  const stopped = stopOnSignals(server, logs)
  log.info({ url: server.url, wsUrl: server.wsUrl, host: config.http.host ?? 'all interfaces' }, 'listening')
  if (config.log.output !== 'stdout') process.on('SIGHUP', () => logs.reopen())
  if (config.log.output === 'file') {
    process.stderr.write(`carillon: listening on ${server.url}, the log is in ${config.log.file_path}\n`)
  }
  if (file === null && kept) process.stderr.write(`${bannerOf(server, kept)}\n`)
  await stopped
  return 0
}

/** Resolves when the first signal has ended all that runs. */
function stopOnSignals(server: RunningServer, { log, close }: OpenLog): Promise<void> {
  async function stop(signal: string): Promise<void> {
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.error('the hub did not stop in time')
      process.exit(1)
    }, STOP_MS).unref()
    await server.close()
    log.info('stopped')
    await close()
  }
  return new Promise((resolve) => {
    let stopping = false
    for (const name of ['SIGTERM', 'SIGINT']) {
      process.on(name, () => {
        if (stopping) return
        stopping = true
        resolve(stop(name))
      })
    }
  })
}
