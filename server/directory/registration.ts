import { objectionTo } from '../ground/network.ts'
import { Refusal } from '../protocol/errors.ts'
import { packetSchemas, readData, type WebPushSubscription } from '../protocol/packets.ts'
import type { Registration } from './directory.ts'

/**
 * REGISTER_WEBPUSH and REGISTER_FCM by the shape of what they carry: a browser's PushSubscription or an
 * Android token. Old browsers send a subscription under either name. An endpoint that plainly leads to this
 * machine or its networks is refused here; what a name leads to is judged at each connection.
 * @throws Refusal bad-packet
 */
export function readRegistration(cmd: string, data: unknown, device: string): Registration {
  const isToken = typeof data === 'object' && data !== null && 'token' in data && !('endpoint' in data)
  if (isToken || (cmd === 'REGISTER_FCM' && !hasEndpoint(data))) {
    return { channel: 'fcm', device, address: readData(packetSchemas.FCM, data) }
  }
  return { channel: 'webpush', device, address: allowed(readData(packetSchemas.WEBPUSH, data)) }
}

function allowed(subscription: WebPushSubscription): WebPushSubscription {
  const objection = objectionTo(new URL(subscription.endpoint))
  if (objection !== null) throw new Refusal('bad-packet', `endpoint ${objection}`)
  return subscription
}

function hasEndpoint(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'endpoint' in data
}
