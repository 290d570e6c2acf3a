import { addressOf } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import { type MessageData, packetSchemas, readData } from '../protocol/packets.ts'
import { nestedReply } from '../protocol/reply.ts'
import type { SocketClient } from './connection.ts'
import type { PacketHandler } from './packets.ts'

/** MESSAGEs of one socket that may wait for their reply; more are refused until some are answered. */
const MAX_UNANSWERED = 1_000

/** MESSAGE: a client pushes. Answered by MESSAGE_REPLY `{mid, status}`, or INFO when refused. */
export const message: PacketHandler = {
  async handle(client, packet) {
    const data = readData(packetSchemas.MESSAGE, packet.data)
    if (client.unanswered >= MAX_UNANSWERED) throw new Refusal('store-busy')
    client.useful()
    client.unanswered += 1
    try {
      await push(client, data, packet.id)
    } finally {
      client.unanswered -= 1
    }
  },
}

async function push(
  client: SocketClient,
  { sendType, target, message: body, expire, idem }: MessageData,
  id: string | undefined,
): Promise<void> {
  const { session, options } = client
  if (!session) return
  const { mid, standings } = await options.hub.push({
    caller: { kind: 'client', id: session.recipient },
    method: 'websocket',
    to: addressOf(sendType, target),
    body,
    strategy: null,
    expireMs: expire ? expire * 1000 : options.settings.expireMs,
    idempotencyKey: idem || null,
    waitMs: options.settings.waitTimeout,
  })
  client.sendText(nestedReply(mid, standings, id))
}
