/** The ports of the hub: one HTTP server for everything, or a second one when WebSocket has its own port. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock } from './clock.ts'

const HEADERS_COUNT = 100
const HEADERS_MS = 10_000
const CHECK_MS = 1_000
/** what a stopping server grants answers on their way */
const DRAIN_MS = 1_000

/** Answers one request; a promise that it returns never rejects. */
export type Handle = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** A server that knows its connections, so that it can stop in time. */
export interface Port {
  readonly server: Server
  /** Resolves to the port it got. @throws PortTaken */
  listen(host: string | undefined, port: number): Promise<number>
  /** Takes no new connection; resolves at once. */
  refuseNew(): void
  /** Waits for answers on their way, then cuts what is left. */
  drain(): Promise<void>
}

/** A port is in use, or may not be used; the message says how to change it. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken'
}

/** What one request may cost. */
export interface PortLimits {
  /** bytes of a URL */
  readonly maxUrl: number
  /** bytes of all headers */
  readonly maxHeaders: number
  /** ms within which a request must have come, its body included */
  readonly readMs: number
  /** ms from its headers within which its answer must have left */
  readonly writeMs: number
}

/** The last answer on a connection, and since when it is due. */
interface Due {
  response: ServerResponse | null
  since: number
}

/** @param key of the config, for the message of PortTaken */
export function createPort(handle: Handle, key: string, { maxUrl, maxHeaders, readMs, writeMs }: PortLimits): Port {
  const server = createServer(
    {
      // Node counts the URL and the headers together
      maxHeaderSize: maxHeaders + maxUrl,
      headersTimeout: Math.min(HEADERS_MS, readMs),
      requestTimeout: readMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, readMs),
    },
    (request, response) => {
      const due = connections.get(request.socket)
      if (due) {
        due.response = response
        due.since = performance.now()
      }
      void handle(request, response)
    },
  )
  server.maxHeadersCount = HEADERS_COUNT
  const connections = new Map<Socket, Due>()
  let closed: Promise<unknown> = Promise.resolve()
  server.on('connection', (socket) => {
    connections.set(socket, { response: null, since: 0 })
    socket.once('close', () => connections.delete(socket))
  })
  server.once('listening', () => {
    const check = setInterval(() => cutLate(connections, writeMs), Math.min(CHECK_MS, writeMs)).unref()
    server.once('close', () => clearInterval(check))
  })

  return {
    server,
    async listen(host, port) {
      try {
        server.listen(host === undefined ? { port } : { host, port })
        await once(server, 'listening')
      } catch (error) {
        throw portError(error, key, host, port)
      }
      return addressOf(server).port
    },
    refuseNew() {
      if (!server.listening) return
      closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
    },
    async drain() {
      server.closeIdleConnections()
      // in real time: a stop ends soon even where a test turns the clock
      const cancel = systemClock.after(DRAIN_MS, () => {
        for (const socket of connections.keys()) socket.destroy()
      })
      await closed
      cancel()
    },
  }
}

/** One look at all connections now and then, instead of a timer for each request. */
function cutLate(connections: ReadonlyMap<Socket, Due>, writeMs: number): void {
  const late = performance.now() - writeMs
  for (const [socket, due] of connections) {
    if (due.response?.writableFinished) due.response = null
    else if (due.response && due.since <= late) socket.destroy()
  }
}

/** Answers plain requests on a port that is for WebSocket alone. */
export const upgradeOnly: Handle = (_request, response) => {
  response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket', connection: 'upgrade, close' })
  response.end('this port speaks WebSocket\n')
}

function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address
}

function portError(error: unknown, key: string, host: string | undefined, port: number): unknown {
  if (!(error instanceof Error && 'code' in error)) return error
  const change = `choose another with ${key} in the config${key === 'http.port' ? ' or --port' : ''}`
  const where = host === undefined ? '' : ` of ${host}`
  switch (error.code) {
    case 'EADDRINUSE':
      return new PortTaken(`port ${port}${where} is in use: ${change}`)
    case 'EACCES':
      return new PortTaken(`port ${port}${where} may not be used by this user: ${change}`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new PortTaken(`${host ?? 'the host'} is no address of this machine: change http.host or --host`)
    default:
      return error
  }
}
