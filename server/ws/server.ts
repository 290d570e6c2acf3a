/** The WebSocket door: upgrades on any path, and drops sockets that went silent. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { serveSocket, type SocketOptions } from './connection.ts'

/** Below the read timeout of common proxies, and every silent link is found within two of them. */
const PING_MS = 25_000

export interface SocketDoor {
  /** Takes the upgrades of an HTTP server. */
  attach(server: Server): void
  close(): void
}

/** @param maxPayload bytes of one frame; a larger one closes the socket with 1009 */
export function createSocketDoor(options: SocketOptions, maxPayload: number): SocketDoor {
  const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload })
  const alive = new Map<WebSocket, boolean>()
  let cancelPing = options.clock.after(PING_MS, ping)

  function ping(): void {
    for (const [socket, answered] of alive) {
      if (!answered) {
        socket.terminate()
        continue
      }
      alive.set(socket, false)
      socket.ping()
    }
    cancelPing = options.clock.after(PING_MS, ping)
  }

  function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', (error) => options.log.debug({ err: error }, 'an upgrade failed'))
    server.handleUpgrade(request, stream, head, (socket) => {
      alive.set(socket, true)
      socket.on('pong', () => alive.set(socket, true))
      socket.on('ping', () => alive.set(socket, true))
      socket.on('message', () => alive.set(socket, true))
      socket.once('close', () => alive.delete(socket))
      serveSocket(socket, stream, options)
    })
  }

  return {
    attach: (http) => void http.on('upgrade', upgrade),
    close() {
      cancelPing()
      for (const socket of alive.keys()) socket.close(1012, 'the hub restarts')
    },
  }
}
