/** A real WebSocket client, as small as a test can use it. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import * as z from 'zod'

const packetSchema = z.looseObject({ cmd: z.string(), data: z.unknown() })
const messageSchema = z.object({
  sendType: z.enum(['personal', 'group']),
  target: z.string(),
  from: z.object({ method: z.enum(['http', 'websocket']), name: z.string() }),
  message: z.object({ text: z.string(), desp: z.string(), extra: z.record(z.string(), z.unknown()) }),
  mid: z.string().regex(/^\d{13}$/),
})

export type ReceivedPacket = z.infer<typeof packetSchema>
export type ReceivedMessage = z.infer<typeof messageSchema>

export interface TestClient {
  readonly socket: WebSocket
  /** every packet so far, in order */
  readonly packets: readonly ReceivedPacket[]
  readonly closed: Promise<{ code: number; reason: string }>
  send(cmd: string, data?: unknown, more?: Record<string, unknown>): void
  /** The next packet of this cmd that nobody took yet; waits for it. */
  next(cmd: string): Promise<ReceivedPacket>
  /** The next MESSAGE, whole as every client needs it. */
  message(): Promise<ReceivedMessage>
  ack(mid: string): void
  /** Resolves when the hub has handled all that was sent before: it answers a PING. */
  settled(): Promise<void>
}

/** Opens a socket and waits until it is open. */
export async function connect(url: string, headers: Record<string, string> = {}): Promise<TestClient> {
  const socket = new WebSocket(url, { headers })
  const packets: ReceivedPacket[] = []
  const untaken: ReceivedPacket[] = []
  const takers: { cmd: string; take: (packet: ReceivedPacket) => void }[] = []

  socket.on('message', (data: Buffer) => {
    const packet = packetSchema.parse(JSON.parse(data.toString()))
    packets.push(packet)
    const taker = takers.findIndex(({ cmd }) => cmd === packet.cmd)
    if (taker < 0) untaken.push(packet)
    else takers.splice(taker, 1)[0]?.take(packet)
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await once(socket, 'open')
  socket.on('error', () => {})

  const client: TestClient = {
    socket,
    packets,
    closed,
    send: (cmd, data, more = {}) =>
      socket.send(JSON.stringify({ cmd, ...(data === undefined ? {} : { data }), ...more })),
    next(cmd) {
      const place = untaken.findIndex((packet) => packet.cmd === cmd)
      const [packet] = place < 0 ? [] : untaken.splice(place, 1)
      if (packet) return Promise.resolve(packet)
      return new Promise((take) => void takers.push({ cmd, take }))
    },
    message: async () => messageSchema.parse((await client.next('MESSAGE')).data),
    ack: (mid) => client.send('MESSAGE_CALLBACK', { mid }),
    async settled() {
      client.send('PING')
      await client.next('PONG')
    },
  }
  return client
}

/** Whether the hub takes an upgrade, or the status it refuses it with. The socket is gone again. */
export async function upgrade(
  url: string,
  headers: Record<string, string> = {},
  localAddress = '127.0.0.1',
): Promise<'open' | number> {
  const socket = new WebSocket(url, { headers, localAddress })
  const status = await Promise.race([
    once(socket, 'error').then(([error]) => Promise.reject(error)),
    once(socket, 'open').then(() => 'open' as const),
    once(socket, 'unexpected-response').then(([, response]) => Number(response.statusCode)),
  ])
  socket.terminate()
  return status
}
