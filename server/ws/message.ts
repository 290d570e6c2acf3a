import { addressOf } from '../protocol/address.ts'
import { packetSchemas, readData } from '../protocol/packets.ts'
import { nestedReply } from '../protocol/reply.ts'
import type { PacketHandler } from './packets.ts'

/** MESSAGE: a client pushes. Answered by MESSAGE_REPLY `{mid, status}`, or INFO when refused. */
export const message: PacketHandler = {
  async handle(client, packet) {
    const { session, options } = client
    const { sendType, target, message: body, expire } = readData(packetSchemas.MESSAGE, packet.data)
    if (!session) return
    const { mid, standings } = await options.hub.push({
      caller: { kind: 'client', id: session.recipient },
      method: 'websocket',
      to: addressOf(sendType, target),
      body,
      expireMs: expire ? expire * 1000 : options.settings.expireMs,
      idempotencyKey: null,
      waitMs: options.settings.waitTimeout,
    })
    client.send({ cmd: 'MESSAGE_REPLY', data: nestedReply(mid, standings) })
  },
}
