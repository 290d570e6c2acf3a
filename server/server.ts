/** The only wiring: store → directory → hub → doors, and back again. */
import { type Clock, systemClock } from './ground/clock.ts'
import type { Config } from './config.ts'
import { writeTimeoutOf } from './config/server-section.ts'
import { connectionsOf, tellOfDrops } from './ports/connections.ts'
import { createAttempts } from './directory/attempts.ts'
import { loadDirectory } from './directory/directory.ts'
import { loadTokens, type Tokens } from './directory/tokens.ts'
import { createApp } from './http/app.ts'
import { createHub, type HubOptions } from './hub/hub.ts'
import { compilePlans } from './hub/plan.ts'
import { createPort, type Port, type PortLimits, upgradeOnly } from './ports/listen.ts'
import type { Log } from './ground/log.ts'
import { openLog } from './log/open.ts'
import { Mistake } from './ground/mistake.ts'
import { configuredRecipients } from './recipients.ts'
import { loggedRequests } from './ports/request-log.ts'
import { createLowdbStore } from './store/lowdb/store.ts'
import { type RetentionOptions, startRetention } from './store/retention.ts'
import { type Store, StoreFull } from './store/store.ts'
import { readVersion } from './ground/version.ts'
import { createSocketDoor } from './ws/server.ts'

const DAY_MS = 24 * 3_600_000
const FAILED = 'the disk cannot be trusted any more: nothing is accepted until a restart'

export interface RunningServer {
  /** `http://127.0.0.1:9093` */
  readonly url: string
  /** `ws://127.0.0.1:9093` */
  readonly wsUrl: string
  /** Takes nothing new, answers waiting senders, says 1012 to sockets, closes the store: within 5 s. */
  close(): Promise<void>
}

/** What a program that runs a hub inside itself may bring along. */
export interface Parts {
  readonly clock?: Clock
  readonly store?: Store
  readonly log?: Log
  /** The disk can no longer be trusted: nothing more is accepted until a restart. Without it, only the log says so. */
  readonly onFailed?: (error: Error) => void
}

/**
 * Starts a hub and waits until it listens.
 * @throws PortTaken, LogUnwritable, StoreLocked, StoreCorrupt, StoreVersion, Mistake where the data folder cannot be
 * used; what was opened before is closed again
 */
export async function startServer(config: Config, parts: Parts = {}): Promise<RunningServer> {
  const closers: (() => void | Promise<void>)[] = []
  async function close(): Promise<void> {
    for (const undo of closers.splice(0).toReversed()) await undo()
  }
  try {
    const { url, wsUrl } = await open(config, parts, (undo) => void closers.push(undo))
    return { url, wsUrl, close }
  } catch (error) {
    await close()
    throw error
  }
}

type OnClose = (undo: () => void | Promise<void>) => void

/** Each part says how it is closed as soon as it is open; the last one opened is closed first. */
async function open(config: Config, parts: Parts, onClose: OnClose): Promise<{ url: string; wsUrl: string }> {
  const { clock = systemClock, log = ownLog(config, onClose) } = parts
  const { onFailed = (error) => log.fatal({ err: error }, FAILED) } = parts
  const store = parts.store ?? createLowdbStore({ dir: config.data, clock, log, onFailed })
  await usable(config, openStore(store, log))
  onClose(() => store.close())

  const directory = await usable(config, loadDirectory(store, configuredRecipients(config)))
  const { token: hubToken, adminToken } = config
  const tokens = await usable(config, loadTokens({ hubToken, adminToken, store, now: () => clock.now() }))
  const hub = createHub({
    store,
    directory,
    plans: compilePlans(config.reaches),
    clock,
    log,
    hubToken,
    retryMs: config.websocket.retryTimeout,
    room: { count: config.inbox.maxMessages, bytes: config.inbox.maxBytes },
    queue: queueOf(config),
    confirmUrl: confirmLinks(config, tokens),
    keepMs: config.retention.days === null ? null : config.retention.days * DAY_MS,
  })

  const attempts = createAttempts({ limits: config.limits, trustProxy: config.trustProxy, clock, log })
  const shared = { hub, store, directory, tokens, attempts, fcm: config.fcm, clock, log }
  const expireMs = config.expire === null ? null : config.expire * 1000
  const { mode } = config.server
  const doorLog = mode === 'test' ? log.child({}, { level: 'silent' }) : log
  const api = { token: config.api.token ?? null, dialect: config.server.dialect }
  const settings = { ...config.http, expireMs }
  const app = createApp({ ...shared, log: doorLog, version: readVersion(), settings, api })
  const sockets = createSocketDoor(
    { ...shared, settings: { ...config.websocket, cors: config.http.cors, expireMs } },
    config.websocket.maxFrame,
  )

  const handle = mode === 'debug' ? loggedRequests(app.callback(), log, clock) : app.callback()
  const limits = limitsOf(config, connectionsOf(config.limits.connections, hasOwnPort(config) ? 2 : 1, log))
  const http = createPort(handle, 'http.port', limits)
  const own = hasOwnPort(config) ? createPort(upgradeOnly, 'websocket.port', limits) : null
  sockets.attach((own ?? http).server)
  const ports = own ? [http, own] : [http]
  for (const { server } of ports) tellOfDrops(server, clock, log)

  onClose(async () => void (await Promise.all(ports.map((port) => port.drain()))))
  onClose(() => sockets.close())
  onClose(() => hub.stop())
  onClose(() => ports.forEach((port) => port.refuseNew()))
  onClose(startRetention({ store, clock, log, keep: keepOf(config), everyMs: config.task.cleanup_interval }))

  await hub.start()
  return listen(config, http, own)
}

/** What reads and writes the data folder at a start. @throws Mistake where the disk is at fault */
async function usable<T>({ data }: Config, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const why = diskTroubleOf(error)
    if (why === null) throw error
    throw new Mistake(`the data folder ${data} cannot be used: ${why}`, { cause: error })
  }
}

/** What a disk or file system said that an error comes from; null where none did. */
function diskTroubleOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  return 'syscall' in error || error instanceof StoreFull ? error.message : diskTroubleOf(error.cause)
}

async function openStore(store: Store, log: Log): Promise<void> {
  const { torn } = await store.open()
  for (const file of torn)
    log.warn({ file }, 'the end of a journal was torn by a crash; what was cut is kept in this file')
}

async function listen(config: Config, http: Port, own: Port | null): Promise<{ url: string; wsUrl: string }> {
  const { host } = config.http
  const port = await http.listen(host, config.http.port)
  const socketPort = own ? await own.listen(host, config.websocket.port ?? 0) : port
  const reached = reachable(host)
  return { url: `http://${reached}:${port}`, wsUrl: `ws://${reached}:${socketPort}` }
}

function hasOwnPort({ http, websocket }: Config): boolean {
  return websocket.port !== undefined && websocket.port !== http.port
}

/** How this machine itself reaches the host that it listens on. */
function reachable(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function queueOf({ queue }: Config): HubOptions['queue'] {
  return {
    workers: queue.worker_count,
    perPlatform: queue.max_concurrent_per_platform,
    batch: queue.batch_size,
    room: queue.buffer_size,
    timeoutMs: queue.timeout * 1000,
  }
}

function confirmLinks({ publicUrl }: Config, tokens: Tokens): HubOptions['confirmUrl'] {
  if (publicUrl === undefined) return null
  const base = publicUrl.replace(/\/+$/, '')
  return (mid, recipient, via) => `${base}/confirm/${tokens.signConfirm({ mid, recipient, via })}`
}

function limitsOf({ http, server }: Config, maxConnections: number): PortLimits {
  return {
    maxConnections,
    maxUrl: http.maxUrl,
    maxHeaders: server.max_header_bytes,
    readMs: server.read_timeout * 1000,
    writeMs: writeTimeoutOf(server, http.waitTimeout),
  }
}

/** Of two ages the shorter one. */
function keepOf({ retention, task }: Config): RetentionOptions['keep'] {
  const ageMs = Math.min(retention.days === null ? Infinity : retention.days * DAY_MS, task.max_age ?? Infinity)
  return {
    ...(ageMs === Infinity ? {} : { ageMs }),
    ...(retention.messages === null ? {} : { count: retention.messages }),
    ...(retention.bytes === null ? {} : { bytes: retention.bytes }),
  }
}

function ownLog({ log: settings }: Config, onClose: OnClose): Log {
  const { log, close } = openLog(settings)
  onClose(close)
  return log
}
