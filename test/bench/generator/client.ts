/** A WebSocket client of the hub: logs in, and acknowledges every MESSAGE at once. */
import { clientFrame, frameReader, opcodes, type Reader } from './frames.ts'
import { openSocket } from './socket.ts'

const HEAD_END = '\r\n\r\n'
/** Asks for a WebSocket, on any path. */
export const upgradeRequest = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  '\r\n',
].join('\r\n')

export interface ClientOptions {
  readonly port: number
  readonly name: string
  readonly group: string | null
  /** called with the `text` of each MESSAGE, before its ack leaves */
  readonly onMessage: (text: string) => void
}

/** Resolves when the hub has answered AUTH with 200. Whatever else it answers ends the generator. */
export async function connectClient({ port, name, group, onMessage }: ClientOptions): Promise<void> {
  let reader: Reader = { read: upgraded }
  let welcome: () => void
  const loggedIn = new Promise<void>((resolve) => (welcome = resolve))
  const socket = await openSocket(port, (chunk) => reader.read(chunk))

  /** The answer to the upgrade is short and comes alone: the hub says nothing before AUTH. */
  function upgraded(chunk: Buffer): void {
    const head = chunk.toString('latin1')
    if (!head.startsWith('HTTP/1.1 101 ') || !head.endsWith(HEAD_END)) throw new Error(`no upgrade: ${head}`)
    reader = frameReader(receive)
    socket.write(textFrame(JSON.stringify({ cmd: 'AUTH', data: { token: '', name, group } })))
  }

  function receive(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) receiveText(payload.toString('latin1'))
    else if (opcode === opcodes.ping) socket.write(clientFrame(opcodes.pong, payload))
    else throw new Error(`${name} got a frame with opcode ${opcode}: ${payload.toString('latin1', 2)}`)
  }

  function receiveText(packet: string): void {
    if (packet.startsWith('{"cmd":"MESSAGE"')) {
      onMessage(valueOf(packet, '"text":"'))
      socket.write(ackFrame(valueOf(packet, '"mid":"')))
    } else if (packet.startsWith('{"cmd":"AUTH","data":{"code":200')) {
      welcome()
    } else {
      throw new Error(`${name} got ${packet}`)
    }
  }

  socket.write(upgradeRequest)
  await loggedIn
}

let acked = ''
let lastAck: Buffer = Buffer.alloc(0)

/** The acks of one message to a group are all the same: built once. */
function ackFrame(mid: string): Buffer {
  if (mid !== acked) {
    acked = mid
    lastAck = textFrame(`{"cmd":"MESSAGE_CALLBACK","data":{"mid":"${mid}"}}`)
  }
  return lastAck
}

function textFrame(text: string): Buffer {
  return clientFrame(opcodes.text, Buffer.from(text))
}

/** The string after `key`: texts and mids are digits here, so nothing in them is escaped. */
function valueOf(packet: string, key: string): string {
  const start = packet.indexOf(key) + key.length
  return packet.slice(start, packet.indexOf('"', start))
}
