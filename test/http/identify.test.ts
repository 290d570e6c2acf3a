import { Agent, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { testClock } from '../helpers/clock.ts'
import { ADMIN_TOKEN, type HubOptions, startHub, TOKEN, type TestHub } from '../helpers/hub.ts'

const info = (data: unknown = expect.any(String)) => ({ cmd: 'INFO', data })
const messageTo = (target: string, text = 'x') => ({
  cmd: 'MESSAGE',
  data: { sendType: 'personal', target, message: { text } },
})

describe('a push with auth', () => {
  test('says who sent it', async () => {
    const hub = await startHub()
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    const push = hub.post({ ...messageTo('you'), auth: me.auth })
    const { mid, from } = await you.message()
    you.ack(mid)
    expect(from).toEqual({ method: 'http', name: 'me' })
    await push
  })

  test.each(['', null])('%j is none', async (auth) => {
    const hub = await startHub()
    const push = await hub.post({ ...messageTo('nobody'), auth })
    expect(push).toMatchObject({ status: 200, json: { data: { nobody: 'no' } } })
  })

  test('a forged one refuses the push instead of sending it without a name', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    expect(await hub.post({ ...messageTo('me'), auth: { name: 'you' } })).toMatchObject({ status: 401, json: info() })
    await me.settled()
    expect(me.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toEqual([])
  })
})

describe('http.verifyToken', () => {
  const config = { http: { verifyToken: true, waitTimeout: 0 }, clients: [{ name: 'me' }] }

  test.each([TOKEN, `Bearer ${TOKEN}`, `bearer ${TOKEN}`, ADMIN_TOKEN])(
    '%j lets a push through',
    async (authorization) => {
      const hub = await startHub({ config })
      expect((await hub.get('/me.send', { authorization })).status).toBe(200)
      expect((await hub.post(messageTo('me'), { authorization })).status).toBe(200)
      expect((await hub.post({ text: 'x' }, { authorization }, '/me.send')).status).toBe(200)
      expect((await hub.post({ cmd: 'TEST_HTTP' }, { authorization })).status).toBe(200)
      expect((await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: 'a' } }, { authorization })).status).toBe(200)
    },
  )

  test.each([
    undefined,
    '',
    'wrong',
    'Bearer',
    'Bearer wrong',
    `Basic ${TOKEN}`,
    `${TOKEN}x`,
    `Bearer Bearer ${TOKEN}`,
  ])('%j is refused with 401, and is not echoed', async (authorization) => {
    const hub = await startHub({ config })
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const answers = [
      await hub.get('/me.send', headers),
      await hub.post(messageTo('me'), headers),
      await hub.post({ text: 'x' }, headers, '/me.send'),
      await hub.post({ cmd: 'TEST_HTTP' }, headers),
      await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: 'a' } }, headers),
    ]
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 401, json: info('a valid token is needed in the header "authorization"') })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
    const me = await hub.login('me')
    await me.settled()
    expect(me.packets.map(({ cmd }) => cmd)).toEqual(['AUTH', 'PONG'])
  })

  test('a client may push with its auth, in the packet or the header', async () => {
    const hub = await startHub({ config })
    const { auth } = await hub.login('me')
    expect((await hub.post({ ...messageTo('me'), auth })).status).toBe(200)
    expect((await hub.get('/me.send', { authorization: `Bearer ${auth}` })).status).toBe(200)
  })

  test('off, a wrong token is no obstacle', async () => {
    const hub = await startHub()
    expect((await hub.get('/me.send', { authorization: 'wrong' })).status).toBe(200)
  })

  test('only the admin pushes to system', async () => {
    const hub = await startHub()
    expect(await hub.get('/system.send')).toMatchObject({ status: 403, json: info() })
    expect((await hub.get('/system.send', { authorization: TOKEN })).status).toBe(403)
    expect((await hub.get('/system.send', { authorization: ADMIN_TOKEN })).status).toBe(200)
  })
})

describe('guessing', () => {
  const tooMany = { status: 429, json: info('too many failed attempts from this address, try again later') }
  /** Naming a proxy makes this machine an address like others. */
  const counted = (trustProxy = ['127.0.0.9']): NonNullable<HubOptions['config']> => ({
    http: { verifyToken: true, waitTimeout: 0 },
    clients: [{ name: 'me' }],
    trustProxy,
  })

  async function spend(hub: TestHub, headers: Record<string, string> = {}): Promise<void> {
    for (let n = 0; n < 30; n += 1) {
      expect((await hub.get('/me.send', { authorization: `wrong ${n}`, ...headers })).status).toBe(401)
    }
  }

  test('of 2,000 tokens 33 are looked at, at most, in whatever way they come', async () => {
    const hub = await startHub({ config: counted() })
    const auth = 'c1.WyJtZUB1c2VyIiw5ZTE1XQ.wrong'
    const ways = [
      (token: string) => hub.get('/me.send', { authorization: token }),
      (token: string) => hub.post({ cmd: 'AUTH', data: { name: 'me', token } }, { authorization: TOKEN }),
      () => hub.post({ ...messageTo('me'), auth }),
      () => hub.post({ cmd: 'MESSAGE_CALLBACK', data: { mid: '1' }, auth }),
    ]
    const statuses = new Map<number, number>()
    for (let n = 0; n < 2_000; n += 1) {
      const { status } = (await ways[n % ways.length]?.(`wrong ${n}`)) ?? { status: 0 }
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect(new Set(statuses.keys())).toEqual(new Set([401, 403, 429]))
    expect(statuses.get(429)).toBeGreaterThanOrEqual(2_000 - 33)
  }, 30_000)

  test('bars the right token too, and says for how long', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: counted() })
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
    const hub = await startHub({ config: counted() })
    await spend(hub)
    const dispatcher = new Agent({ localAddress: '127.0.0.2' })
    const { statusCode, body } = await request(`${hub.url}/me.send`, { dispatcher, headers: { authorization: TOKEN } })
    await body.dump()
    await dispatcher.close()
    expect(statusCode).toBe(200)
    expect((await hub.get('/me.send', { authorization: TOKEN })).status).toBe(429)
  })

  test('behind a trusted proxy is counted for who is behind it, and for an IPv6 /64 as one', async () => {
    const hub = await startHub({ config: counted(['127.0.0.1']) })
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
    const hub = await startHub({ config: counted() })
    const statuses = []
    for (let n = 0; n < 40; n += 1) {
      const headers = { authorization: 'wrong', 'x-forwarded-for': `192.0.2.${n}` }
      statuses.push((await hub.get('/me.send', headers)).status)
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(7)
  })

  test('through a proxy on this machine that nobody named locks nobody out', async () => {
    const hub = await startHub({ config: counted([]) })
    await spend(hub)
    await spend(hub)
    expect((await hub.get('/me.send', { authorization: TOKEN })).status).toBe(200)
  })

  test('is no obstacle where no proof is asked for, and leads nowhere', async () => {
    const hub = await startHub({ config: { ...counted(), http: { waitTimeout: 0 } } })
    for (let n = 0; n < 40; n += 1) {
      expect((await hub.get('/me.send', { authorization: `wrong ${n}` })).status).toBe(200)
    }
    expect((await hub.get('/system.send', { authorization: ADMIN_TOKEN })).status).toBe(403)
  })
})
