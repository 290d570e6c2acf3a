import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

const OF_THE_OFFER = new Set(['connection', 'upgrade', 'http2-settings'])
const TOO_MANY = 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

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
  // Node drops headers beyond its count: without the one that says how long the body is, that would be a request
  if (request.rawHeaders.length >= 2 * (http.maxHeadersCount ?? Infinity)) {
    stream.end(TOO_MANY, () => stream.destroy())
    return
  }
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  for (let n = 0; n < request.rawHeaders.length; n += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(n, n + 2)
    if (!OF_THE_OFFER.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  if (/\bclose\b/i.test(request.headers.connection ?? '')) lines.push('connection: close')
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  http.emit('connection', stream)
}
