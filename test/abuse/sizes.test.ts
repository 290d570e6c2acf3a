/** One less than what is allowed, just that, and one more, of everything that has a size. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type HubOptions, startHub, type TestHub } from '../helpers/hub.ts'
import { quiet } from './doors.ts'
import { closeCode, exchange, FIN, frame, openSocket, statuses, TEXT } from './wire.ts'

const KIB = 1024
const MAX_BODY = 64 * KIB
const MAX_URL = 16 * KIB
const MAX_FRAME = 64 * KIB
const small: HubOptions = {
  config: {
    http: { waitTimeout: 0, maxBody: 1_000, maxUrl: 2_000 },
    websocket: { maxFrame: 1_000 },
    clients: [{ name: 'me' }],
  },
}

const bodyOf = (bytes: number) => `{"text":"${'x'.repeat(bytes - 11)}"}`
const urlOf = (bytes: number) => `/me.send?text=${'x'.repeat(bytes - 14)}`
const around = (limit: number) => [limit - 1, limit, limit + 1]
const JSON_POST = 'POST /me.send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'

/** What becomes of a thing of so many bytes. */
interface Thing {
  readonly what: string
  readonly limit: number
  readonly hub: HubOptions
  /** the status beyond the limit */
  readonly beyond: number
  send(hub: TestHub, bytes: number): Promise<number>
}

async function inChunks(hub: TestHub, text: string): Promise<number> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, duplex: 'half' } as const
  return (await hub.request('/me.send', { ...init, body: new Blob([text]).stream() })).status
}

const things: readonly Thing[] = [
  {
    what: 'a body',
    limit: 1_000,
    hub: small,
    beyond: 413,
    send: async (hub, bytes) => (await hub.post(bodyOf(bytes), {}, '/me.send')).status,
  },
  {
    what: 'a body, unless the config says otherwise,',
    limit: MAX_BODY,
    hub: quiet,
    beyond: 413,
    send: async (hub, bytes) => (await hub.post(bodyOf(bytes), {}, '/me.send')).status,
  },
  {
    what: 'a body that names no length',
    limit: 1_000,
    hub: small,
    beyond: 413,
    send: (hub, bytes) => inChunks(hub, bodyOf(bytes)),
  },
  {
    what: 'a body of characters of three bytes',
    limit: 1_000,
    hub: small,
    beyond: 413,
    send: async (hub, bytes) =>
      (await hub.post(`{"text":"${'中'.repeat(300)}${'x'.repeat(bytes - 911)}"}`, {}, '/me.send')).status,
  },
  {
    what: 'a body of the PushServer API',
    limit: MAX_BODY,
    hub: quiet,
    beyond: 413,
    async send(hub, bytes) {
      const fields = '"recipient_alias":"me","type":"info","style":"text","content":{"title":"t","msg":""}'
      const body = `{${fields.replace('"msg":""', `"msg":"${'x'.repeat(bytes - fields.length - 2)}"`)}}`
      return (await hub.post(body, {}, '/api/v1/push')).status
    },
  },
  {
    what: 'a URL',
    limit: 2_000,
    hub: small,
    beyond: 414,
    send: async (hub, bytes) => (await hub.get(urlOf(bytes))).status,
  },
  {
    what: 'a URL of a POST',
    limit: 2_000,
    hub: small,
    beyond: 414,
    send: async (hub, bytes) => (await hub.post({ text: 'x' }, {}, urlOf(bytes))).status,
  },
  {
    what: 'a URL beside large headers, unless the config says otherwise,',
    limit: MAX_URL,
    hub: quiet,
    beyond: 414,
    send: async (hub, bytes) => (await hub.get(urlOf(bytes), { 'x-padding': 'x'.repeat(8_000) })).status,
  },
  {
    what: 'an idempotency key',
    limit: 255,
    hub: quiet,
    beyond: 400,
    send: async (hub, bytes) => (await hub.get('/me.send', { 'idempotency-key': 'k'.repeat(bytes) })).status,
  },
  {
    what: 'an idempotency key in a URL',
    limit: 255,
    hub: quiet,
    beyond: 400,
    send: async (hub, bytes) => (await hub.get(`/me.send?idem=${'k'.repeat(bytes)}`)).status,
  },
]

describe.each(things)('$what', ({ limit, hub: options, beyond, send }) => {
  test(`may have ${limit}, and not one more`, async () => {
    const hub = await startHub(options)
    const statuses = []
    for (const bytes of around(limit)) statuses.push(await send(hub, bytes))
    expect(statuses).toEqual([200, 200, beyond])
  })
})

test('headers may have 16 KiB beside the longest URL, and not much more', async () => {
  const hub = await startHub(quiet)
  const sent = (bytes: number) =>
    exchange(hub, `GET ${urlOf(MAX_URL)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: ${'x'.repeat(bytes)}\r\n\r\n`)
  expect(statuses(await sent(16_000))).toEqual([200])
  expect(statuses(await sent(16 * KIB + 1))).toEqual([431])
})

test('a body or a chunk that is announced too large is refused before it comes, and the connection closed', async () => {
  const hub = await startHub(small)
  expect(statuses(await exchange(hub, `${JSON_POST}content-length: 30000000\r\n\r\n{`))).toEqual([413])
  expect(statuses(await exchange(hub, `${JSON_POST}content-length: ${2 ** 53}\r\n\r\n{`))).toEqual([413])
  const chunk = `7d0\r\n${'x'.repeat(2_000)}\r\n`
  expect(statuses(await exchange(hub, `${JSON_POST}transfer-encoding: chunked\r\n\r\n`, chunk))).toEqual([413])
})

test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip', 'x-unknown', 'identity, gzip'])(
  'a body in %s is not looked at',
  async (encoding) => {
    const hub = await startHub(quiet)
    const body = gzipSync(bodyOf(10_000_000))
    expect(body.length).toBeLessThan(MAX_BODY)
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
    for (const path of ['/', '/me.send', '/api/v1/push']) {
      expect((await hub.request(path, { method: 'POST', headers, body })).status).toBe(415)
    }
    expect((await hub.request('/sms/send', { method: 'POST', headers, body })).json).toMatchObject({ code: 1 })
  },
)

describe('a frame', () => {
  const ping = (bytes: number) => frame(FIN | TEXT, `{"cmd":"PING","data":"${'x'.repeat(bytes - 24)}"}`)

  test.each([
    ['unless the config says otherwise', quiet, MAX_FRAME],
    ['as the config says', small, 1_000],
  ])('may have so many bytes, %s, and not one more', async (_, options, limit) => {
    const hub = await startHub(options)
    for (const bytes of [limit - 1, limit]) {
      const { socket, until, closed } = await openSocket(hub)
      socket.write(ping(bytes))
      expect(String(await until((heard) => heard.includes('}')))).toContain('PONG')
      socket.destroy()
      await closed
    }
    const { socket, heard, closed } = await openSocket(hub)
    socket.write(ping(limit + 1))
    await closed
    expect(closeCode(heard())).toBe(1009)
  })

  test('in pieces has the same limit', async () => {
    const hub = await startHub(small)
    const { socket, heard, closed } = await openSocket(hub)
    socket.write(frame(TEXT, 'x'.repeat(600)))
    socket.write(frame(FIN, 'x'.repeat(401)))
    await closed
    expect(closeCode(heard())).toBe(1009)
  })

  test('that is compressed is none: the offer to compress is not taken', async () => {
    const hub = await startHub(quiet)
    const { socket, closed } = await hub.connect('', { 'sec-websocket-extensions': 'permessage-deflate' })
    expect(socket.extensions).toBe('')
    Reflect.get(socket, '_socket').write(frame(FIN | 0x40 | TEXT, gzipSync('x')))
    expect((await closed).code).toBe(1002)
  })
})
