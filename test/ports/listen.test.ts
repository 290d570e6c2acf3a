import { EventEmitter, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createPort, type Handle, type Port, type PortLimits, upgradeOnly } from '../../server/ports/listen.ts'

const hello: Handle = (request, response) => void response.end(String(request.url?.length))

/** Answers `/`, and nothing else for ever. */
const onlyRoot: Handle = (request, response) => {
  if (request.url === '/') response.end('good')
}
const usual: PortLimits = { maxConnections: 1_000, maxUrl: 16_384, maxHeaders: 16_384, readMs: 30_000, writeMs: 30_000 }

async function listening(
  handle: Handle = hello,
  limits: Partial<PortLimits> = {},
): Promise<{ port: number; it: Port }> {
  const it = createPort(handle, 'http.port', { ...usual, ...limits })
  const port = await it.listen('127.0.0.1', 0)
  onTestFinished(async () => {
    it.refuseNew()
    await it.drain()
  })
  return { port, it }
}

/** Sends bytes and returns all that comes back until the other side closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = await open(port)
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

function get(path: string, header = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${header}\r\n`
}

test('a URL as long as maxUrl allows comes through beside large headers', async () => {
  const { port } = await listening(hello, { maxUrl: 20_000 })
  const answer = await raw(port, get(`/${'a'.repeat(19_999)}`, `x: ${'b'.repeat(15_000)}\r\n`))
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
  expect(answer).toMatch(/20000$/)
})

test('headers beyond the limit are refused with 431', async () => {
  const { port } = await listening(hello, { maxUrl: 1, maxHeaders: 2_000 })
  expect(await raw(port, get('/', `x: ${'b'.repeat(1_900)}\r\n`))).toMatch(/^HTTP\/1.1 200 /)
  expect(await raw(port, get('/', `x: ${'b'.repeat(2_100)}\r\n`))).toMatch(/^HTTP\/1.1 431 /)
})

test.each([
  ['no HTTP at all', '\x16\x03\x01\x00\r\n\r\n'],
  ['a bad request line', 'GET\r\n\r\n'],
  ['two lengths', 'POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
])('%s is refused, and the next request is served', async (_, bytes) => {
  const { port } = await listening()
  expect(await raw(port, bytes)).toMatch(/^HTTP\/1.1 400 /)
  expect(await raw(port, get('/'))).toMatch(/^HTTP\/1.1 200 /)
})

test('a reset in the middle of the headers harms nobody', async () => {
  const { port } = await listening()
  const socket = await open(port)
  socket.write('GET / HTTP/1.1\r\nho')
  socket.resetAndDestroy()
  await once(socket, 'close')
  expect(await raw(port, get('/'))).toMatch(/^HTTP\/1.1 200 /)
})

test('slow headers and bodies have their limits', async () => {
  const { it } = await listening()
  expect(it.server).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000, maxHeadersCount: 100 })
})

test.each([
  ['headers', 'GET / HTTP/1.1\r\nho'],
  ['a body', 'POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhalf'],
])('%s that do not come in time are refused with 408', async (_, bytes) => {
  const { port } = await listening(() => {}, { readMs: 30 })
  expect(await raw(port, bytes)).toMatch(/^HTTP\/1.1 408 /)
})

test('an answer that has not left in time is cut, on a connection that was good before too', async () => {
  const { port } = await listening(onlyRoot, { writeMs: 30 })
  const answers = await raw(port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\nGET /never HTTP/1.1\r\nhost: h\r\n\r\n')
  expect(answers).toMatch(/^HTTP\/1.1 200 [\s\S]*good$/)
})

test('an answer that nobody reads is cut', async () => {
  const asked = new EventEmitter()
  const handle: Handle = (_, response) => {
    asked.emit('request', response)
    response.end(Buffer.alloc(50_000_000))
  }
  const { port } = await listening(handle, { writeMs: 30 })
  const socket = await open(port)
  const ended = once(socket, 'close')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n')
  const [response]: ServerResponse[] = await once(asked, 'request')
  await once(response ?? asked, 'close')

  socket.resume()
  await ended
  expect(socket.bytesRead).toBeLessThan(50_000_000)
})

test('a connection that was answered stays, however long ago that was', async () => {
  const { port } = await listening(onlyRoot, { writeMs: 30 })
  const socket = await open(port)
  for (let n = 0; n < 2; n += 1) {
    socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n')
    const [answer]: Buffer[] = await once(socket, 'data')
    expect(answer?.toString()).toMatch(/^HTTP\/1.1 200 /)
    // cut when its time is over, and the other one is older
    expect(await raw(port, get('/never'))).toBe('')
  }
  socket.destroy()
})

test.each(['http.port', 'websocket.port'])('a port in use: what to change is %s', async (key) => {
  const { port } = await listening()
  const second = createPort(hello, key, usual)
  await expect(second.listen('127.0.0.1', port)).rejects.toThrow(
    `port ${port} of 127.0.0.1 is in use: choose another with ${key}`,
  )
})

test('a host of another machine', async () => {
  await expect(createPort(hello, 'http.port', usual).listen('192.0.2.1', 0)).rejects.toThrow('192.0.2.1 is no address')
})

test('a port for WebSocket alone answers 426', async () => {
  const { port } = await listening(upgradeOnly)
  const answer = await raw(port, get('/'))
  expect(answer).toMatch(/^HTTP\/1.1 426 /)
  expect(answer).toMatch(/upgrade: websocket/)
})

test('a stop lets answers on their way through and cuts who stays', async () => {
  const asked = new EventEmitter()
  const { port, it } = await listening((_, response) => void asked.emit('request', response))
  const silent = await open(port)
  const cut = once(silent, 'close')
  const waiting = raw(port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\n')
  const [response]: ServerResponse[] = await once(asked, 'request')

  it.refuseNew()
  const drained = it.drain()
  response?.end('late')
  expect(await waiting).toMatch(/late/)
  await Promise.all([drained, cut])
  expect(it.server.listening).toBe(false)
})
