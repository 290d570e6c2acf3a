import { packetSchemas, readData } from '../protocol/packets.ts'
import type { PacketHandler } from './packets.ts'

/** MESSAGE_CALLBACK: the program has it. Silent; unknown and foreign mids change nothing. */
export const ack: PacketHandler = {
  async handle({ session, options }, packet) {
    const { mid } = readData(packetSchemas.MID, packet.data)
    if (session) await options.hub.sessions.ack(session.recipient, mid, { session })
  },
}

/** MESSAGE_WEBPUSH_CALLBACK, in V2.1 MESSAGE_FCM_CALLBACK: the service worker has it. Silent. */
export const webPushAck: PacketHandler = {
  async handle({ session, options }, packet) {
    const { mid } = readData(packetSchemas.MID, packet.data)
    if (session) await options.hub.sessions.ack(session.recipient, mid, { via: 'webpush' })
  },
}
