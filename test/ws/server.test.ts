import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { testClock } from '../helpers/clock.ts'
import { startHub, TOKEN } from '../helpers/hub.ts'

/** Whether the upgrade is taken, or the status it is refused with. */
async function upgrade(url: string, headers: Record<string, string>, localAddress?: string): Promise<'open' | number> {
  const socket = new WebSocket(url, { headers, ...(localAddress === undefined ? {} : { localAddress }) })
  const status = await Promise.race([
    once(socket, 'error').then(([error]) => Promise.reject(error)),
    once(socket, 'open').then(() => 'open' as const),
    once(socket, 'unexpected-response').then(([, response]) => Number(response.statusCode)),
  ])
  socket.terminate()
  return status
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The first that is answered to an upgrade without a key. */
async function rawUpgrade(url: string): Promise<string> {
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
  const [data] = await once(socket, 'data')
  socket.end()
  await once(socket, 'close')
  return String(data)
}

describe('the upgrade', () => {
  test('is taken on any path and query, beside HTTP on the same port', async () => {
    const hub = await startHub()
    expect(hub.wsUrl.replace('ws:', 'http:')).toBe(hub.url)
    for (const path of ['', '/', '/mpush', '/a/b?c=d', '/me.send', '/health']) {
      const client = await hub.connect(path)
      await client.settled()
    }
  })

  test('has a port of its own where the config says so, and HTTP is not served there', async () => {
    const hub = await startHub({ config: { websocket: { port: await freePort() } } })
    expect(new URL(hub.wsUrl).port).not.toBe(new URL(hub.url).port)
    const me = await hub.login('me')
    const push = hub.get('/me.send')
    me.ack((await me.message()).mid)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
    expect((await fetch(`${hub.wsUrl.replace('ws:', 'http:')}/me.send`)).status).toBe(426)
    await expect(upgrade(hub.url.replace('http:', 'ws:'), {})).resolves.not.toBe('open')
  })
})

describe('origins', () => {
  const evil = 'https://evil.example'

  test('with cors on a page from anywhere may connect; its token is what counts', async () => {
    const hub = await startHub()
    for (const origin of [evil, 'null', 'file://']) {
      const client = await hub.connect('', { origin })
      client.send('AUTH', { token: 'wrong', name: 'me' })
      expect(await client.next('AUTH')).toMatchObject({ data: { code: 403 } })
      client.send('AUTH', { token: TOKEN, name: 'me' })
      expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
    }
  })

  test("with cors off only the hub's own pages and programs may", async () => {
    const hub = await startHub({ config: { http: { cors: false } } })
    const { host, port } = new URL(hub.url)
    expect(await upgrade(hub.wsUrl, {})).toBe('open')
    expect(await upgrade(hub.wsUrl, { origin: `http://${host}` })).toBe('open')
    expect(await upgrade(hub.wsUrl, { origin: 'https://hub.example', host: 'HUB.example' })).toBe('open')
    for (const origin of [
      evil,
      'null',
      '',
      'file://',
      `http://127.0.0.1:${Number(port) + 1}`,
      `http://${host}.evil.example`,
      'x',
    ]) {
      expect(await upgrade(hub.wsUrl, { origin }), origin).toBe(403)
    }
  })
})

describe('limits of an address', () => {
  /** Naming a proxy makes this machine an address like others. */
  const counted = { trustProxy: ['127.0.0.9'] }

  test('2,000 wrong AUTHs: 33 are looked at, at most, then sockets are refused', async () => {
    const hub = await startHub({ config: counted })
    let looked = 0
    let refused = 0
    while (looked + refused < 2_000) {
      if ((await upgrade(hub.wsUrl, {})) === 429) {
        refused += 1
        continue
      }
      const client = await hub.connect()
      for (let n = 0; n < 3; n += 1) client.send('AUTH', { token: `wrong ${n}`, name: 'me' })
      await client.closed
      looked += client.packets.length
    }
    expect(looked).toBeGreaterThanOrEqual(30)
    expect(looked).toBeLessThanOrEqual(33)
    if (process.platform === 'linux') expect(await upgrade(hub.wsUrl, {}, '127.0.0.2')).toBe('open')
  }, 30_000)

  test('without a try left AUTH on an open socket is INFO, until there is one', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { ...counted, limits: { attempts: 2 } } })
    const stranger = await hub.connect()
    const other = await hub.connect()
    for (let n = 0; n < 2; n += 1) other.send('AUTH', { token: 'wrong', name: 'you' })
    expect(await other.next('AUTH')).toMatchObject({ data: { code: 403 } })
    expect(await other.next('AUTH')).toMatchObject({ data: { code: 403 } })
    for (const client of [stranger, other]) {
      client.send('AUTH', { token: TOKEN, name: 'you' })
      expect(await client.next('INFO')).toMatchObject({ data: expect.stringContaining('too many failed attempts') })
    }
    expect(await rawUpgrade(hub.url)).toMatch(/^HTTP\/1.1 429 [^]*\r\nRetry-After: 60\r\n/)
    await clock.advance(30_000)
    expect((await stranger.closed).code).toBe(4408)
    await clock.advance(30_000)
    const again = await hub.connect()
    again.send('AUTH', { token: TOKEN, name: 'you' })
    expect(await again.next('AUTH')).toMatchObject({ data: { code: 200 } })
  })

  test('without a try left sessions go on, and are pushed to', async () => {
    const hub = await startHub({ config: { ...counted, limits: { attempts: 1 }, http: { waitTimeout: 0 } } })
    const [me, stranger] = [await hub.login('me'), await hub.connect()]
    stranger.send('AUTH', { token: 'wrong', name: 'you' })
    expect(await stranger.next('AUTH')).toMatchObject({ data: { code: 403 } })
    expect(await upgrade(hub.wsUrl, {})).toBe(429)
    await hub.get('/me.send?text=x')
    expect((await me.message()).message.text).toBe('x')
    me.send('PING', undefined, { auth: me.auth })
    await me.next('PONG')
  })

  test('a wrong auth costs a try before AUTH and none after it', async () => {
    const hub = await startHub({ config: { ...counted, limits: { attempts: 2, attemptsPerMinute: 0.001 } } })
    const [me, stranger] = [await hub.login('me'), await hub.connect()]
    for (let n = 0; n < 5; n += 1) me.send('PING', undefined, { auth: 'stale' })
    await me.settled()
    stranger.send('PING', undefined, { auth: 'forged' })
    expect(await stranger.next('INFO')).toMatchObject({ data: expect.stringContaining('forged') })
    expect(await upgrade(hub.wsUrl, {})).toBe('open')
    stranger.send('PING', undefined, { auth: 'forged' })
    expect(await stranger.next('INFO')).toMatchObject({ data: expect.stringContaining('forged') })
    expect(await upgrade(hub.wsUrl, {})).toBe(429)
  })

  test('so many sockets may wait for AUTH; those that came through or are gone do not count', async () => {
    const hub = await startHub({ config: { ...counted, limits: { socketsPerAddress: 3 } } })
    for (const name of ['a', 'b', 'c', 'd']) await hub.login(name)
    const [first] = [await hub.connect(), await hub.connect(), await hub.connect()]
    expect(await upgrade(hub.wsUrl, {})).toBe(429)
    first.send('AUTH', { token: TOKEN, name: 'e' })
    await first.next('AUTH')
    const third = await hub.connect()
    expect(await upgrade(hub.wsUrl, {})).toBe(429)
    third.socket.close()
    await third.closed
    await expect.poll(() => upgrade(hub.wsUrl, {})).toBe('open')
  })

  test('an upgrade that is no WebSocket makes no socket that counts', async () => {
    const hub = await startHub({ config: { ...counted, limits: { socketsPerAddress: 1 } } })
    for (let n = 0; n < 3; n += 1) {
      expect(await rawUpgrade(hub.url)).toContain('400 Bad Request')
    }
    await expect.poll(() => upgrade(hub.wsUrl, {})).toBe('open')
  })
})

describe('silent links', () => {
  test('a socket that answers no ping is dropped at the second one; others stay', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { http: { waitTimeout: 0 } } })
    const [dead, alive] = [await hub.login('dead'), await hub.login('alive')]
    const raw: Socket = Reflect.get(dead.socket, '_socket')
    raw.pause()
    const pinged = once(alive.socket, 'ping')
    await clock.advance(25_000)
    await pinged
    await alive.settled()
    await clock.advance(25_000)
    await alive.settled()
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 1 })
    raw.resume()
    expect((await dead.closed).code).toBe(1006)
  })

  test("a client's own ping is answered and keeps it alive", async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    me.socket.ping('x')
    const [answer] = await once(me.socket, 'pong')
    expect(String(answer)).toBe('x')
  })
})

describe('a client that does not read', () => {
  test('costs only itself, and has lost nothing when it reads again', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const [slow, calm] = [await hub.login('slow', { window: 100 }), await hub.login('calm')]
    const raw: Socket = Reflect.get(slow.socket, '_socket')
    raw.pause()
    const body = JSON.stringify({ text: 'x'.repeat(60_000) })
    const mids: (string | null)[] = []
    for (let n = 0; n < 150; n += 1) mids.push((await hub.post(body, {}, '/slow.send')).headers.get('x-message-id'))
    await hub.get('/calm.send')
    await calm.message()
    raw.resume()
    const received = new Set<string>()
    while (received.size < mids.length) {
      const { mid } = await slow.message()
      received.add(mid)
      slow.ack(mid)
    }
    expect([...received]).toEqual(mids)
  })

  test('is closed when it only asks', async () => {
    const hub = await startHub({ config: { websocket: { waitTimeout: 0 } } })
    const me = await hub.login('me')
    const raw: Socket = Reflect.get(me.socket, '_socket')
    raw.pause()
    const ask = JSON.stringify({ cmd: 'MESSAGE', data: { sendType: 'personal', target: 'x'.repeat(64), message: {} } })
    const sessions = async () => Object((await hub.get('/health')).json).sessions
    while ((await sessions()) > 0) for (let n = 0; n < 1_000; n += 1) me.socket.send(ask)
  }, 20_000)
})

test('a hub that stops says 1012 to everybody and takes no new socket', async () => {
  const hub = await startHub()
  const [me, stranger] = [await hub.login('me'), await hub.connect()]
  const stopped = hub.close()
  expect(await me.closed).toEqual({ code: 1012, reason: 'the hub restarts' })
  expect(await stranger.closed).toEqual({ code: 1012, reason: 'the hub restarts' })
  await stopped
  await expect(upgrade(hub.wsUrl, {})).rejects.toThrow('ECONNREFUSED')
})
