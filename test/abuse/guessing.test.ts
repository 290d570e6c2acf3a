/** Whoever guesses is looked at a few times, whatever they guess and wherever; nobody else pays for it. */
import { Agent, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { upgrade } from '../helpers/client.ts'
import { testClock } from '../helpers/clock.ts'
import { ADMIN_TOKEN, type HubOptions, startHub, TOKEN, type TestHub } from '../helpers/hub.ts'
import { exchange } from './wire.ts'

/** Naming a proxy makes this machine an address like others. */
const counted = { trustProxy: ['127.0.0.9'] }
const closed = (trustProxy = counted.trustProxy): NonNullable<HubOptions['config']> => ({
  http: { verifyToken: true, waitTimeout: 0 },
  clients: [{ name: 'me' }],
  trustProxy,
})
const messageTo = (target: string) => ({
  cmd: 'MESSAGE',
  data: { sendType: 'personal', target, message: { text: 'x' } },
})

/** So many at once. */
async function inTurns<T>(tries: readonly (() => T)[], atOnce: number): Promise<Awaited<T>[]> {
  const all: Awaited<T>[] = []
  for (let at = 0; at < tries.length; at += atOnce) {
    all.push(...(await Promise.all(tries.slice(at, at + atOnce).map((one) => one()))))
  }
  return all
}

/** What is answered to an upgrade without a key. */
function rawUpgrade(hub: TestHub): Promise<string> {
  return exchange(hub, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
}

describe('by HTTP', () => {
  const tooMany = {
    status: 429,
    json: { cmd: 'INFO', data: 'too many failed attempts from this address, try again later' },
  }
  async function spend(hub: TestHub, headers: Record<string, string> = {}): Promise<void> {
    for (let n = 0; n < 30; n += 1) {
      expect((await hub.get('/me.send', { authorization: `wrong ${n}`, ...headers })).status).toBe(401)
    }
  }

  test('of 2,000 tokens 33 are looked at, at most, in whatever way they come', async () => {
    const hub = await startHub({ config: closed() })
    const auth = 'c1.WyJtZUB1c2VyIiw5ZTE1XQ.wrong'
    const ways = [
      (token: string) => hub.get('/me.send', { authorization: token }),
      (token: string) => hub.post({ cmd: 'AUTH', data: { name: 'me', token } }, { authorization: TOKEN }),
      () => hub.post({ ...messageTo('me'), auth }),
      () => hub.post({ cmd: 'MESSAGE_CALLBACK', data: { mid: '1' }, auth }),
    ]
    const tries = Array.from({ length: 2_000 }, (_, n) => () => ways[n % ways.length]?.(`wrong ${n}`))
    const statuses = (await inTurns(tries, 50)).map((answer) => answer?.status ?? 0)
    expect(new Set(statuses)).toEqual(new Set([401, 403, 429]))
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2_000 - 33)
  }, 30_000)

  test('bars the right token too, and says for how long', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: closed() })
    const { auth } = await hub.login('me')
    await spend(hub)
    for (const refused of [
      await hub.get('/me.send', { authorization: TOKEN }),
      await hub.post({ ...messageTo('me'), auth }),
      await hub.post({ cmd: 'MESSAGE_CALLBACK', data: { mid: '1' } }, { authorization: auth }),
      await hub.post({ cmd: 'AUTH', data: { name: 'me', token: TOKEN } }, { authorization: TOKEN }),
    ]) {
      expect(refused).toMatchObject(tooMany)
      expect(refused.headers.get('retry-after')).toBe('60')
    }
    expect((await hub.get('/health')).status).toBe(200)
    expect((await hub.get('/me.send')).status).toBe(401)
    await clock.advance(60_000)
    expect((await hub.get('/me.send', { authorization: TOKEN })).status).toBe(200)
  })

  test.runIf(process.platform === 'linux')('bars no other address', async () => {
    const hub = await startHub({ config: closed() })
    await spend(hub)
    const dispatcher = new Agent({ localAddress: '127.0.0.2' })
    const { statusCode, body } = await request(`${hub.url}/me.send`, { dispatcher, headers: { authorization: TOKEN } })
    await body.dump()
    await dispatcher.close()
    expect(statusCode).toBe(200)
    expect((await hub.get('/me.send', { authorization: TOKEN })).status).toBe(429)
  })

  test('behind a trusted proxy is counted for who is behind it, and for an IPv6 /64 as one', async () => {
    const hub = await startHub({ config: closed(['127.0.0.1']) })
    const from = (address: string) => ({ authorization: TOKEN, 'x-forwarded-for': address })
    await spend(hub, { 'x-forwarded-for': '127.0.0.1, 192.0.2.7' })
    expect((await hub.get('/me.send', from('192.0.2.7'))).status).toBe(429)
    expect((await hub.get('/me.send', from('192.0.2.7, 192.0.2.8'))).status).toBe(200)
    await spend(hub, { 'x-forwarded-for': '2001:db8:1:2::1' })
    expect((await hub.get('/me.send', from('2001:db8:1:2:3::4'))).status).toBe(429)
    expect((await hub.get('/me.send', from('2001:db8:1:3::4'))).status).toBe(200)
    expect((await hub.get('/me.send', { authorization: TOKEN })).status).toBe(200)
  })

  test('is not hidden by X-Forwarded-For from anybody else', async () => {
    const hub = await startHub({ config: closed() })
    const statuses = []
    for (let n = 0; n < 40; n += 1) {
      const headers = { authorization: 'wrong', 'x-forwarded-for': `192.0.2.${n}` }
      statuses.push((await hub.get('/me.send', headers)).status)
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(7)
  })

  test('through a proxy on this machine that nobody named locks nobody out', async () => {
    const hub = await startHub({ config: closed([]) })
    await spend(hub)
    await spend(hub)
    expect((await hub.get('/me.send', { authorization: TOKEN })).status).toBe(200)
  })

  test('is no obstacle where no proof is asked for, and leads nowhere', async () => {
    const hub = await startHub({ config: { ...closed(), http: { waitTimeout: 0 } } })
    for (let n = 0; n < 40; n += 1) {
      expect((await hub.get('/me.send', { authorization: `wrong ${n}` })).status).toBe(200)
    }
    expect((await hub.get('/system.send', { authorization: ADMIN_TOKEN })).status).toBe(403)
  })
})

describe('by WebSocket', () => {
  test('2,000 wrong AUTHs: 33 are looked at, at most, then sockets are refused', async () => {
    const hub = await startHub({ config: counted })
    const tries = Array.from({ length: 670 }, () => async () => {
      const client = await hub.connect().catch(() => null)
      for (let n = 0; n < 3; n += 1) client?.send('AUTH', { token: `wrong ${n}`, name: 'me' })
      await client?.closed
      return client?.packets.filter(({ cmd }) => cmd === 'AUTH').length ?? 0
    })
    const looked = (await inTurns(tries, 10)).reduce((sum, n) => sum + n, 0)
    expect(looked).toBeGreaterThanOrEqual(30)
    expect(looked).toBeLessThanOrEqual(33)
    expect(await upgrade(hub.wsUrl)).toBe(429)
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
    expect(await rawUpgrade(hub)).toMatch(/^HTTP\/1.1 429 [^]*\r\nRetry-After: 60\r\n/)
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
    expect(await upgrade(hub.wsUrl)).toBe(429)
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
    expect(await upgrade(hub.wsUrl)).toBe('open')
    stranger.send('PING', undefined, { auth: 'forged' })
    expect(await stranger.next('INFO')).toMatchObject({ data: expect.stringContaining('forged') })
    expect(await upgrade(hub.wsUrl)).toBe(429)
  })

  test('so many sockets may wait for AUTH; those that came through or are gone do not count', async () => {
    const hub = await startHub({ config: { ...counted, limits: { socketsPerAddress: 3 } } })
    for (const name of ['a', 'b', 'c', 'd']) await hub.login(name)
    const [first] = [await hub.connect(), await hub.connect(), await hub.connect()]
    expect(await upgrade(hub.wsUrl)).toBe(429)
    first.send('AUTH', { token: TOKEN, name: 'e' })
    await first.next('AUTH')
    const third = await hub.connect()
    expect(await upgrade(hub.wsUrl)).toBe(429)
    third.socket.close()
    await third.closed
    await expect.poll(() => upgrade(hub.wsUrl)).toBe('open')
  })

  test('an upgrade that is no WebSocket makes no socket that counts', async () => {
    const hub = await startHub({ config: { ...counted, limits: { socketsPerAddress: 1 } } })
    for (let n = 0; n < 3; n += 1) {
      expect(await rawUpgrade(hub)).toContain('400 Bad Request')
    }
    await expect.poll(() => upgrade(hub.wsUrl)).toBe('open')
  })
})
