import { packetSchemas, readData, readPlainAck } from '../protocol/packets.ts'
import type { SocketClient } from './connection.ts'
import type { PacketHandler } from './packets.ts'

/** The most frequent packet on the shortest way: an ack of a frame in flight. False: it is something else. */
export function takePlainAck({ session, options }: SocketClient, text: string): boolean {
  const mid = session && readPlainAck(text)
  return session !== null && mid !== null && options.hub.sessions.ackInFlight(session, mid)
}

/** MESSAGE_CALLBACK: the program has it. Silent; unknown and foreign mids change nothing. */
export const ack: PacketHandler = {
  async handle(client, packet) {
    const { session, options } = client
    const { mid } = readData(packetSchemas.MID, packet.data)
    if (!session) return
    const moved = await options.hub.sessions.ack(session.recipient, mid, { session })
    if (moved) client.useful()
  },
}

/** MESSAGE_WEBPUSH_CALLBACK, in V2.1 MESSAGE_FCM_CALLBACK: the service worker has it. Silent. */
export const webPushAck: PacketHandler = {
  async handle({ session, options }, packet) {
    const { mid } = readData(packetSchemas.MID, packet.data)
    if (session) await options.hub.sessions.ack(session.recipient, mid, { via: 'webpush' })
  },
}
