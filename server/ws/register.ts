import { readRegistration } from '../directory/registration.ts'
import type { PacketHandler } from './packets.ts'

/** REGISTER_WEBPUSH and REGISTER_FCM: stored, by the shape of what they carry. Silent. */
export const register: PacketHandler = {
  async handle({ session, options }, packet) {
    if (!session) return
    const registration = readRegistration(packet.cmd, packet.data, session.device ?? '')
    await options.directory.register(session.recipient, registration)
  },
}
