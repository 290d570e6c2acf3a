/** A real HTTP server as the other side of a webhook, and a real proxy in front of it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as forward, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import {
  type AddressInfo,
  connect,
  createServer as createSocketServer,
  type Server as NetServer,
  type Socket,
} from 'node:net'

export interface Received {
  readonly method: string
  /** path and query as they came */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answer = (response: ServerResponse, request: Received) => void

export interface Receiver {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly requests: readonly Received[]
  /** how it answers from now on */
  answer: Answer
  /** Waits until this many requests came in all; returns the last of them. */
  received(count: number): Promise<Received>
  close(): Promise<void>
}

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(code, headers).end()
}

/** Listens on a port of its own; answers 200 unless told otherwise. */
export async function startReceiver(
  answer: Answer = status(200),
  tls?: { key: string; cert: string },
): Promise<Receiver> {
  const requests: Received[] = []
  const waiting = new Set<() => void>()
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    request.setEncoding('utf8')
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const received = { method, url, headers, body }
    requests.push(received)
    for (const look of waiting) look()
    receiver.answer(response, received)
  }
  const take = (request: IncomingMessage, response: ServerResponse) => void listener(request, response).catch(() => {})
  const server = tls ? createTlsServer(tls, take) : createServer(take)
  const port = await listen(server)

  const receiver: Receiver = {
    url: `http${tls ? 's' : ''}://127.0.0.1:${port}`,
    requests,
    answer,
    received: (count) =>
      new Promise((resolve) => {
        const look = () => {
          const last = requests[count - 1]
          if (!last) return
          waiting.delete(look)
          resolve(last)
        }
        waiting.add(look)
        look()
      }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}

export interface TestProxy {
  readonly port: number
  /** what it was asked: `GET http://host/path` or `CONNECT host:port`, with the credentials that came */
  readonly asked: readonly {
    readonly line: string
    readonly auth: string | undefined
    readonly host: string | undefined
  }[]
  /** refuses everything with this status from now on */
  refuse: number | null
  close(): Promise<void>
}

/** A forward proxy that also opens tunnels. */
export async function startProxy(): Promise<TestProxy> {
  const asked: { line: string; auth: string | undefined; host: string | undefined }[] = []
  const sockets = new Set<Socket>()
  const note = ({ method, url, headers }: IncomingMessage) =>
    void asked.push({ line: `${method} ${url}`, auth: headers['proxy-authorization'], host: headers.host })

  const server = createServer((request, response) => {
    note(request)
    if (proxy.refuse !== null) {
      response.writeHead(proxy.refuse).end('refused '.repeat(1000))
      return
    }
    const { 'proxy-authorization': _, ...headers } = request.headers
    const onward = forward(request.url ?? '', { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request)
    if (proxy.refuse !== null) {
      socket.end(`HTTP/1.1 ${proxy.refuse} No\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const [host = '', port] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [socket, onward]) {
      sockets.add(end)
      end.on('error', () => {})
    }
  })
  const port = await listen(server)

  const proxy: TestProxy = {
    port,
    asked,
    refuse: null,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

/** A server that says exactly these bytes to whoever connects and has sent something, then does `then`. */
export async function startRawServer(
  bytes: string,
  then: (socket: Socket) => void = () => {},
): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createSocketServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(bytes)
      then(socket)
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createSocketServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

async function listen(server: Server | NetServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  return address.port
}
