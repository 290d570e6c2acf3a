/** Requests that two servers could read in two ways: the hub reads none of them twice. */
import { expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'
import { exchange, openWire, statuses } from './wire.ts'
import { quiet } from './doors.ts'

/** What a smuggler wants to be heard: it would be a message of its own. */
const HIDDEN = 'GET /me.send?text=smuggled HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
const LENGTH = HIDDEN.length
const post = (headers: string, body: string) =>
  `POST /me.send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`

const CHUNKED = 'transfer-encoding: chunked'
const NO_CHUNK = `0\r\n\r\n${HIDDEN}`

test.each<readonly [string, string]>([
  ['a length and chunks', post(`content-length: ${LENGTH + 5}\r\n${CHUNKED}`, NO_CHUNK)],
  ['chunks and a length', post(`${CHUNKED}\r\ncontent-length: ${LENGTH + 5}`, NO_CHUNK)],
  ['a length of none and chunks', post(`content-length: 0\r\n${CHUNKED}`, NO_CHUNK)],
  ['two lengths', post(`content-length: 0\r\ncontent-length: ${LENGTH}`, HIDDEN)],
  ['two lengths in one line', post(`content-length: 0, ${LENGTH}`, HIDDEN)],
  ['a length with a plus', post(`content-length: +${LENGTH}`, HIDDEN)],
  ['a length with a minus', post('content-length: -1', HIDDEN)],
  ['a length in hex', post('content-length: 0x5', HIDDEN)],
  ['a length with a letter', post('content-length: 0a', HIDDEN)],
  ['a length that is no number of 64 bits', post(`content-length: ${'9'.repeat(30)}`, HIDDEN)],
  ['a space before the colon', post('content-length : 0', HIDDEN)],
  ['chunks with a space before the colon', post('transfer-encoding : chunked', NO_CHUNK)],
  ['chunked twice', post('transfer-encoding: chunked, chunked', NO_CHUNK)],
  ['an encoding behind chunked', post('transfer-encoding: chunked, identity', NO_CHUNK)],
  ['an encoding that is none', post('transfer-encoding: xchunked', NO_CHUNK)],
  ['a vertical tab before chunked', post('transfer-encoding: \x0bchunked', NO_CHUNK)],
  ['a folded header', post('transfer-encoding:\r\n chunked', NO_CHUNK)],
  ['a header folded with a line feed', post('x: y\n content-length: 0', HIDDEN)],
  ['a bare carriage return', post('x: y\rcontent-length: 0', HIDDEN)],
  ['NUL in a header', post('x: \0', HIDDEN)],
  ['a header without a name', post(': x', HIDDEN)],
  ['a header name with a space', post('con tent-length: 0', HIDDEN)],
  ['a chunk with a length that is none', post(CHUNKED, `g\r\n${HIDDEN}`)],
  ['a chunk with a minus', post(CHUNKED, `-1\r\n${HIDDEN}`)],
  ['a chunk of more than 64 bits', post(CHUNKED, `${'f'.repeat(17)}\r\n${HIDDEN}`)],
  ['a chunk longer than it said', post(CHUNKED, `1\r\n{}\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk ended by a line feed', post(CHUNKED, `2\n{}\n0\n\n${HIDDEN}`)],
  ['a space in the request line', `GET /a b.send HTTP/1.1\r\nhost: x\r\n\r\n${HIDDEN}`],
  ['a line break in the request line', `GET /a\r\n.send HTTP/1.1\r\nhost: x\r\n\r\n${HIDDEN}`],
  ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
  ['a version that is none', `GET /health HTTP/9.9\r\nhost: x\r\n\r\n${HIDDEN}`],
  ['HTTP/2 without asking', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HIDDEN}`],
  ['HTTP/0.9', `GET /health\r\n\r\n${HIDDEN}`],
  ['TLS', `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${HIDDEN}`],
  ['a tunnel', `CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n${HIDDEN}`],
])('%s', async (_, bytes) => {
  const hub = await startHub(quiet)
  const answers = statuses(await exchange(hub, Buffer.from(bytes, 'latin1')))
  expect([[], [400]]).toContainEqual(answers)
  expect((await hub.store.inbox('me@user', { limit: 1 })).items).toEqual([])
  expect((await hub.get('/health')).status).toBe(200)
})

test.each<readonly [string, string]>([
  ['a body of a GET', `GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: ${LENGTH}\r\n\r\n${HIDDEN}`],
  ['a body of a refusal', `POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: ${LENGTH}\r\n\r\n${HIDDEN}`],
  ['a body of an OPTIONS', `OPTIONS / HTTP/1.1\r\nhost: x\r\ncontent-length: ${LENGTH}\r\n\r\n${HIDDEN}`],
  [
    'chunks of a refusal',
    `PUT / HTTP/1.1\r\nhost: x\r\n${CHUNKED}\r\n\r\n${LENGTH.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
  ],
])('%s is no request', async (_, bytes) => {
  const hub = await startHub(quiet)
  const last = 'GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
  expect(statuses(await exchange(hub, bytes + last))).toEqual([expect.any(Number), 200])
  expect((await hub.store.inbox('me@user', { limit: 1 })).items).toEqual([])
})

test.each([50, 99, 100, 128, 200, 400])(
  'a body behind an offer of HTTP/2 and %i more headers is no request',
  async (n) => {
    const hub = await startHub(quiet)
    const offer = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n'
    const many = Array.from({ length: n }, (_, k) => `x-${k}: y\r\n`).join('')
    const head = `POST /me.send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${offer}${many}`
    const { socket, until, closed } = await openWire(hub)
    socket.write(`${head}content-length: ${LENGTH}\r\n\r\n${HIDDEN}`)
    await until((heard) => statuses(String(heard)).length > 0)
    socket.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    await closed
    expect((await hub.store.inbox('me@user', { limit: 1 })).items).toEqual([])
  },
)
