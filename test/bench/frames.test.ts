import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { upgradeRequest } from './generator/client.ts'
import { clientFrame, frameReader, opcodes, type Reader } from './generator/frames.ts'
import { responseReader } from './generator/responses.ts'

describe('frames that the generator makes', () => {
  // https://www.rfc-editor.org/rfc/rfc6455#section-5.7, with our key in place of its
  it('are final, masked and carry their length', () => {
    expect(clientFrame(opcodes.text, Buffer.from('Hello')).toString('hex')).toBe('81855ac33ca512a650c935')
  })

  it.each([0, 1, 125, 126, 127, 65_535])('of %i bytes are read by ws as they were meant', async (length) => {
    const text = 'x'.repeat(length)
    expect(await readByWs(clientFrame(opcodes.text, Buffer.from(text)))).toBe(text)
  })

  it('of more than 65,535 bytes are refused', () => {
    expect(() => clientFrame(opcodes.text, Buffer.alloc(65_536))).toThrow(RangeError)
  })
})

describe('the frame reader', () => {
  it('gives the same frames however the bytes were cut', () => {
    const frames = fc.array(fc.string({ maxLength: 300, unit: 'grapheme' }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (texts, cuts) => {
        const bytes = Buffer.concat(texts.map((text) => serverFrame(opcodes.text, Buffer.from(text))))
        expect(framesOf(bytes, cuts)).toEqual(texts.map((text) => [opcodes.text, text]))
      }),
    )
  })

  it('reads each of the three lengths byte by byte', () => {
    for (const length of [125, 126, 65_535, 65_536]) {
      const bytes = serverFrame(opcodes.ping, Buffer.alloc(length, 'y'))
      const everywhere = Array.from(bytes, (_, at) => at)
      expect(framesOf(bytes, everywhere)).toEqual([[opcodes.ping, 'y'.repeat(length)]])
    }
  })

  it('keeps what is not whole yet, although the chunk is used again', () => {
    const seen: string[] = []
    const frames = frameReader((_, payload) => seen.push(payload.toString()))
    const whole = serverFrame(opcodes.text, Buffer.from('Hello'))
    const chunk = Buffer.from(whole.subarray(0, 4))
    frames.read(chunk)
    chunk.fill(0)
    frames.read(whole.subarray(4))
    expect(seen).toEqual(['Hello'])
  })

  it('refuses what a server may not send', () => {
    const frames = frameReader(() => undefined)
    expect(() => frames.read(clientFrame(opcodes.text, Buffer.from('Hello')))).toThrow('must not mask')
    expect(() => frames.read(Buffer.from([0x01, 0x00]))).toThrow('fragments')
  })
})

describe('the response reader', () => {
  it('gives the same responses however the bytes were cut', () => {
    const bodies = fc.array(fc.string({ maxLength: 80, unit: 'grapheme' }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(), { maxLength: 20 }), (texts, cuts) => {
        const bytes = Buffer.from(texts.map((text) => response(404, text)).join(''))
        const seen: [number, string][] = []
        feed(
          responseReader((status, body) => seen.push([status, body])),
          bytes,
          cuts,
        )
        expect(seen).toEqual(texts.map((text) => [404, text]))
      }),
    )
  })

  it('refuses a response without Content-Length', () => {
    const responses = responseReader(() => undefined)
    expect(() => responses.read(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('without Content-Length')
  })
})

/** What a server by ws reads in a frame that comes right behind the upgrade. */
async function readByWs(frame: Buffer): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const message = new Promise<string>((resolve, reject) => {
    server.once('connection', (peer) => {
      peer.once('message', (data: Buffer) => resolve(data.toString()))
      peer.once('error', reject)
    })
  })
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([Buffer.from(upgradeRequest), frame])))
  try {
    return await message
  } finally {
    socket.destroy()
    server.close()
    await once(server, 'close')
  }
}

function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  if (length < 126) head[1] = length
  else if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  if (length >= 126) head[1] = length < 65_536 ? 126 : 127
  return Buffer.concat([head, payload])
}

function response(status: number, body: string): string {
  return `HTTP/1.1 ${status} Whatever\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function framesOf(bytes: Buffer, cuts: readonly number[]): [number, string][] {
  const seen: [number, string][] = []
  feed(
    frameReader((opcode, payload) => seen.push([opcode, payload.toString()])),
    bytes,
    cuts,
  )
  return seen
}

/** Cuts are places in the bytes, taken modulo their length. */
function feed(reader: Reader, bytes: Buffer, cuts: readonly number[]): void {
  const places = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length].toSorted((a, b) => a - b)
  let from = 0
  for (const place of places) {
    reader.read(bytes.subarray(from, place))
    from = place
  }
}
