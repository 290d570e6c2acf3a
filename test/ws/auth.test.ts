import { describe, expect, test } from 'vitest'
import { ADMIN_TOKEN, startHub, TOKEN } from '../helpers/hub.ts'

const refused = { cmd: 'AUTH', data: { code: 403, msg: 'Token invalid' } }

describe('AUTH 200', () => {
  test('has every field of both client generations, in the order that Android 3.x reads', async () => {
    const hub = await startHub({ config: { fcm: { projectId: 'p', applicationId: 'a', apiKey: 'k' } } })
    const me = await hub.login('me')
    const { cmd, data } = me.packets[0] ?? {}
    expect(cmd).toBe('AUTH')
    expect(Object.keys(Object(data))).toEqual([
      'code',
      'msg',
      'fcmProjectId',
      'fcmApplicationId',
      'fcmApiKey',
      'auth',
      'fcmServerKey',
      'webpushServerKey',
      'webpushPublicKey',
    ])
    const { webpushPublicKey } = Object(data)
    expect(data).toEqual({
      code: 200,
      msg: 'Successful authentication',
      fcmProjectId: 'p',
      fcmApplicationId: 'a',
      fcmApiKey: 'k',
      auth: expect.stringMatching(/^c1\./),
      fcmServerKey: webpushPublicKey,
      webpushServerKey: webpushPublicKey,
      webpushPublicKey: expect.stringMatching(/^[\w-]{87}$/),
    })
  })

  test('the three fields of Firebase are strings without a Firebase, too', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    expect(me.packets[0]?.data).toMatchObject({ fcmProjectId: '', fcmApplicationId: '', fcmApiKey: '' })
  })

  test('comes before anything that is pending', async () => {
    const hub = await startHub({ config: { clients: [{ name: 'me' }] } })
    for (const text of ['1', '2']) await hub.get(`/me.send?text=${text}`)
    const me = await hub.login('me', { window: 5 })
    await me.message()
    await me.message()
    expect(me.packets.map(({ cmd }) => cmd)).toEqual(['AUTH', 'MESSAGE', 'MESSAGE'])
  })
})

describe('a wrong token', () => {
  test('is told 403 and the socket stays open for the right one', async () => {
    const hub = await startHub()
    const client = await hub.connect()
    for (const token of ['wrong', undefined]) {
      client.send('AUTH', { token, name: 'me' })
      expect(await client.next('AUTH')).toEqual(refused)
    }
    client.send('AUTH', { token: TOKEN, name: 'me' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
  })

  test('three times ends the socket with 4403, and nothing behind it is read', async () => {
    const hub = await startHub()
    const client = await hub.connect()
    for (let n = 0; n < 3; n += 1) client.send('AUTH', { token: `wrong ${n}`, name: 'me' })
    client.send('AUTH', { token: TOKEN, name: 'me' })
    expect(await client.closed).toEqual({ code: 4403, reason: 'wrong token' })
    expect(client.packets).toEqual([refused, refused, refused])
    expect((await hub.get('/me.send')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'no' } })
  })

  test('does not end the session that the socket has', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    me.send('AUTH', { token: 'wrong', name: 'you' })
    expect(await me.next('AUTH')).toEqual(refused)
    const push = hub.get('/me.send')
    me.ack((await me.message()).mid)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  })

  test('is no matter with websocket.verifyToken off', async () => {
    const hub = await startHub({ config: { websocket: { verifyToken: false } } })
    const client = await hub.connect()
    client.send('AUTH', { token: 'wrong', name: 'me' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
  })
})

describe('names', () => {
  test.each([
    ['', 'name property is required'],
    [null, 'name property is required'],
    ['a/b', 'name has a slash'],
    ['x'.repeat(65), 'name is longer than 64 characters'],
    ['__proto__', 'name is a reserved word'],
    ['dev@group', 'name ends in @group, which is not a recipient of this kind'],
    ['a\u202eb', 'name has a control character'],
    [{}, expect.stringContaining('name')],
  ])('%j is told as INFO, never as AUTH', async (name, text) => {
    const hub = await startHub()
    const client = await hub.connect()
    client.send('AUTH', { token: TOKEN, name })
    expect(await client.next('INFO')).toEqual({ cmd: 'INFO', data: text })
    await client.settled()
    expect(client.packets.map(({ cmd }) => cmd)).toEqual(['INFO', 'PONG'])
  })

  test('system is for the admin', async () => {
    const hub = await startHub({ config: { websocket: { verifyToken: false } } })
    const client = await hub.connect()
    for (const token of [TOKEN, '']) {
      client.send('AUTH', { token, name: 'system' })
      expect(await client.next('AUTH')).toEqual(refused)
    }
    client.send('AUTH', { token: ADMIN_TOKEN, name: 'system' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
  })

  test('a bad group, device, window or confirms is told by name', async () => {
    const hub = await startHub()
    const client = await hub.connect()
    for (const [more, text] of [
      [{ group: 'a/b' }, 'group has a slash'],
      [{ device: 'a/b' }, 'device has a slash'],
      [{ device: 5 }, 'device property must be a string'],
      [{ window: 0 }, expect.stringContaining('window property')],
      [{ window: 1.5 }, 'window property must be a whole number'],
      [{ window: '2' }, 'window property must be a whole number'],
      [{ confirms: 'yes' }, 'confirms property must be true or false'],
    ] as const) {
      client.send('AUTH', { token: TOKEN, name: 'me', ...more })
      expect(await client.next('INFO')).toEqual({ cmd: 'INFO', data: text })
    }
  })
})

describe('the same name', () => {
  test('replaces the older socket with 4001; what it had not acked comes to the new one', async () => {
    const hub = await startHub()
    const old = await hub.login('me')
    const push = hub.get('/me.send?text=x')
    const first = await old.message()
    const me = await hub.login('me')
    expect(await old.closed).toEqual({ code: 4001, reason: 'replaced' })
    const again = await me.message()
    expect(again).toEqual(first)
    me.ack(again.mid)
    await push
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 1 })
  })

  test('a socket that was replaced cannot take the name back', async () => {
    const hub = await startHub()
    const old = await hub.login('me')
    old.socket.pause()
    const me = await hub.login('me')
    old.send('AUTH', { token: TOKEN, name: 'me' })
    old.socket.resume()
    await old.closed
    await me.settled()
    const push = hub.get('/me.send')
    me.ack((await me.message()).mid)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  })

  test('with different devices all stay, each gets every message, and each is replaced by its own kind', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const phone = await hub.login('me', { device: 'phone' })
    const others = [await hub.login('me', { device: 'desk' }), await hub.login('me')]
    await hub.get('/me.send?text=x')
    for (const socket of [phone, ...others]) expect((await socket.message()).message.text).toBe('x')
    await hub.login('me', { device: 'phone' })
    expect((await phone.closed).code).toBe(4001)
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 3 })
  })

  test('200 at once leave one session, and it is served', async () => {
    const hub = await startHub()
    const clients = await Promise.all(Array.from({ length: 200 }, () => hub.login('me')))
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 1 })
    const push = hub.get('/me.send')
    const { mid } = await Promise.race(clients.map((client) => client.message()))
    expect((await hub.post({ cmd: 'MESSAGE_CALLBACK', auth: clients[0]?.auth, data: { mid } })).status).toBe(200)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  })
})

describe('another AUTH on the same socket', () => {
  test('under another name ends the old session: its messages wait, and acks of them count for nobody else', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const client = await hub.login('me')
    await hub.get('/me.send?text=mine&idem=k')
    const { mid } = await client.message()
    client.send('AUTH', { token: TOKEN, name: 'you' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
    client.ack(mid)
    await client.settled()
    expect((await hub.get('/me.send?text=mine&idem=k')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'wait' } })
    expect((await hub.get('/me.send?text=more')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })
    await hub.get('/you.send?text=yours')
    expect((await client.message()).message.text).toBe('yours')
    await client.settled()
    expect(client.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toHaveLength(2)
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 1 })
  })

  test('under the same name begins again and does not close the socket', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await hub.login('me')
    await hub.get('/me.send?text=x')
    const first = await me.message()
    me.send('AUTH', { token: TOKEN, name: 'me', window: 2 })
    await me.next('AUTH')
    expect(await me.message()).toEqual(first)
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 1 })
  })
})
