import { describe, expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const info = { cmd: 'INFO', data: expect.any(String) }

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
      expect(answer.headers.get('access-control-expose-headers')).toBe('X-Message-Id, X-Error, Retry-After')
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

test.each([
  ['/nowhere', 404, 'not-found'],
  ['/a.send?token=x', 400, 'token-in-url'],
  ['/system.send', 403, 'not-allowed'],
])('a refusal of %s names its error in X-Error', async (path, status, name) => {
  const hub = await startHub()
  const answer = await hub.get(path)
  expect([answer.status, answer.headers.get('x-error')]).toEqual([status, name])
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

test('what the hub refuses never tells how it is made', async () => {
  const hub = await startHub()
  for (const body of ['{', '[', '\u0000', '{"cmd":{}}', '{"cmd":"AUTH","data":[]}', '{"cmd":"MESSAGE","data":"x"}']) {
    const { text, status } = await hub.post(body)
    expect(status).toBe(400)
    expect(text).not.toMatch(/at |\.ts|node_modules|Unexpected token|Error/)
  }
})
