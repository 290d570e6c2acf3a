import type { Registration } from './directory.ts'
import { packetSchemas, readData } from '../protocol/packets.ts'

/**
 * REGISTER_WEBPUSH and REGISTER_FCM by the shape of what they carry: a browser's PushSubscription or an
 * Android token. Old browsers send a subscription under either name.
 * @throws Refusal bad-packet
 */
export function readRegistration(cmd: string, data: unknown, device: string): Registration {
  const isToken = typeof data === 'object' && data !== null && 'token' in data && !('endpoint' in data)
  if (isToken || (cmd === 'REGISTER_FCM' && !hasEndpoint(data))) {
    return { channel: 'fcm', device, address: readData(packetSchemas.FCM, data) }
  }
  return { channel: 'webpush', device, address: readData(packetSchemas.WEBPUSH, data) }
}

function hasEndpoint(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'endpoint' in data
}
