/** WebSocket frames by hand (RFC 6455 section 5.2): as much as a client needs that sends and reads short texts. */

export const opcodes = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const

const FIN = 0x80
const MASKED = 0x80
const LENGTH_16 = 126
const LENGTH_64 = 127
/** Not zero, which servers may skip as already plain: unmasking is part of what an ack costs them. */
const MASK = Buffer.from([0x5a, 0xc3, 0x3c, 0xa5])
const EMPTY = Buffer.alloc(0)

/** A whole masked frame. @throws RangeError for a payload above 65,535 bytes */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const isShort = payload.length < LENGTH_16
  const start = (isShort ? 2 : 4) + MASK.length
  const frame = Buffer.allocUnsafe(start + payload.length)
  frame[0] = FIN | opcode
  if (isShort) {
    frame[1] = MASKED | payload.length
  } else {
    frame[1] = MASKED | LENGTH_16
    frame.writeUInt16BE(payload.length, 2)
  }
  MASK.copy(frame, start - MASK.length)
  for (let i = 0; i < payload.length; i++) frame[start + i] = (payload[i] ?? 0) ^ (MASK[i & 3] ?? 0)
  return frame
}

/** Takes what a socket read, however it was cut, and hands on what is whole. */
export interface Reader {
  read(chunk: Buffer): void
}

/**
 * Reads a server's frames. `payload` is a view that is good until `onFrame` returns.
 * `read` throws on what no server may send, and on a message in fragments, which the hub never makes.
 */
export function frameReader(onFrame: (opcode: number, payload: Buffer) => void): Reader {
  return reader((bytes, at) => {
    const size = frameSize(bytes, at)
    if (size === null || at + size.whole > bytes.length) return null
    const opcode = (bytes[at] ?? 0) & 0x0f
    onFrame(opcode, bytes.subarray(at + size.header, at + size.whole))
    return at + size.whole
  })
}

/**
 * A reader that keeps the rest of a chunk until more arrives. `take` hands on the whole thing that starts at
 * `at` and returns where it ends; null: it is not whole yet.
 */
export function reader(take: (bytes: Buffer, at: number) => number | null): Reader {
  let rest = EMPTY
  return {
    read(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      for (;;) {
        const end = take(bytes, at)
        if (end === null) break
        at = end
      }
      rest = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at))
    },
  }
}

function frameSize(bytes: Buffer, at: number): { header: number; whole: number } | null {
  if (bytes.length < at + 2) return null
  const first = bytes.readUInt8(at)
  const second = bytes.readUInt8(at + 1)
  if ((first & 0xf0) !== FIN) throw new Error(`a frame in fragments or with unknown flags: 0x${first.toString(16)}`)
  if ((second & MASKED) !== 0) throw new Error('a server must not mask')
  if (second < LENGTH_16) return { header: 2, whole: 2 + second }
  if (second === LENGTH_64) {
    return bytes.length < at + 10 ? null : { header: 10, whole: 10 + Number(bytes.readBigUInt64BE(at + 2)) }
  }
  return bytes.length < at + 4 ? null : { header: 4, whole: 4 + bytes.readUInt16BE(at + 2) }
}
