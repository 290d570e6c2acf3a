import type { PacketHandler } from './packets.ts'

/** The PWA's heartbeat runs on its own clock and may arrive before AUTH: refusing it would end the client. */
export const ping: PacketHandler = {
  beforeAuth: true,
  handle(client) {
    client.send({ cmd: 'PONG', data: '' })
    return undefined
  },
}
