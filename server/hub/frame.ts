import { wireGroup, wireName } from '../protocol/address.ts'
import type { MessageBody, MessageFrame } from '../protocol/packets.ts'
import type { Message } from '../store/store.ts'

/** The message as receivers know it: the data of a MESSAGE packet, complete, never null. */
export function messageFrame(message: Message): MessageFrame {
  const [to = ''] = message.to
  const isGroup = to.endsWith('@group')
  const { text, desp, extra } = bodyOf(message)
  return {
    sendType: isGroup ? 'group' : 'personal',
    target: isGroup ? wireGroup(to) : wireName(to),
    from: {
      method: message.from.method === 'websocket' ? 'websocket' : 'http',
      name: message.from.name,
    },
    message: { text, desp, extra },
    mid: message.mid,
  }
}

/** The MESSAGE packet as bytes, built once for all who get it. */
export function encodeFrame(message: Message): Buffer {
  return Buffer.from(`{"cmd":"MESSAGE","data":${JSON.stringify(messageFrame(message))}}`)
}

/** Every door writes the body in this shape; what the store gives back is read with care all the same. */
function bodyOf({ body }: Message): MessageBody {
  const { text, desp, extra } = body
  return {
    text: typeof text === 'string' ? text : '',
    desp: typeof desp === 'string' ? desp : '',
    extra: typeof extra === 'object' && extra !== null && !Array.isArray(extra) ? { ...extra } : {},
  }
}
