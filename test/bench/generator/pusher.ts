import { responseReader } from './responses.ts'
import { openSocket } from './socket.ts'

/** A keep-alive HTTP connection for one request at a time. */
export interface Pusher {
  get(path: string): void
  /** A whole request, as it goes over the wire. */
  write(request: string): void
}

export async function openPusher(
  port: number,
  onReply: (status: number, body: string) => void,
  onEnd?: () => void,
): Promise<Pusher> {
  const responses = responseReader(onReply)
  const socket = await openSocket(port, (chunk) => responses.read(chunk), onEnd)
  return {
    get: (path) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, 'latin1'),
    write: (request) => void socket.write(request),
  }
}
