/** Frames that no client should send: what the hub closes the socket with, and that nobody else notices. */
import fc from 'fast-check'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createLog } from '../../server/ground/log.ts'
import { startHub, type TestHub, TOKEN } from '../helpers/hub.ts'
import { slips } from './bytes.ts'
import { CLOSE, closeCode, FIN, frame, openSocket, TEXT } from './wire.ts'

const CONTINUATION = 0x00
const BINARY = 0x02
const PING = 0x09
const RSV1 = 0x40
const PING_PACKET = '{"cmd":"PING"}'

const number16 = (n: number) => Buffer.of(n >> 8, n & 0xff)
const times = (n: number, bytes: Buffer) => Buffer.concat(Array.from({ length: n }, () => bytes))

test.each<readonly [string, Buffer, number]>([
  ['a frame without a mask', Buffer.of(FIN | TEXT, 1, 0x41), 1002],
  ['a reserved bit without an extension', frame(FIN | RSV1 | TEXT, 'A'), 1002],
  ['the second reserved bit', frame(FIN | 0x20 | TEXT, 'A'), 1002],
  ['the third reserved bit', frame(FIN | 0x10 | TEXT, 'A'), 1002],
  ['a reserved bit on a control frame', frame(FIN | RSV1 | PING), 1002],
  ['a reserved opcode', frame(FIN | 0x03, 'A'), 1002],
  ['a reserved opcode of control', frame(FIN | 0x0b, 'A'), 1002],
  ['a ping in pieces', frame(PING, 'A'), 1002],
  ['a ping of 126 bytes', frame(FIN | PING, 'x'.repeat(126)), 1002],
  ['a close of 126 bytes', frame(FIN | CLOSE, 'x'.repeat(126)), 1002],
  ['a close of one byte', frame(FIN | CLOSE, Buffer.of(3)), 1002],
  ['a close with a code below all codes', frame(FIN | CLOSE, number16(999)), 1002],
  ['a close with the code for no code', frame(FIN | CLOSE, number16(1005)), 1002],
  ['a close with the code of a lost connection', frame(FIN | CLOSE, number16(1006)), 1002],
  ['a close with a code that nobody has', frame(FIN | CLOSE, number16(2999)), 1002],
  ['a close with a code above all codes', frame(FIN | CLOSE, number16(5000)), 1002],
  ['a close with a reason that is no text', frame(FIN | CLOSE, Buffer.concat([number16(1000), Buffer.of(0xff)])), 1007],
  ['a close without a code', frame(FIN | CLOSE), 1005],
  ['a continuation of nothing', frame(FIN | CONTINUATION, 'A'), 1002],
  ['a text inside a text in pieces', Buffer.concat([frame(TEXT, 'A'), frame(FIN | TEXT, 'B')]), 1002],
  ['a text that is not UTF-8', frame(FIN | TEXT, Buffer.of(0xc3, 0x28)), 1007],
  ['a text that ends in half a character', frame(FIN | TEXT, Buffer.of(0xe4, 0xb8)), 1007],
  ['a surrogate in UTF-8', frame(FIN | TEXT, Buffer.of(0xed, 0xa0, 0x80)), 1007],
  ['a text in pieces that is not UTF-8', Buffer.concat([frame(TEXT, '{'), frame(FIN, Buffer.of(0xff))]), 1007],
  ['a length of 2^62, and nothing behind it', Buffer.of(FIN | TEXT, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1009],
  ['a length with the highest bit', Buffer.of(FIN | TEXT, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1009],
  ['a length of 4 GiB', Buffer.of(FIN | TEXT, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), 1009],
  ['129 pieces', Buffer.concat([frame(TEXT, 'A'), times(128, frame(CONTINUATION, 'A'))]), 1008],
  ['200,000 pieces of nothing', Buffer.concat([frame(TEXT), times(200_000, frame(CONTINUATION))]), 1008],
  ['a binary frame', frame(FIN | BINARY, PING_PACKET), 1003],
  ['an empty binary frame', frame(FIN | BINARY), 1003],
])('%s', async (_, bytes, code) => {
  const hub = await startHub()
  const { socket, until, closed } = await openSocket(hub)
  socket.write(bytes)
  expect(closeCode(await until((heard) => closeCode(heard) !== null))).toBe(code)
  socket.destroy()
  await closed
  expect((await hub.get('/health')).json).toMatchObject({ status: 'ok', sessions: 0 })
})

test.each<readonly [string, Buffer]>([
  ['a packet in pieces', Buffer.concat([frame(TEXT, PING_PACKET.slice(0, 5)), frame(FIN, PING_PACKET.slice(5))])],
  ['a packet in 128 pieces', Buffer.concat([frame(TEXT, PING_PACKET), times(126, frame(CONTINUATION)), frame(FIN)])],
  ['a ping between the pieces', Buffer.concat([frame(TEXT, PING_PACKET), frame(FIN | PING), frame(FIN)])],
  ['a pong that nobody asked for', Buffer.concat([frame(FIN | 0x0a, 'x'), frame(FIN | TEXT, PING_PACKET)])],
  ['a ping of 125 bytes', Buffer.concat([frame(FIN | PING, 'x'.repeat(125)), frame(FIN | TEXT, PING_PACKET)])],
])('%s is read like any other', async (_, bytes) => {
  const hub = await startHub()
  const { socket, until, closed } = await openSocket(hub)
  socket.write(bytes)
  expect(String(await until((heard) => heard.includes('PONG')))).toContain('{"cmd":"PONG","data":""}')
  socket.destroy()
  await closed
})

describe('a socket that ends', () => {
  test.each<readonly [string, (socket: Socket) => void]>([
    ['in the head of a frame', (socket) => socket.end(Buffer.of(FIN | TEXT, 0xfe, 0x10))],
    ['in the middle of a frame', (socket) => socket.end(frame(FIN | TEXT, PING_PACKET).subarray(0, 9))],
    ['between pieces', (socket) => socket.end(frame(TEXT, '{'))],
    ['by a reset', (socket) => socket.resetAndDestroy()],
  ])('%s does no harm', async (_, finish) => {
    const hub = await startHub()
    const { socket, until, closed } = await openSocket(hub)
    socket.write(frame(FIN | TEXT, JSON.stringify({ cmd: 'AUTH', data: { token: TOKEN, name: 'me' } })))
    await until((heard) => heard.includes('"code":200'))
    finish(socket)
    await closed
    await expect.poll(async () => Object((await hub.get('/health')).json).sessions).toBe(0)
    expect((await hub.get('/me.send')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })
  })
})

/** They come from a socket that has just been replaced: that stopped mpush. */
test.each<readonly [string, Buffer]>([
  ['a malformed frame', frame(FIN | RSV1 | 0x03, 'A')],
  ['a text that is not UTF-8', frame(FIN | TEXT, Buffer.of(0xff))],
  ['a frame beyond the limit', Buffer.of(FIN | TEXT, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)],
  ['a packet that is not JSON', frame(FIN | TEXT, '{')],
  ['an AUTH', frame(FIN | TEXT, JSON.stringify({ cmd: 'AUTH', data: { token: TOKEN, name: 'me' } }))],
  ['an UNREGISTER', frame(FIN | TEXT, '{"cmd":"UNREGISTER"}')],
  ['half a frame', Buffer.of(FIN | TEXT, 0xfe, 0x10)],
])('%s from a socket that was just replaced ends nothing but itself', async (_, bytes) => {
  const hub = await startHub()
  const old = await hub.login('me')
  const raw: Socket = Reflect.get(old.socket, '_socket')
  raw.pause()
  const me = await hub.login('me')
  raw.write(bytes)
  await me.settled()
  raw.resume()
  await old.closed
  const push = hub.get('/me.send?text=x')
  me.ack((await me.message()).mid)
  expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
})

describe('any bytes', () => {
  const packets = [
    PING_PACKET,
    JSON.stringify({ cmd: 'AUTH', data: { token: TOKEN, name: 'fuzz', device: 'd', window: 5, confirms: true } }),
    '{"cmd":"MESSAGE","data":{"sendType":"personal","target":"fuzz","message":{"text":"x"}}}',
    '{"cmd":"MESSAGE_CALLBACK","data":{"mid":"1800000000000"}}',
    '{"cmd":"CONFIRM","data":{"mid":"1800000000000"}}',
    '{"cmd":"UNREGISTER"}',
  ]
  const conversation = Buffer.concat(packets.map((packet) => frame(FIN | TEXT, packet)))
  const recordings = [conversation, ...packets.map((packet) => frame(FIN | TEXT, packet)), frame(FIN | PING, 'x')]
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))

  async function sendAll(hub: TestHub, all: readonly Buffer[]): Promise<void> {
    for (let at = 0; at < all.length; at += 20) {
      await Promise.all(
        all.slice(at, at + 20).map(async (bytes) => {
          const { socket, closed } = await openSocket(hub)
          socket.end(bytes)
          await closed
        }),
      )
    }
  }

  test('1,000 conversations with bytes wrong, and 500 of noise, are no fault and disturb nobody', async () => {
    const faults: string[] = []
    const log = createLog('error', { write: (line) => void faults.push(line) })
    const hub = await startHub({ log, config: { websocket: { waitTimeout: 0 } } })
    const me = await hub.login('me')
    await sendAll(hub, fc.sample(slips(recordings), { seed: 91, numRuns: 1_000 }))
    await sendAll(hub, fc.sample(noise, { seed: 92, numRuns: 500 }))
    const push = hub.get('/me.send')
    me.ack((await me.message()).mid)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
    expect(faults).toEqual([])
    await expect.poll(async () => Object((await hub.get('/health')).json).sessions).toBe(1)
  }, 60_000)
})
