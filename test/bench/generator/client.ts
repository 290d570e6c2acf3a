/** A WebSocket client of the hub: logs in, and acknowledges every MESSAGE at once, unless it is mute. */
import { clientFrame, frameReader, opcodes, type Reader } from './frames.ts'
import { openSocket } from './socket.ts'

const HEAD_END = '\r\n\r\n'
const EMPTY = Buffer.alloc(0)
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
  readonly group?: string
  /** messages in flight at once; the hub's own choice unless told */
  readonly window?: number
  /** acknowledges nothing */
  readonly mute?: boolean
  /** called with the `text` of each MESSAGE and its mid, behind its ack */
  readonly onMessage: (text: string, mid: string) => void
  /** where the server may go away */
  readonly onEnd?: () => void
  /** the address of this side: from one, the kernel finds free ports the more slowly the more are taken */
  readonly from?: string
}

export interface Client {
  /** Resolves when the hub has answered AUTH with 200. Whatever else it answers ends the generator. */
  login(): Promise<void>
  /** Resolves when the hub has read all that was sent until now. */
  ping(): Promise<void>
}

/** Connects and logs in. */
export async function connectClient(options: ClientOptions): Promise<Client> {
  const client = await openClient(options)
  await client.login()
  return client
}

/** Connects; the WebSocket is open when it resolves. */
export async function openClient({ port, name, onMessage, onEnd, ...options }: ClientOptions): Promise<Client> {
  const { group, window, from, mute = false } = options
  let reader: Reader = { read: upgraded }
  let opened: () => void
  let welcome: (() => void) | null = null
  let ponged: (() => void) | null = null
  const open = new Promise<void>((resolve) => (opened = resolve))
  const socket = await openSocket(port, (chunk) => reader.read(chunk), onEnd, from)

  /** The answer to the upgrade is short and comes whole; where all is slow, a ping comes with it. */
  function upgraded(chunk: Buffer): void {
    const end = chunk.indexOf(HEAD_END) + HEAD_END.length
    const head = chunk.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 101 ') || !head.endsWith(HEAD_END)) throw new Error(`no upgrade: ${head}`)
    reader = frameReader(receive)
    opened()
    reader.read(chunk.subarray(end))
  }

  function receive(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) receiveText(payload.toString('latin1'))
    else if (opcode === opcodes.ping) socket.write(clientFrame(opcodes.pong, payload))
    else if (opcode === opcodes.pong && ponged) ponged()
    else throw new Error(`${name} got a frame with opcode ${opcode}: ${payload.toString('latin1', 2)}`)
  }

  function receiveText(packet: string): void {
    if (packet.startsWith('{"cmd":"MESSAGE"')) {
      const mid = valueOf(packet, '"mid":"')
      if (!mute) socket.write(ackFrame(mid))
      onMessage(valueOf(packet, '"text":"'), mid)
    } else if (welcome && packet.startsWith('{"cmd":"AUTH","data":{"code":200')) {
      welcome()
    } else {
      throw new Error(`${name} got ${packet}`)
    }
  }

  socket.write(upgradeRequest)
  await open
  return {
    login() {
      const loggedIn = new Promise<void>((resolve) => (welcome = resolve))
      socket.write(textFrame(JSON.stringify({ cmd: 'AUTH', data: { token: '', name, group, window } })))
      return loggedIn
    },
    ping() {
      const answered = new Promise<void>((resolve) => (ponged = resolve))
      socket.write(clientFrame(opcodes.ping, EMPTY))
      return answered
    },
  }
}

let acked = ''
let lastAck: Buffer = EMPTY

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
