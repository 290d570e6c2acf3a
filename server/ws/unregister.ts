import type { PacketHandler } from './packets.ts'

/**
 * UNREGISTER: the recipient leaves for good. No answer: its sockets close with 4003, this one too. On a socket that
 * is being closed it comes too late: whoever replaced it has the name.
 */
export const unregister: PacketHandler = {
  async handle({ session, line, options }) {
    if (session && line.isOpen) await options.hub.remove(session.recipient)
  },
}
