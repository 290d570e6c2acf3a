/** The WebSocket door: upgrades on any path, and drops sockets that went silent. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Attempts, Newcomer } from '../directory/attempts.ts'
import { Turns } from '../hub/turns.ts'
import { closeCodes, Refusal } from '../protocol/errors.ts'
import { count } from '../ground/tally.ts'
import { SocketClient, type SocketOptions } from './connection.ts'
import { Deadlines } from './deadlines.ts'
import { asksForWebSocket, declineOffer } from './decline.ts'
import { Line } from './line.ts'

/** Below the read timeout of common proxies, and every silent link is found within two of them. */
const PING_MS = 25_000
/** pings that leave before others get their turn */
const PINGS_AT_ONCE = 500
/** what an upgrade or an AUTH costs, in messages that go out */
const WELCOME_COST = 6
/** No client sends a packet in pieces; a frame of the largest size comes in some fifty chunks. */
const PIECES = { maxFragments: 128, maxBufferedChunks: 4_096 }

export interface SocketDoor {
  /** Takes the upgrades of an HTTP server. */
  attach(server: Server): void
  close(): void
}

export interface SocketDoorOptions extends Omit<SocketOptions, 'unproved' | 'turns'> {
  readonly attempts: Attempts
}

/** @param maxPayload bytes of one frame; a larger one closes the socket with 1009 */
export function createSocketDoor(options: SocketDoorOptions, maxPayload: number): SocketDoor {
  const { clock, settings, log, hub, attempts } = options
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    ...PIECES,
  })
  /** whom each open socket serves: so all share their listeners */
  const open = new Map<WebSocket, SocketClient>()
  const unproved = new Deadlines<SocketClient>(clock, settings.authTimeout, (client) => client.tooLate())
  const turns = new Turns<() => void>((work) => {
    work()
    return WELCOME_COST
  })
  const shared: SocketOptions = { ...options, unproved, turns }
  let closed = false
  let cancelPing = clock.after(PING_MS, pingAll)

  function receive(this: WebSocket, data: Buffer, isBinary: boolean): void {
    open.get(this)?.receive(data, isBinary)
  }

  function gone(this: WebSocket): void {
    open.get(this)?.gone()
    open.delete(this)
  }

  function noteError(err: Error): void {
    log.debug({ err }, 'a socket failed')
  }

  function pingAll(): void {
    ping().catch((error: unknown) => log.error({ err: error }, 'sockets could not be pinged'))
  }

  async function ping(): Promise<void> {
    let pings = 0
    for (const { line } of open.values()) {
      line.ping()
      pings += 1
      if (pings % PINGS_AT_ONCE === 0) await nextTurn()
    }
    if (!closed) cancelPing = clock.after(PING_MS, pingAll)
  }

  /** Browsers name their origin; the token at AUTH guards the rest. With `cors` off only our own pages connect. */
  function mayUpgrade({ headers: { origin, host } }: IncomingMessage): boolean {
    if (settings.cors || origin === undefined) return true
    return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
  }

  function take(http: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (!asksForWebSocket(request)) declineOffer(http, request, stream, head)
    else {
      stream.on('error', noteError)
      turns.add(() => upgrade(request, stream, head))
    }
  }

  function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const newcomer = closed ? '503 Service Unavailable' : mayUpgrade(request) ? admit(request) : '403 Forbidden'
    if (typeof newcomer === 'string') {
      stream.end(`HTTP/1.1 ${newcomer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy())
      return
    }
    let isTaken = false
    server.handleUpgrade(request, stream, head, (socket) => {
      isTaken = true
      serve(socket, stream, newcomer)
    })
    if (!isTaken) newcomer.leave()
  }

  function serve(socket: WebSocket, stream: Duplex, newcomer: Newcomer): void {
    open.set(socket, new SocketClient(new Line(socket, stream, shared), newcomer, shared))
    socket.on('message', receive)
    socket.on('error', noteError)
    socket.on('close', gone)
  }

  /** The newcomer, or the status and header that it is refused with. */
  function admit(request: IncomingMessage): Newcomer | string {
    try {
      return attempts.open(request)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      count(hub.meters.refusals.websocket, error.code)
      return `429 Too Many Requests\r\nRetry-After: ${error.retryAfterS}`
    }
  }

  return {
    attach: (http) => void http.on('upgrade', (request, stream, head) => take(http, request, stream, head)),
    close() {
      closed = true
      cancelPing()
      unproved.close()
      for (const socket of open.keys()) socket.close(closeCodes.restarting, 'the hub restarts')
    },
  }
}
