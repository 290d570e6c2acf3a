import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type HubOptions, startHub, type TestHub } from '../helpers/hub.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const info = { cmd: 'INFO', data: expect.any(String) }

/** What the hub answers to bytes, until it closes the connection. */
async function exchange(hub: TestHub, ...pieces: string[]): Promise<string> {
  const socket = connectTcp(Number(new URL(hub.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString()))
  socket.on('error', () => {})
  for (const piece of pieces) socket.write(piece)
  await once(socket, 'close')
  return text
}

describe('CORS', () => {
  const preflight = {
    method: 'OPTIONS',
    headers: {
      origin: 'https://pwa.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-other',
    },
  }

  test('a preflight is answered before any token check, on any path', async () => {
    const hub = await startHub({ config: { http: { verifyToken: true } } })
    for (const path of ['/', '/me.send', '/any/path', '/health']) {
      const answer = await hub.request(path, preflight)
      expect(answer).toMatchObject({ status: 200, text: '' })
      expect(answer.headers.get('content-type')).toBe(JSON_TYPE)
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://pwa.example')
      expect(answer.headers.get('access-control-allow-methods')).toBe('POST')
      expect(answer.headers.get('access-control-allow-headers')).toBe('content-type,x-other')
      expect(answer.headers.has('access-control-allow-credentials')).toBe(false)
    }
  })

  test('every answer names the origin that asked, refusals too', async () => {
    const hub = await startHub({ config: { http: { verifyToken: true } } })
    for (const path of ['/a.send', '/nowhere', '/health']) {
      const answer = await hub.get(path, { origin: 'https://pwa.example' })
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://pwa.example')
      expect(answer.headers.get('access-control-expose-headers')).toContain('X-Message-Id')
      expect(answer.headers.get('vary')).toBe('origin')
    }
    expect((await hub.get('/a.send')).headers.has('access-control-allow-origin')).toBe(false)
  })

  test('off: no header, and a preflight is 403', async () => {
    const hub = await startHub({ config: { http: { cors: false } } })
    expect(await hub.request('/', preflight)).toMatchObject({ status: 403, json: info })
    const answer = await hub.get('/nobody.send', { origin: 'https://pwa.example' })
    expect(answer.status).toBe(200)
    expect(answer.headers.has('access-control-allow-origin')).toBe(false)
  })
})

describe('methods', () => {
  test.each(['PUT', 'DELETE', 'PATCH', 'HEAD'])('%s is 405 and says what is allowed', async (method) => {
    const hub = await startHub()
    const answer = await hub.request('/me.send?text=x', { method })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET, POST, OPTIONS')
    expect(answer.headers.get('content-type')).toBe(JSON_TYPE)
    if (method !== 'HEAD') expect(answer.json).toEqual(info)
  })
})

describe('limits', () => {
  const small: HubOptions = {
    config: { http: { waitTimeout: 0, maxBody: 1_000, maxUrl: 2_000 }, clients: [{ name: 'me' }] },
  }
  const bodyOf = (bytes: number) => `{"text":"${'x'.repeat(bytes - 11)}"}`
  const urlOf = (bytes: number) => `/me.send?text=${'x'.repeat(bytes - 14)}`

  test.each([
    [999, 200],
    [1_000, 200],
    [1_001, 413],
  ])('a body of %i bytes: %i', async (bytes, status) => {
    const hub = await startHub(small)
    const answer = await hub.post(bodyOf(bytes), {}, '/me.send')
    expect(answer.status).toBe(status)
    if (status === 413) expect(answer).toMatchObject({ json: info })
  })

  test.each([
    [999, 200],
    [1_000, 200],
    [1_001, 413],
  ])('a body of %i bytes that names no length: %i', async (bytes, status) => {
    const hub = await startHub(small)
    const stream = new Blob([bodyOf(bytes)]).stream()
    const answer = await hub.request('/me.send', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    })
    expect(answer.status).toBe(status)
  })

  test('the limit counts bytes, not characters', async () => {
    const hub = await startHub(small)
    expect((await hub.post({ text: '中'.repeat(400) }, {}, '/me.send')).status).toBe(413)
  })

  test('the default limit is 64 KiB', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
    expect((await hub.post(bodyOf(65_536), {}, '/me.send')).status).toBe(200)
    expect((await hub.post(bodyOf(65_537), {}, '/me.send')).status).toBe(413)
  })

  test('a huge body is refused and the connection closed without waiting for it', async () => {
    const hub = await startHub(small)
    const announced = await exchange(
      hub,
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 30000000\r\n\r\n{',
    )
    expect(announced).toMatch(/^HTTP\/1.1 413 /)
    const chunked = await exchange(
      hub,
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      `7d0\r\n${'x'.repeat(2_000)}\r\n`,
    )
    expect(chunked).toMatch(/^HTTP\/1.1 413 /)
  })

  test.each([
    [1_999, 200],
    [2_000, 200],
    [2_001, 414],
  ])('a URL of %i bytes: %i', async (bytes, status) => {
    const hub = await startHub(small)
    expect((await hub.get(urlOf(bytes))).status).toBe(status)
    expect((await hub.post({ text: 'x' }, {}, urlOf(bytes))).status).toBe(status)
  })

  test('the default URL limit is 16 KiB, headers or no headers', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
    const headers = { 'x-padding': 'x'.repeat(8_000) }
    expect((await hub.get(urlOf(16_384), headers)).status).toBe(200)
    expect((await hub.get(urlOf(16_385), headers)).status).toBe(414)
  })

  test('headers beyond the limit are 431', async () => {
    const hub = await startHub(small)
    expect((await hub.request('/me.send', { headers: { 'x-padding': 'x'.repeat(15_000) } })).status).toBe(200)
    const answer = await exchange(hub, `GET /me.send HTTP/1.1\r\nhost: x\r\nx-padding: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 /)
  })

  test('a body that ends early leaves nothing behind', async () => {
    const logged: unknown[] = []
    const { createLog } = await import('../../server/log.ts')
    const hub = await startHub({ ...small, log: createLog('error', { write: (line) => void logged.push(line) }) })
    const socket = connectTcp(Number(new URL(hub.url).port), '127.0.0.1')
    socket.write(
      'POST /me.send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"text":',
    )
    await once(socket, 'connect')
    await hub.get('/me.send?text=between')
    socket.destroy()
    await hub.get('/me.send?text=after')
    expect(logged).toEqual([])
    const page = await hub.store.inbox('me@user', { limit: 10 })
    expect(page.items.map(({ message }) => message.body['text'])).toEqual(['between', 'after'])
  })
})

describe('JSON', () => {
  const nested = (depth: number) => `{"text":"x","deep":${'['.repeat(depth)}${']'.repeat(depth)}}`

  test.each([
    [31, 200],
    [32, 400],
    [6_000, 400],
    [30_000, 400],
  ])('arrays nested %i deep in a body: %i', async (depth, status) => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
    const answer = await hub.post(nested(depth), {}, '/me.send')
    expect(answer.status).toBe(status)
    if (status === 400) expect(answer.json).toEqual({ cmd: 'INFO', data: 'JSON is nested deeper than 32 levels' })
  })

  test.each(['__proto__', 'constructor', 'prototype'])('the key %s is refused wherever it stands', async (key) => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
    const packet = (extra: string) =>
      `{"cmd":"MESSAGE","data":{"sendType":"personal","target":"me","message":{"extra":${extra}}}}`
    for (const body of [
      `{"${key}":{"polluted":1},"text":"x"}`,
      packet(`{"${key}":1}`),
      packet(`{"a":[{"b":{"${key}":1}}]}`),
      `{"cmd":"TEST_HTTP","${key}":1}`,
    ]) {
      expect(await hub.post(body, {}, '/me.send')).toMatchObject({ status: 400, json: info })
    }
    expect((await hub.request('/me.send', { method: 'POST', body: new URLSearchParams([[key, '1']]) })).status).toBe(
      400,
    )
    expect(Object('')).not.toHaveProperty('polluted')
  })
})

test('what the hub refuses never tells how it is made', async () => {
  const hub = await startHub()
  for (const body of ['{', '[', '\u0000', '{"cmd":{}}', '{"cmd":"AUTH","data":[]}', '{"cmd":"MESSAGE","data":"x"}']) {
    const { text, status } = await hub.post(body)
    expect(status).toBe(400)
    expect(text).not.toMatch(/at |\.ts|node_modules|Unexpected token|Error/)
  }
})
