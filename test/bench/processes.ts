/** Starts what a run needs: one server, and the generator beside it, each on a core of its own. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type HubProcess, spawnHub } from '../helpers/process.ts'
import type { Side } from './cases.ts'
import { type Figures, figuresSchema, type Order } from './generator/load.ts'

const SERVER_CORE = 0
const GENERATOR_CORE = 1
const hub = fileOf('../../dist/server/main.js')
const baseline = fileOf('baseline.ts')
const generator = fileOf('generator/main.ts')

/** What `npm start` gives the hub. */
const HUB_FLAGS = ['--max-semi-space-size=32']

/** No token in AUTH, as the baseline asks for none; all else as it comes. */
const HUB_CONFIG = { token: 'bench', http: { host: '127.0.0.1', port: 0 }, websocket: { verifyToken: false } }

export interface ServerOptions {
  /** where the hub's data goes, and profiles */
  readonly dir: string
  readonly profile: boolean
  /** the baseline gets the hub's flags of Node, too */
  readonly even: boolean
}

export interface Server {
  readonly port: number
  readonly pid: number
  /** Ends it in peace; it has written its profile then. */
  stop(): Promise<void>
}

/** A fresh server; the hub with an empty data directory. */
export async function startServer(side: Side, { dir, profile, even }: ServerOptions): Promise<Server> {
  const flags = [
    ...(side === 'hub' || even ? HUB_FLAGS : []),
    ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${dir}`] : []),
  ]
  const { child, listening } =
    side === 'hub'
      ? spawnHub(hubArguments(dir), {}, [...flags, hub])
      : spawnHub([], {}, [...flags, '--import', 'tsx', baseline])
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const started: HubProcess = await listening
  if (child.pid === undefined) throw new Error('the server has no process')
  pin(child.pid, SERVER_CORE)
  return { port: started.port, pid: child.pid, stop: async () => void (await started.stop()) }
}

/** Runs one load against a server. Throws with what the generator printed if it fails. */
export async function generate(order: Order): Promise<Figures> {
  const child = spawn(process.execPath, ['--import', 'tsx', generator, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  if (child.pid !== undefined) pin(child.pid, GENERATOR_CORE)
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')])
  process.off('exit', kill)
  if (child.exitCode !== 0) throw new Error('the generator failed')
  return figuresSchema.parse(JSON.parse(printed))
}

/** How the two sides are kept apart, in words; null: they are not. */
export function pinning(): string | null {
  if (availableParallelism() <= GENERATOR_CORE) return null
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    return `server on core ${SERVER_CORE}, generator on core ${GENERATOR_CORE}`
  } catch {
    return null
  }
}

const pinned = pinning() !== null

function pin(pid: number, core: number): void {
  if (pinned) execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' })
}

function hubArguments(dir: string): string[] {
  const data = mkdtempSync(join(dir, 'data-'))
  const config = join(dir, 'config.json')
  writeFileSync(config, JSON.stringify(HUB_CONFIG), { mode: 0o600 })
  return ['--config', config, '--data', data]
}

function fileOf(path: string): string {
  return new URL(path, import.meta.url).pathname
}
