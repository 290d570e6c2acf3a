/** The ports of the hub: one HTTP server for everything, or a second one when WebSocket has its own port. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock } from '../ground/clock.ts'
import { Mistake } from '../ground/mistake.ts'

const HEADERS_COUNT = 100
const HEADERS_MS = 10_000
const CHECK_MS = 1_000
/** requests of one connection whose answers have not left */
const MAX_UNANSWERED = 100
/**
 * Connections that may wait to be taken, as far as the system allows (net.core.somaxconn). Clients come back all at
 * once after a restart; whom there is no room for tries again after a second, then after two more.
 */
const BACKLOG = 16_384
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
export class PortTaken extends Mistake {
  override readonly name = 'PortTaken'
}

/** What requests and connections may cost. */
export interface PortLimits {
  /** beyond so many the next connection is closed unheard */
  readonly maxConnections: number
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
  response: ServerResponse
  since: number
  /** those before it that have not left, and perhaps some that have */
  readonly before: ServerResponse[]
}

/** @param key of the config, for the message of PortTaken */
export function createPort(handle: Handle, key: string, limits: PortLimits): Port {
  const { maxConnections, maxUrl, maxHeaders, readMs, writeMs } = limits
  const server = createServer(
    {
      // Node counts the URL and the headers together
      maxHeaderSize: maxHeaders + maxUrl,
      headersTimeout: Math.min(HEADERS_MS, readMs),
      requestTimeout: readMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, readMs),
    },
    (request, response) => {
      // what is not answered is kept, and nothing else stops a client from sending on and on
      if (fits(due, request.socket, response)) void handle(request, response)
      else request.socket.destroy()
    },
  )
  server.maxHeadersCount = HEADERS_COUNT
  server.maxConnections = maxConnections
  /** many, and most of them WebSockets by now */
  const connections = new Set<Socket>()
  const due = new Map<Socket, Due>()
  let closed: Promise<unknown> = Promise.resolve()
  function forget(this: Socket): void {
    connections.delete(this)
  }
  server.on('connection', (socket) => {
    // one whose offer was declined begins anew
    if (connections.has(socket)) return
    connections.add(socket)
    socket.on('close', forget)
  })
  server.once('listening', () => {
    const check = setInterval(() => cutLate(due, writeMs), Math.min(CHECK_MS, writeMs)).unref()
    server.once('close', () => clearInterval(check))
  })

  return {
    server,
    async listen(host, port) {
      try {
        server.listen({ port, backlog: BACKLOG, ...(host === undefined ? {} : { host }) })
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
        for (const socket of connections) socket.destroy()
      })
      await closed
      cancel()
    },
  }
}

/** Notes that an answer is due. False: too many are, on this connection. */
function fits(due: Map<Socket, Due>, socket: Socket, response: ServerResponse): boolean {
  if (socket.destroyed) return false
  const since = performance.now()
  const last = due.get(socket)
  if (!last) {
    due.set(socket, { response, since, before: [] })
    return true
  }
  const { before } = last
  // they leave in their order
  if (last.response.writableFinished) before.length = 0
  else before.push(last.response)
  last.response = response
  last.since = since
  if (before.length < MAX_UNANSWERED) return true
  const waiting = before.filter(({ writableFinished }) => !writableFinished)
  before.splice(0, before.length, ...waiting)
  return before.length < MAX_UNANSWERED
}

/** One look now and then, instead of a timer for each request. */
function cutLate(due: Map<Socket, Due>, writeMs: number): void {
  const late = performance.now() - writeMs
  for (const [socket, { response, since }] of due) {
    if (response.writableFinished || socket.destroyed) due.delete(socket)
    else if (since <= late) socket.destroy()
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
