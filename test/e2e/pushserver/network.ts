/**
 * A network of the test's own: a namespace in which every port is free, port 8080 too, whatever runs on this
 * machine. Where none can be made, this machine's network stands in for it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Bridge, type Place, startBridge } from './bridge.ts'

const root = join(import.meta.dirname, '../../..')
const gatekeeper = new URL('./gatekeeper.ts', import.meta.url).pathname

/** How it is made and entered: as root, and as anybody who may be root in a namespace of users. */
const ways = [
  { make: 'unshare -n', enter: 'nsenter -n' },
  { make: 'unshare -rn', enter: 'nsenter -U -n --preserve-credentials' },
]
/** The loopback of a new network is down. */
const LOOPBACK = 'ip link set lo up'
const way = ways.find(({ make }) => spawnSync('sh', ['-c', `${make} ${LOOPBACK}`]).status === 0)

/** Whether networks can be made here. */
export const isApart = way !== undefined

export interface Network {
  /** false: this machine's */
  readonly isOwn: boolean
  /** what stands before a command that is to run in it */
  readonly prefix: string
  /** Makes a port of this machine's 127.0.0.1 one of its own, under the same number unless told. */
  admit(port: number, as?: number): Promise<void>
  /** A port of this machine that leads to one of its own. */
  lead(port: number): Promise<number>
  close(): Promise<void>
}

/** @param dir an empty folder, for sockets */
export async function makeNetwork(dir: string): Promise<Network> {
  if (!way) return thisNetwork
  const keep = `exec ${way.make} sh -c '${LOOPBACK} && exec "$@"' sh "$@"`
  const words = [process.execPath, '--import', 'tsx', gatekeeper]
  const keeper = spawn('sh', ['-c', keep, 'sh', ...words], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const say = await talkTo(keeper)
  const bridges: Bridge[] = []
  let count = 0

  /** One bridge on each side, with a socket between them. */
  function socket(): string {
    count += 1
    return join(dir, `${count}.sock`)
  }

  return {
    isOwn: true,
    prefix: `${way.enter} -t ${keeper.pid} --`,
    async admit(port, as = port) {
      const between = socket()
      bridges.push(await startBridge(between, port))
      await say([as, between])
    },
    async lead(port) {
      const between = socket()
      await say([between, port])
      const bridge = await startBridge(0, between)
      bridges.push(bridge)
      return bridge.port
    },
    async close() {
      await Promise.all(bridges.map((bridge) => bridge.close()))
      const ended = once(keeper, 'exit')
      keeper.stdin.end()
      await ended
    },
  }
}

const thisNetwork: Network = {
  isOwn: false,
  prefix: '',
  admit: () => Promise.resolve(),
  lead: (port) => Promise.resolve(port),
  close: () => Promise.resolve(),
}

/** Resolves once it listens to what it is told; each order is carried out before the next. */
async function talkTo(keeper: ChildProcess): Promise<(order: readonly [Place, Place]) => Promise<void>> {
  const { stdin, stdout } = keeper
  if (!stdin || !stdout) throw new Error('it has no pipes')
  const lines = createInterface({ input: stdout })
  const ended = once(keeper, 'exit').then(() => Promise.reject(new Error('the keeper of the network ended')))
  ended.catch(() => {})
  const answered = () => Promise.race([once(lines, 'line'), ended])
  let last = answered()
  await last
  return async (order) => {
    last = last.then(() => {
      stdin.write(`${JSON.stringify(order)}\n`)
      return answered()
    })
    await last
  }
}
