/** The WebSocket door: upgrades on any path, and drops sockets that went silent. */
import type { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Attempts, Newcomer } from '../directory/attempts.ts'
import { closeCodes, Refusal } from '../protocol/errors.ts'
import { serveSocket, type SocketOptions } from './connection.ts'
import { asksForWebSocket, declineOffer } from './decline.ts'

/** Below the read timeout of common proxies, and every silent link is found within two of them. */
const PING_MS = 25_000
/** No client sends a packet in pieces; a frame of the largest size comes in some fifty chunks. */
const PIECES = { maxFragments: 128, maxBufferedChunks: 4_096 }

export interface SocketDoor {
  /** Takes the upgrades of an HTTP server. */
  attach(server: Server): void
  close(): void
}

export interface SocketDoorOptions extends SocketOptions {
  readonly attempts: Attempts
}

/** @param maxPayload bytes of one frame; a larger one closes the socket with 1009 */
export function createSocketDoor(options: SocketDoorOptions, maxPayload: number): SocketDoor {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    ...PIECES,
  })
  /** each open socket, with what had come in over it when it was pinged last */
  const open = new Map<WebSocket, { readonly stream: Duplex; bytes: number }>()
  let closed = false
  let cancelPing = options.clock.after(PING_MS, ping)

  function ping(): void {
    for (const [socket, heard] of open) {
      const bytes = bytesFrom(heard.stream)
      if (bytes === heard.bytes) {
        socket.terminate()
        continue
      }
      heard.bytes = bytes
      socket.ping()
    }
    cancelPing = options.clock.after(PING_MS, ping)
  }

  /** Browsers name their origin; the token at AUTH guards the rest. With `cors` off only our own pages connect. */
  function mayUpgrade({ headers: { origin, host } }: IncomingMessage): boolean {
    if (options.settings.cors || origin === undefined) return true
    return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
  }

  function take(http: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (asksForWebSocket(request)) upgrade(request, stream, head)
    else declineOffer(http, request, stream, head)
  }

  function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', (error) => options.log.debug({ err: error }, 'an upgrade failed'))
    const newcomer = closed ? '503 Service Unavailable' : mayUpgrade(request) ? admit(request) : '403 Forbidden'
    if (typeof newcomer === 'string') {
      stream.end(`HTTP/1.1 ${newcomer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy())
      return
    }
    stream.once('close', () => newcomer.leave())
    server.handleUpgrade(request, stream, head, (socket) => {
      open.set(socket, { stream, bytes: 0 })
      socket.once('close', () => open.delete(socket))
      serveSocket(socket, stream, newcomer, options)
    })
  }

  /** The newcomer, or the status and header that it is refused with. */
  function admit(request: IncomingMessage): Newcomer | string {
    try {
      return options.attempts.open(request)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return `429 Too Many Requests\r\nRetry-After: ${error.retryAfterS}`
    }
  }

  return {
    attach: (http) => void http.on('upgrade', (request, stream, head) => take(http, request, stream, head)),
    close() {
      closed = true
      cancelPing()
      for (const socket of open.keys()) socket.close(closeCodes.restarting, 'the hub restarts')
    },
  }
}

/** Whatever comes in, be it only the pong, says that the other side is there. */
function bytesFrom(stream: Duplex): number {
  return stream instanceof Socket ? stream.bytesRead : 0
}
