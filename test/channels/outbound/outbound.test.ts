import diagnostics from 'node:diagnostics_channel'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createOutbound, type OutboundAnswer } from '../../../server/channels/outbound/outbound.ts'
import { testClock } from '../../helpers/clock.ts'
import { closedPort, startRawServer, startReceiver, status } from '../../helpers/receiver.ts'

const CANARY = 'canary-3f9a'
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

function keep<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}

function setUp() {
  const clock = testClock(Date.UTC(2026, 0, 1))
  const outbound = keep(createOutbound(clock, 15_000))
  const get = (url: string) =>
    outbound.request({ method: 'GET', url, headers: { authorization: CANARY }, trusted: true })
  return { clock, outbound, get }
}

/** Sends to a server that says `bytes`, and what came of it. */
async function hear(bytes: string, end: 'reset' | 'close' | 'stay' = 'close'): Promise<OutboundAnswer> {
  const server = keep(
    await startRawServer(bytes, (socket) => {
      if (end === 'close') socket.end()
      if (end === 'reset') setImmediate(() => socket.resetAndDestroy())
    }),
  )
  return setUp().get(`${server.url}/${CANARY}`)
}

test('a server that hangs for many still answers others', async () => {
  const receiver = keep(
    await startReceiver((response, { url }) => {
      if (url !== '/hang') response.end('here')
    }),
  )
  const { get } = setUp()
  const hanging = Array.from({ length: 100 }, () => get(`${receiver.url}/hang`))
  await receiver.received(100)
  expect(await get(receiver.url)).toMatchObject({ ok: true, body: 'here' })
  await receiver.close()
  open.splice(open.indexOf(receiver), 1)
  await Promise.all(hanging)
})

describe('an answer', () => {
  test('is its status and body', async () => {
    const receiver = keep(await startReceiver((response) => response.writeHead(201).end('早')))
    const { get, clock } = setUp()
    expect(await get(receiver.url)).toEqual({ ok: true, status: 201, body: '早', retryAfterMs: null })
    expect(clock.pending).toBe(0)
  })

  test.each([301, 302, 303, 307, 308])('a %i is not followed', async (code) => {
    const elsewhere = keep(await startReceiver())
    const receiver = keep(await startReceiver(status(code, { location: elsewhere.url })))
    expect(await setUp().get(receiver.url)).toMatchObject({ ok: true, status: code })
    expect(elsewhere.requests).toEqual([])
  })

  test('is asked for as it is, and what comes packed is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(32_000_000))
    expect(bomb.length).toBeLessThan(64 * 1024)
    const receiver = keep(
      await startReceiver((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)),
    )
    const answer = await setUp().get(receiver.url)
    expect(answer).toMatchObject({ ok: true, status: 200, body: bomb.toString() })
    expect(receiver.requests[0]?.headers).not.toHaveProperty('accept-encoding')
  })

  test('is read up to 64 KiB, however long it goes on', async () => {
    let written = 0
    const receiver = keep(
      await startReceiver((response) => {
        const chunk = 'x'.repeat(10_000)
        const more = () => {
          while (!response.destroyed && response.write(chunk)) written += chunk.length
        }
        response.writeHead(200).on('drain', more)
        more()
      }),
    )
    const answer = await setUp().get(receiver.url)
    expect(answer).toMatchObject({ ok: true, status: 200 })
    expect(answer.ok && answer.body.length).toBe(64 * 1024)
    expect(written).toBeLessThan(50_000_000)
  })

  test('whose body never ends keeps its status when time is up', async () => {
    const receiver = keep(await startReceiver((response) => void response.writeHead(200).write('so far')))
    const { get, clock } = setUp()
    const headersRead = once('undici:request:headers')
    const answer = get(receiver.url)
    await headersRead
    await clock.advance(15_000)
    expect(await answer).toMatchObject({ ok: true, status: 200 })
  })

  test('whose body is cut off keeps its status', async () => {
    const answer = await hear('HTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\n', 'reset')
    expect(answer).toMatchObject({ ok: true, status: 204 })
    expect(await hear('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')).toMatchObject({ status: 200, body: 'abc' })
  })

  test.each([
    ['7', 7_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['1795431115', 24 * 3_600_000],
    ['soon', null],
    ['-5', null],
    ['', null],
  ])('Retry-After %j is %j ms', async (header, ms) => {
    const receiver = keep(await startReceiver(status(503, { 'retry-after': header })))
    expect(await setUp().get(receiver.url)).toMatchObject({ status: 503, retryAfterMs: ms })
  })
})

describe('no answer', () => {
  test('nobody listens: nothing was sent', async () => {
    const answer = await setUp().get(`http://127.0.0.1:${await closedPort()}/${CANARY}`)
    expect(answer).toEqual({ ok: false, detail: 'ECONNREFUSED', maybeDelivered: false })
  })

  test('within 15 s of the clock: it may have arrived', async () => {
    const receiver = keep(await startReceiver(() => {}))
    const { get, clock } = setUp()
    const answer = get(receiver.url)
    await receiver.received(1)
    await clock.advance(14_999)
    expect(await Promise.race([answer, Promise.resolve('waiting')])).toBe('waiting')
    await clock.advance(1)
    expect(await answer).toEqual({ ok: false, detail: 'no answer within 15 s', maybeDelivered: true })
  })

  test.each([
    ['a reset', '', 'reset', /^(ECONNRESET|UND_ERR_SOCKET)$/],
    ['a closed connection', '', 'close', /^UND_ERR_SOCKET$/],
    ['another language', 'SSH-2.0-OpenSSH_9.6\r\n', 'stay', /^HTTPParserError$/],
    ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`, 'stay', /^UND_ERR_HEADERS_OVERFLOW$/],
  ] as const)('%s: it may have arrived', async (_, bytes, end, detail) => {
    expect(await hear(bytes, end)).toEqual({
      ok: false,
      detail: expect.stringMatching(detail),
      maybeDelivered: true,
    })
  })

  test.each([`http://${CANARY}:99999/`, CANARY])('%s is no URL, and is not repeated', async (url) => {
    const answer = await setUp().get(url)
    expect(answer).toEqual({ ok: false, detail: 'ERR_INVALID_URL', maybeDelivered: false })
  })

  test('a header that HTTP cannot carry is not repeated', async () => {
    const { outbound } = setUp()
    const headers = { authorization: `${CANARY}\n` }
    const answer = await outbound.request({ method: 'GET', url: 'http://127.0.0.1:1/', headers, trusted: true })
    expect(answer).toEqual({ ok: false, detail: 'UND_ERR_INVALID_ARG', maybeDelivered: false })
  })

  test('when it is closed', async () => {
    const receiver = keep(await startReceiver(() => {}))
    const { get, outbound, clock } = setUp()
    const answer = get(receiver.url)
    await receiver.received(1)
    await outbound.close()
    expect(await answer).toMatchObject({ ok: false, maybeDelivered: true })
    expect(clock.pending).toBe(0)
  })
})

/** Resolves when something is published on a diagnostics channel. */
function once(name: string): Promise<void> {
  return new Promise((resolve) => {
    const listener = () => {
      diagnostics.unsubscribe(name, listener)
      resolve()
    }
    diagnostics.subscribe(name, listener)
  })
}
