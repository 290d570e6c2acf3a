/** Requests to addresses that others wrote, beside a canary on this machine that must never see a connection. */
import { once } from 'node:events'
import type { LookupAddress } from 'node:dns'
import { createServer, type AddressInfo, type LookupFunction } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Blocked, guardedLookup } from '../../../server/channels/outbound/guard.ts'
import { createOutbound } from '../../../server/channels/outbound/outbound.ts'
import { unanswered } from '../../../server/channels/outbound/outcomes.ts'
import { testClock } from '../../helpers/clock.ts'
import { startReceiver, status } from '../../helpers/receiver.ts'

const BLOCKED = { ok: false, detail: 'blocked', maybeDelivered: false, blocked: true }
const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 }
/** Labelled as the wrong family, so that the system itself refuses to connect: nothing leaves this machine. */
const PUBLIC: LookupAddress = { address: '93.184.216.34', family: 6 }

const open: { close(): unknown }[] = []
let canary: { port: number; connections: number }

beforeEach(async () => {
  const seen = { port: 0, connections: 0 }
  const server = createServer((socket) => {
    seen.connections += 1
    socket
      .on('error', () => {})
      .resume()
      .end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  seen.port = (server.address() as AddressInfo).port
  open.push(server)
  canary = seen
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

/** What a name server says, one answer after the other; the last one stays. */
function names(...answers: LookupAddress[][]): LookupFunction & { asked: string[] } {
  const asked: string[] = []
  const lookup: LookupFunction = (name, { all }, callback) => {
    asked.push(name)
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? []
    if (all) setImmediate(callback, null, answer)
    else setImmediate(callback, null, answer[0]?.address ?? '', answer[0]?.family)
  }
  return Object.assign(lookup, { asked })
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

function client(lookup?: LookupFunction) {
  const outbound = createOutbound(testClock(), 15_000, lookup && { lookup })
  open.push(outbound)
  return (url: string, more: { trusted?: boolean; proxy?: { host: string; port: number } } = {}) =>
    outbound.request({ method: 'POST', url, headers: {}, body: 'x', trusted: false, ...more })
}

describe('a literal address', () => {
  const loopback = words(`
    127.0.0.1 127.1 127.0.1 127.0.0.1. 127.000.000.001 0x7f.1 0x7f000001 0X7F.0x0.0x0.0x1 0177.1 0177.0.0.01
    017700000001 2130706433 ①②⑦.0.0.1 １２７.０.０.１ 127。0。0。1 %31%32%37.0.0.1 0 0x 0.0 0.0.0.0 00000000000`)
  const others = words(`
    127.1.2.3 127.255.255.254 10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 224.0.0.1 255.255.255.255
    [::1] [::] [0:0:0:0:0:0:0:1] [0000::0001] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:0:0]
    [0:0:0:0:0:ffff:7f00:0001] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1] [fc00::1]
    [fdff::1] [ff02::1]`)

  test.each(loopback)('%s leads to this machine when the operator wrote it', async (host) => {
    expect(await client()(`http://${host}:${canary.port}/`, { trusted: true })).toMatchObject({ ok: true, status: 200 })
    expect(canary.connections).toBe(1)
  })

  test.each([...loopback, ...others])('%s is not connected to for others', async (host) => {
    for (const scheme of ['http', 'https']) {
      expect(await client()(`${scheme}://${host}:${canary.port}/`)).toEqual(BLOCKED)
    }
    expect(canary.connections).toBe(0)
  })
})

describe('a name', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    'ｌｏｃａｌｈｏｓｔ',
    'a.localhost',
    'loc%61lhost',
    '%6c\tocalhost',
  ])('%j is not even looked up', async (host) => {
    const lookup = names([LOOPBACK])
    expect(await client(lookup)(`http://${host}:${canary.port}/`)).toEqual(BLOCKED)
    expect(lookup.asked).toEqual([])
    expect(canary.connections).toBe(0)
  })

  test.each(['http', 'https'])('of this machine is not connected to, by %s', async (scheme) => {
    const lookup = names([LOOPBACK])
    expect(await client(lookup)(`${scheme}://inside.test:${canary.port}/`)).toEqual(BLOCKED)
    expect(lookup.asked).toEqual(['inside.test'])
    expect(canary.connections).toBe(0)
  })

  test('that is public at first and of this machine the next time is judged each time', async () => {
    const lookup = names([PUBLIC], [LOOPBACK])
    const post = client(lookup)
    expect(await post(`http://rebind.test:${canary.port}/`)).toMatchObject({ ok: false, detail: 'EINVAL' })
    expect(lookup.asked).toHaveLength(1)
    expect(await post(`http://rebind.test:${canary.port}/`)).toEqual(BLOCKED)
    expect(canary.connections).toBe(0)
  })

  test.each([
    ['public, then of this machine', [PUBLIC, LOOPBACK]],
    ['of this machine, then public', [LOOPBACK, PUBLIC]],
    ['IPv6 of a link', [PUBLIC, { address: 'fe80::1%lo', family: 6 }]],
  ])('with addresses %s is not connected to', async (_, addresses) => {
    expect(await client(names(addresses))(`http://both.test:${canary.port}/`)).toEqual(BLOCKED)
    expect(canary.connections).toBe(0)
  })

  test('that the operator wrote may be of this machine', async () => {
    const answer = await client(names([LOOPBACK]))(`http://inside.test:${canary.port}/`, { trusted: true })
    expect(answer).toMatchObject({ ok: true, status: 200 })
    expect(canary.connections).toBe(1)
  })

  test('that nobody knows is tried again', async () => {
    const unknown: LookupFunction = (_, __, callback) =>
      setImmediate(callback, Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
    expect(await client(unknown)('http://none.test/')).toEqual({
      ok: false,
      detail: 'ENOTFOUND',
      maybeDelivered: false,
    })
  })

  test('a connection that the operator may use is not shared', async () => {
    const hook = await startReceiver()
    open.push(hook)
    const post = client(names([LOOPBACK]))
    const url = `http://hook.test:${new URL(hook.url).port}/`
    expect(await post(url, { trusted: true })).toMatchObject({ ok: true, status: 200 })
    expect(await post(url)).toEqual(BLOCKED)
    expect(hook.requests).toHaveLength(1)
  })
})

test.each(['ftp', 'ws', 'gopher'])('%s: is not spoken', async (scheme) => {
  expect(await client()(`${scheme}://127.0.0.1:${canary.port}/`)).toEqual(BLOCKED)
  expect(canary.connections).toBe(0)
})

test.each(['pip@', 'pip:x@', ':x@'])('user info %s is not sent', async (user) => {
  const lookup = names([LOOPBACK])
  expect(await client(lookup)(`http://${user}push.test:${canary.port}/`)).toEqual(BLOCKED)
  expect(lookup.asked).toEqual([])
})

describe('through a proxy', () => {
  test('only names and literal addresses can be judged', async () => {
    const relay = await startReceiver()
    open.push(relay)
    const lookup = names([LOOPBACK])
    const post = client(lookup)
    const proxy = { host: '127.0.0.1', port: Number(new URL(relay.url).port) }
    for (const host of ['127.1', 'localhost.', '[::ffff:7f00:1]', '10.0.0.1']) {
      for (const scheme of ['http', 'https']) expect(await post(`${scheme}://${host}/`, { proxy })).toEqual(BLOCKED)
    }
    expect(relay.requests).toEqual([])

    expect(await post('http://push.test/x', { proxy })).toMatchObject({ ok: true, status: 200 })
    expect(relay.requests).toMatchObject([{ url: 'http://push.test/x' }])
    expect(lookup.asked).toEqual([])
  })

  test.each([301, 302, 303, 307, 308])('and a %i is not followed', async (code) => {
    const relay = await startReceiver(status(code, { location: `http://127.0.0.1:${canary.port}/` }))
    open.push(relay)
    const proxy = { host: '127.0.0.1', port: Number(new URL(relay.url).port) }
    expect(await client()('http://push.test/x', { proxy })).toMatchObject({ ok: true, status: code })
    expect(canary.connections).toBe(0)
  })
})

test('what is refused has failed for good', () => {
  expect(unanswered({ ...BLOCKED, ok: false, blocked: true })).toEqual({
    kind: 'failed',
    detail: 'blocked',
  })
})

describe('the lookup itself', () => {
  const ask = (lookup: LookupFunction, all: boolean, name = 'a.test') =>
    new Promise((resolve) => lookup(name, { all }, (...answer) => resolve(answer)))
  const both = [
    { address: '8.8.8.8', family: 4 },
    { address: '2001:4860::1', family: 6 },
  ]

  test('hands on exactly what it judged, in the form that was asked for', async () => {
    const lookup = names(both, [LOOPBACK])
    expect(await ask(guardedLookup(lookup), true)).toEqual([null, both, undefined])
    expect(await ask(guardedLookup(lookup), true)).toEqual([expect.any(Blocked), []])
    expect(await ask(guardedLookup(names(both)), false)).toEqual([null, '8.8.8.8', 4])
    expect(await ask(guardedLookup(names([LOOPBACK])), false)).toEqual([expect.any(Blocked), []])
  })

  test("is the system's unless told", async () => {
    expect(await ask(guardedLookup(), true, 'localhost')).toEqual([expect.any(Blocked), []])
  })
})
