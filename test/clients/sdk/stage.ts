/** Connections of the SDK as a test needs them: over the real `ws`, closed with the test. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  CarillonError,
  connect,
  type Connection,
  type ConnectionEvents,
  type ConnectOptions,
} from '../../../clients/sdk/index.ts'
import { TOKEN } from '../../helpers/hub.ts'

/** Connects as `name`; waits for nothing. */
export function join(url: string, name: string, options: Partial<ConnectOptions> = {}): Connection {
  const connection = connect(url, { name, token: TOKEN, WebSocket, ...options })
  onTestFinished(() => connection.close())
  return connection
}

/** Connects and waits until the hub has let it in. */
export async function joined(url: string, name: string, options: Partial<ConnectOptions> = {}): Promise<Connection> {
  const connection = join(url, name, options)
  await connection.ready()
  return connection
}

/** The next event of this name that a test likes. */
export function next<Name extends keyof ConnectionEvents>(
  connection: Connection,
  name: Name,
  isIt: (value: ConnectionEvents[Name]) => boolean = () => true,
): Promise<ConnectionEvents[Name]> {
  return new Promise((resolve) => {
    const stop = connection.on(name, (value) => {
      if (!isIt(value)) return
      stop()
      resolve(value)
    })
  })
}

/** Waits until it stands there. */
export async function reached(connection: Connection, status: Connection['state']['status']): Promise<void> {
  if (connection.state.status !== status) await next(connection, 'state', (state) => state.status === status)
}

export interface Script {
  readonly url: string
  /** every packet that came, as it came */
  readonly packets: string[]
  /** the sockets that are open */
  readonly sockets: ReadonlySet<WebSocket>
  /** Resolves when so many packets of this cmd came in all. */
  came(cmd: string, count?: number): Promise<void>
}

/** A hub that only does as told; by default it lets everybody in and answers nothing else. */
export async function startScript(
  onPacket: (cmd: string, send: (packet: object) => void, packet: string) => void = () => {},
): Promise<Script> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  const packets: string[] = []
  const lookers = new Set<() => void>()
  server.on('connection', (socket) => {
    const send = (packet: object) => socket.send(JSON.stringify(packet))
    socket.on('message', (frame: Buffer) => {
      const packet = frame.toString()
      const { cmd } = JSON.parse(packet) as { cmd: string }
      packets.push(packet)
      if (cmd === 'AUTH') send({ cmd: 'AUTH', data: { code: 200, msg: 'ok', auth: 'a' } })
      onPacket(cmd, send, packet)
      for (const look of lookers) look()
    })
  })
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of server.clients) socket.terminate()
    server.close()
    await once(server, 'close')
  })
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    packets,
    sockets: server.clients,
    came: (cmd, count = 1) =>
      new Promise((resolve) => {
        const look = () => {
          if (packets.filter((packet) => packet.includes(`"cmd":"${cmd}"`)).length < count) return
          lookers.delete(look)
          resolve()
        }
        lookers.add(look)
        look()
      }),
  }
}

/** A promise to hold a handler up with. */
export function gateOf(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {}
  const promise = new Promise<void>((open) => (resolve = open))
  return { promise, resolve }
}

/** What it fails with. */
export async function refusal(push: Promise<unknown>): Promise<CarillonError> {
  const error = await push.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(CarillonError)
  return error as CarillonError
}
