/** Starts the servers that are measured. */
import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnHub } from '../../helpers/process.ts'
import { nodeOnServerCore } from './cores.ts'
import { type Loop, takeLoop } from './loop.ts'

export const sides = ['hub', 'koa', 'node'] as const
export type Side = (typeof sides)[number]

const builtHub = new URL('../../../dist/server/main.js', import.meta.url).pathname
const recorder = new URL('recorder.js', import.meta.url).href
const baselines = {
  koa: new URL('koa.ts', import.meta.url).pathname,
  node: new URL('node.ts', import.meta.url).pathname,
}

/** What `npm start` gives the hub. */
const HUB_FLAGS = ['--max-semi-space-size=32']
export const TOKEN = 'bench'

export interface ServerOptions {
  /** for its config, what it tells of itself, and data unless told */
  readonly dir: string
  /** flags of Node */
  readonly flags?: readonly string[]
  /** the hub's data directory; a new one unless told */
  readonly data?: string
  /** any free one unless told */
  readonly port?: number
  /** more of the hub's config */
  readonly config?: object
  /** its program, if not the one in `dist` */
  readonly hub?: string
}

export interface Server {
  readonly port: number
  readonly pid: number
  readonly data: string
  /** from the start of its process until it listened */
  readonly startMs: number
  /** What its event loop did since the last call, or since the start. */
  loop(): Promise<Loop>
  /** Differs after each checkpoint: when it ended, in ms. */
  checkpoint(): number
  /** Ends it in peace; it has written its profile then. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** The hub as its users run it, but for AUTH without a token: the baselines ask for none. */
export function startHub(options: ServerOptions): Promise<Server> {
  const { dir, data = mkdtempSync(join(dir, 'data-')), hub = builtHub, port = 0 } = options
  const file = join(dir, 'config.json')
  const config = { token: TOKEN, http: { host: '127.0.0.1', port }, websocket: { verifyToken: false } }
  writeFileSync(file, JSON.stringify({ ...config, ...options.config }), { mode: 0o600 })
  const program = [...HUB_FLAGS, ...(options.flags ?? []), hub]
  return start({ dir, data, program, args: ['--config', file, '--data', data] })
}

/** @param even with the hub's flags of Node */
export function startBaseline(side: keyof typeof baselines, even: boolean, options: ServerOptions): Promise<Server> {
  const { dir, flags = [] } = options
  const program = [...(even ? HUB_FLAGS : []), ...flags, '--import', 'tsx', baselines[side]]
  return start({ dir, data: dir, program, args: [] })
}

interface Started {
  readonly dir: string
  readonly data: string
  readonly program: readonly string[]
  readonly args: string[]
}

async function start({ dir, data, program, args }: Started): Promise<Server> {
  const loopFile = join(dir, 'loop.json')
  const startedAt = performance.now()
  const { child, listening } = spawnHub(
    args,
    { BENCH_LOOP: loopFile },
    ['--import', recorder, ...program],
    undefined,
    nodeOnServerCore(),
  )
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const { port, stop } = await listening
  const startMs = performance.now() - startedAt
  const { pid } = child
  if (pid === undefined) throw new Error('the server has no process')
  return {
    port,
    pid,
    data,
    startMs,
    loop: () => takeLoop(pid, loopFile),
    checkpoint: () => statSync(join(data, 'manifest.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    stop: async () => void (await stop()),
    kill: async () => void (await stop('SIGKILL')),
  }
}
