import { ack, webPushAck } from './ack.ts'
import { auth } from './auth.ts'
import { confirm } from './confirm.ts'
import { message } from './message.ts'
import { ping } from './ping.ts'
import { register } from './register.ts'
import type { SocketClient } from './connection.ts'
import type { Packet } from '../protocol/packets.ts'
import { unregister } from './unregister.ts'

/** Takes one packet. A Refusal that it throws is told to the client as INFO. */
export interface PacketHandler {
  readonly beforeAuth?: true
  /** Packets behind this one wait until it is done. */
  readonly holdsOthers?: true
  handle(client: SocketClient, packet: Packet): Promise<void> | undefined
}

/** Every packet that a client may send, by its `cmd`. PROTOCOL.md says what each means. */
export const handlers: ReadonlyMap<string, PacketHandler> = new Map<string, PacketHandler>([
  ['AUTH', auth],
  ['PING', ping],
  ['MESSAGE', message],
  ['MESSAGE_CALLBACK', ack],
  ['MESSAGE_WEBPUSH_CALLBACK', webPushAck],
  ['MESSAGE_FCM_CALLBACK', webPushAck],
  ['CONFIRM', confirm],
  ['REGISTER_WEBPUSH', register],
  ['REGISTER_FCM', register],
  ['UNREGISTER', unregister],
])
