import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { expect, test } from 'vitest'
import { startHub, type TestHub } from '../helpers/hub.ts'

const offer = 'host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'

/** What comes back on one connection, until it holds `last`. */
async function exchange(hub: TestHub, last: string, ...pieces: string[]): Promise<string> {
  const socket = connectTcp(Number(new URL(hub.url).port), '127.0.0.1').setEncoding('utf8')
  await once(socket, 'connect')
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  let text = ''
  while (!text.includes(last)) text += String((await once(socket, 'data'))[0])
  socket.destroy()
  return text
}

test('a GET that offers HTTP/2 is a push like any other', async () => {
  const hub = await startHub()
  const text = await exchange(hub, '"no"', `GET /nobody.send?text=x HTTP/1.1\r\n${offer}\r\n`)
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/)
  expect(text).toContain('{"cmd":"MESSAGE_REPLY","data":{"nobody":"no"}}')
})

test('so is a POST, its body in one piece with the headers or behind them, and what follows on the connection', async () => {
  const hub = await startHub()
  const body = '{"text":"x"}'
  const headers = `POST /nobody.send HTTP/1.1\r\n${offer}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  const next = 'GET /next.send HTTP/1.1\r\nhost: x\r\n\r\n'
  for (const pieces of [
    [headers + body, next],
    [headers, body, next],
    [headers + body.slice(0, 4), body.slice(4) + next],
  ]) {
    const text = await exchange(hub, '"next":"no"', ...pieces)
    expect(text).toContain('{"nobody":"no"}')
    expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2)
  }
})

test('a WebSocket beside it still opens, whatever the case of its header', async () => {
  const hub = await startHub()
  const text = await exchange(
    hub,
    '\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: x\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  expect(text).toMatch(/^HTTP\/1.1 101 /)
})
