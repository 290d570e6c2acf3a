import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { upgrade } from '../helpers/client.ts'
import { testClock } from '../helpers/clock.ts'
import { startHub } from '../helpers/hub.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
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
    await expect(upgrade(hub.url.replace('http:', 'ws:'))).resolves.not.toBe('open')
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
  await expect(upgrade(hub.wsUrl)).rejects.toThrow('ECONNREFUSED')
})
