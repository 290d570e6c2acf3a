import { wireName } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import { packetSchemas, readData } from '../protocol/packets.ts'
import type { PacketHandler } from './packets.ts'

/**
 * CONFIRM: a person says so. When it is durable, every session of the recipient that gave a device gets
 * CLEAR, this one included: that is its receipt. A second confirm is told who was first.
 */
export const confirm: PacketHandler = {
  async handle(client, packet) {
    const { session, options } = client
    const { mid } = readData(packetSchemas.MID, packet.data)
    if (!session) return
    if (!session.confirms) throw new Refusal('bad-packet', 'CONFIRM needs confirms: true in AUTH')
    const by = session.device ?? wireName(session.recipient)
    const first = await options.hub.sessions.confirm(session.recipient, mid, by)
    if (first === null) throw new Refusal('bad-packet', 'there is no such message to confirm')
    if (first.repeated || session.device === null) {
      client.send({ cmd: 'CLEAR', data: { mid, by: first.by } })
    }
  },
}
