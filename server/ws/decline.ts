import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

const OF_THE_OFFER = new Set(['connection', 'upgrade', 'http2-settings'])

/** Whether a request asks for WebSocket, and not for another protocol that the hub does not speak. */
export function asksForWebSocket({ headers: { upgrade } }: IncomingMessage): boolean {
  return upgrade?.toLowerCase() === 'websocket'
}

/**
 * Serves a request as if it had offered nothing: Java's client offers HTTP/2 with its first request to every
 * host, and an offer may be ignored (RFC 9110 section 7.8). Node has read the request to its headers, so the
 * connection begins anew with the same bytes.
 */
export function declineOffer(http: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  for (let n = 0; n < request.rawHeaders.length; n += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(n, n + 2)
    if (!OF_THE_OFFER.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  http.emit('connection', stream)
}
