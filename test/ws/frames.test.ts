/** Frames that no client should send, through sockets opened by hand. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'

describe('malformed frames', () => {
  /** Opens a socket by hand, sends the bytes, and resolves with the close code that comes back. */
  async function closeCodeAfter(port: number, bytes: Buffer): Promise<number> {
    const socket = connectTcp(port, '127.0.0.1')
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    socket.write(
      `GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: ${key}\r\nsec-websocket-version: 13\r\n\r\n`,
    )
    await once(socket, 'data')
    const answer: Buffer[] = []
    socket.on('data', (chunk) => answer.push(chunk))
    socket.write(bytes)
    await once(socket, 'close')
    const close = Buffer.concat(answer)
    return close[0] === 0x88 ? close.readUInt16BE(2) : 0
  }

  const masked = (opcode: number, payload: Buffer, length = payload.length) =>
    Buffer.concat([Buffer.of(opcode, 0x80 | length, 0, 0, 0, 0), payload])

  test.each([
    ['unmasked', Buffer.of(0x81, 0x01, 0x41), 1002],
    ['a reserved bit', masked(0xc1, Buffer.from('A')), 1002],
    ['a reserved opcode', masked(0x83, Buffer.from('A')), 1002],
    ['a stray continuation', masked(0x80, Buffer.from('A')), 1002],
    ['a fragmented ping', masked(0x09, Buffer.from('A')), 1002],
    ['text inside a fragment', Buffer.concat([masked(0x01, Buffer.from('A')), masked(0x81, Buffer.from('B'))]), 1002],
    ['a close of one byte', masked(0x88, Buffer.of(3)), 1002],
    ['bad UTF-8', masked(0x81, Buffer.of(0xc3, 0x28)), 1007],
    ['a length of 2^62', Buffer.of(0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1009],
    [
      'too many fragments',
      Buffer.concat([
        masked(0x01, Buffer.from('A')),
        ...Array.from({ length: 300 }, () => masked(0x00, Buffer.from('A'))),
      ]),
      1008,
    ],
  ])('%s', async (_, bytes, code) => {
    const hub = await startHub()
    expect(await closeCodeAfter(Number(new URL(hub.url).port), bytes)).toBe(code)
    expect((await hub.get('/health')).status).toBe(200)
  })

  test('half a frame and then the end does no harm', async () => {
    const hub = await startHub()
    const { socket, closed } = await hub.login('me')
    const raw: Socket = Reflect.get(socket, '_socket')
    raw.write(Buffer.of(0x81, 0xfe, 0x10))
    raw.end()
    await closed
    expect((await hub.get('/me.send')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })
  })
})

describe('two kills of mpush', () => {
  test('deep JSON to a connected name reaches nobody and stops nobody', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const deep = `{"a":${'['.repeat(6_000)}${']'.repeat(6_000)}}`
    const packet = `{"cmd":"MESSAGE","data":{"sendType":"personal","target":"me","message":{"text":"x","extra":${deep}}}}`
    expect((await hub.post(packet)).status).toBe(400)
    me.socket.send(packet)
    expect(await me.next('INFO')).toEqual({ cmd: 'INFO', data: 'JSON is nested deeper than 32 levels' })
    await me.settled()
    expect(me.packets.map(({ cmd }) => cmd)).toEqual(['AUTH', 'INFO', 'PONG'])
  })

  test('a malformed frame from a socket that was just replaced ends nothing but itself', async () => {
    const hub = await startHub()
    const old = await hub.login('me')
    const raw: Socket = Reflect.get(old.socket, '_socket')
    raw.pause()
    const me = await hub.login('me')
    raw.write(Buffer.of(0xf3, 0x01, 0x41))
    await me.settled()
    raw.resume()
    await old.closed
    const push = hub.get('/me.send?text=x')
    me.ack((await me.message()).mid)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  })
})
