import type { PacketHandler } from './packets.ts'

/** UNREGISTER: the recipient leaves for good. No answer: its sockets close with 4003, this one too. */
export const unregister: PacketHandler = {
  async handle({ session, options }) {
    if (session) await options.hub.remove(session.recipient)
  },
}
