/** Bytes by hand: what no client library would send. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** `http://127.0.0.1:PORT`, or with `ws:` */
interface Somewhere {
  readonly url: string
}

/** A connection on which nothing was sent yet. What it is told is gathered in `heard()`. */
export interface Wire {
  readonly socket: Socket
  heard(): Buffer
  /** Waits until so many bytes more came, or the other side closed. */
  until(holds: (heard: Buffer) => boolean): Promise<Buffer>
  closed: Promise<void>
}

export async function openWire({ url }: Somewhere, localAddress = '127.0.0.1'): Promise<Wire> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress })
  let heard = Buffer.alloc(0)
  let look = () => {}
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
    look()
  })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      look()
      resolve()
    })
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return {
    socket,
    heard: () => heard,
    closed,
    until: (holds) =>
      new Promise((resolve) => {
        look = () => {
          if (holds(heard) || socket.closed) resolve(heard)
        }
        look()
      }),
  }
}

/** What the hub answers to bytes, until it closes the connection: nobody here closes it. */
export async function exchange(hub: Somewhere, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const { socket, heard, closed } = await openWire(hub)
  for (const piece of pieces) socket.write(piece)
  await closed
  return heard().toString('latin1')
}

/** The status of each answer in the text of an exchange. */
export function statuses(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

const KEY = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n'
const HANDSHAKE = `GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n${KEY}\r\n`

/** A socket past its handshake, of which `heard` holds only what came behind it. */
export async function openSocket(hub: Somewhere): Promise<Wire> {
  const wire = await openWire(hub)
  wire.socket.write(HANDSHAKE)
  const head = await wire.until((heard) => heard.includes('\r\n\r\n'))
  const begin = head.indexOf('\r\n\r\n') + 4
  const heard = () => wire.heard().subarray(begin)
  return { ...wire, heard, until: (holds) => wire.until(() => holds(heard())).then(heard) }
}

/** The code of the close frame in what was heard, 1005 for one without; null where there is none yet. */
export function closeCode(heard: Buffer): number | null {
  for (let at = 0; at + 2 <= heard.length;) {
    const short = (heard[at + 1] ?? 0) & 0x7f
    const head = short === 127 ? 10 : short === 126 ? 4 : 2
    if (at + head > heard.length) return null
    const length = head === 2 ? short : heard.readUIntBE(at + head - (head === 4 ? 2 : 6), head === 4 ? 2 : 6)
    const end = at + head + length
    if (end > heard.length) return null
    if ((heard[at] ?? 0) === (FIN | CLOSE)) return length < 2 ? 1005 : heard.readUInt16BE(at + head)
    at = end
  }
  return null
}

export const FIN = 0x80
export const TEXT = 0x01
export const CLOSE = 0x08

/** A frame as clients must mask it; the mask is of zeros, so the payload stays legible. @param head first byte */
export function frame(head: number, payload: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(payload)
  return Buffer.concat([headOf(head, bytes.length), Buffer.alloc(4), bytes])
}

function headOf(head: number, length: number): Buffer {
  if (length < 126) return Buffer.of(head, 0x80 | length)
  const long = Buffer.alloc(length < 65_536 ? 4 : 10)
  long[0] = head
  long[1] = 0x80 | (length < 65_536 ? 126 : 127)
  if (length < 65_536) long.writeUInt16BE(length, 2)
  else long.writeBigUInt64BE(BigInt(length), 2)
  return long
}
