import { describe, expect, test } from 'vitest'
import { ADMIN_TOKEN, startHub, TOKEN } from '../helpers/hub.ts'

const info = (data: unknown = expect.any(String)) => ({ cmd: 'INFO', data })
const messageTo = (target: string, text = 'x') => ({
  cmd: 'MESSAGE',
  data: { sendType: 'personal', target, message: { text } },
})
const subscription = {
  endpoint: 'https://push.example/abc',
  expirationTime: null,
  keys: { auth: 'c2VjcmV0', p256dh: 'cHVibGlj' },
}

describe('a POST with a cmd', () => {
  test('is a packet on any path; the types of extra are kept', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const extra = { n: 1, yes: true, no: null, list: [1, 'a'], deep: { er: {} } }
    for (const path of ['/', '/any/path', '/health', '/me.send', '/x.group?y=1']) {
      const packet = { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'me', message: { text: 'x', extra } } }
      const push = hub.post(packet, {}, path)
      const { mid, message } = await me.message()
      me.ack(mid)
      expect(message).toEqual({ text: 'x', desp: '', extra })
      expect(await push).toMatchObject({ status: 200, json: { cmd: 'MESSAGE_REPLY', data: { me: 'ok' } } })
    }
  })

  test.each([[null], [[]], [{}]])('extra %j is none', async (extra) => {
    const hub = await startHub()
    const me = await hub.login('me')
    const message = { text: 'x', extra }
    const answer = hub.post({ cmd: 'MESSAGE', data: { sendType: 'personal', target: 'me', message } })
    const frame = await me.next('MESSAGE')
    expect(frame.data).toMatchObject({ message: { text: 'x', extra: {} } })
    me.socket.terminate()
    await answer
  })

  test('numbers and nothing are read as strings, null extra as none', async () => {
    const hub = await startHub()
    const me = await hub.login('7')
    const push = hub.post({
      cmd: 'MESSAGE',
      data: { sendType: 'personal', target: 7, message: { text: 0, desp: false, extra: null } },
    })
    const { mid, message } = await me.message()
    me.ack(mid)
    expect(message).toEqual({ text: '0', desp: 'false', extra: {} })
    await push
  })

  test.each([
    [messageTo(''), 400, 'target property is required'],
    [{ cmd: 'MESSAGE', data: { target: 'a', message: {} } }, 400, "sendType property must 'personal' or 'group'"],
    [
      { cmd: 'MESSAGE', data: { sendType: 'all', target: 'a', message: {} } },
      400,
      "sendType property must 'personal' or 'group'",
    ],
    [{ cmd: 'MESSAGE', data: { sendType: 'personal', target: 'a' } }, 400, 'message property is required'],
    [
      { cmd: 'MESSAGE', data: { sendType: 'personal', target: {}, message: {} } },
      400,
      expect.stringContaining('target'),
    ],
    [
      { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'a', message: { text: {} } } },
      400,
      expect.stringContaining('text'),
    ],
    [
      { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'a', message: { extra: ['a'] } } },
      400,
      'extra property must be an object',
    ],
    [
      { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'a', message: {}, expire: -1 } },
      400,
      'expire property must be seconds',
    ],
    [{ cmd: 'MESSAGE' }, 400, expect.any(String)],
    [{ cmd: 'MESSAGE', data: null }, 400, expect.any(String)],
    [{ cmd: 'AUTH', data: { token: TOKEN, name: '' } }, 400, 'name property is required'],
    [{ cmd: 'AUTH', data: { token: TOKEN, name: 'a/b' } }, 400, expect.stringContaining('name')],
    [{ cmd: 'PING' }, 400, 'Unknow cmd: PING'],
    [{ cmd: 'constructor' }, 400, 'Unknow cmd: constructor'],
    [{ cmd: 'x'.repeat(1000) }, 400, `Unknow cmd: ${'x'.repeat(64)}`],
    [{ cmd: 5 }, 400, 'cmd property is required'],
    [{ cmd: null }, 400, 'cmd property is required'],
    [[], 400, expect.any(String)],
    ['"cmd"', 400, expect.any(String)],
    ['null', 400, expect.any(String)],
    ['{"cmd":', 400, expect.any(String)],
    ['', 400, expect.any(String)],
    [{}, 404, expect.any(String)],
    [{ text: 'x' }, 404, expect.any(String)],
  ])('%j is refused with %i', async (body, status, text) => {
    const hub = await startHub()
    expect(await hub.post(body)).toMatchObject({ status, json: info(text) })
  })

  test.each([
    [{ 'content-type': 'text/plain' }, 'Unsupported Content Type: text/plain'],
    [
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Unsupported Content Type: application/x-www-form-urlencoded',
    ],
    [{ 'content-encoding': 'gzip' }, 'Unsupported Content Encoding: gzip'],
  ])('%j is refused with 415', async (headers, text) => {
    const hub = await startHub()
    expect(await hub.post({ cmd: 'TEST_HTTP' }, headers)).toMatchObject({ status: 415, json: info(text) })
  })

  test('any content type that says json will do', async () => {
    const hub = await startHub()
    for (const type of [
      'application/json',
      'application/json;charset=UTF-8',
      'text/json',
      'application/vnd.x+json',
      'Application/JSON',
    ]) {
      expect((await hub.post({ cmd: 'TEST_HTTP' }, { 'content-type': type })).status).toBe(200)
    }
  })

  test('TEST_HTTP answers 200 with nothing, as JSON', async () => {
    const hub = await startHub()
    const answer = await hub.post({ cmd: 'TEST_HTTP' })
    expect(answer).toMatchObject({ status: 200, text: '' })
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  })
})

describe('POST AUTH', () => {
  test('grants the same fields as on a socket, in the same order', async () => {
    const hub = await startHub({ config: { fcm: { projectId: 'p' } } })
    const answer = await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: 'me', group: 'dev' } })
    expect(answer.status).toBe(200)
    const me = await hub.login('me', { group: 'dev' })
    const withoutAuth = (text: string) => text.replace(/"auth":"c1[^"]+"/, '"auth":""')
    expect(withoutAuth(answer.text)).toBe(withoutAuth(JSON.stringify(me.packets[0])))
  })

  test('a wrong token is 403 in an AUTH packet, whatever http.verifyToken says', async () => {
    const hub = await startHub()
    for (const token of ['wrong', '', undefined, 5]) {
      expect(await hub.post({ cmd: 'AUTH', data: { token, name: 'me' } })).toMatchObject({
        status: 403,
        json: { cmd: 'AUTH', data: { code: 403, msg: 'Token invalid' } },
      })
    }
    expect((await hub.get('/me.send')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'no' } })
  })

  test('makes the recipient known: a push before its first connection is kept', async () => {
    const hub = await startHub()
    await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: 'me' } })
    expect((await hub.get('/me.send?text=early')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })
    const me = await hub.login('me')
    expect((await me.message()).message.text).toBe('early')
  })
})

describe('callbacks', () => {
  test.each([
    'MESSAGE_CALLBACK',
    'MESSAGE_WEBPUSH_CALLBACK',
    'MESSAGE_FCM_CALLBACK',
    'CONFIRM',
    'REGISTER_FCM',
    'REGISTER_WEBPUSH',
  ])('%s without auth is refused with 401 and the reason', async (cmd) => {
    const hub = await startHub()
    for (const authorization of ['', TOKEN, ADMIN_TOKEN]) {
      expect(await hub.post({ cmd, data: { mid: '1800000000000' } }, { authorization })).toMatchObject({
        status: 401,
        json: info(`The ${cmd} cmd must need auth.`),
      })
    }
  })

  test('an ack by HTTP answers ok, wakes the sender and moves the live session on', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const first = hub.get('/me.send?text=1')
    const { mid } = await me.message()
    const second = hub.get('/me.send?text=2')
    const acked = await hub.post({ cmd: 'MESSAGE_CALLBACK', auth: me.auth, data: { mid } })
    expect(acked).toMatchObject({ status: 200, json: info('ok') })
    expect((await first).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
    const next = await me.message()
    expect(next.message.text).toBe('2')
    me.ack(next.mid)
    await second
    expect(me.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toHaveLength(2)
  })

  test('an ack for an offline recipient counts, and the message is not sent again', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const { auth, socket, closed } = await hub.login('me')
    socket.close()
    await closed
    const push = await hub.get('/me.send?text=x&idem=k')
    const mid = push.headers.get('x-message-id')
    await hub.post({ cmd: 'MESSAGE_CALLBACK', auth, data: { mid } })
    expect((await hub.get('/me.send?text=x&idem=k')).json).toMatchObject({ data: { me: 'ok' } })
    const me = await hub.login('me')
    await me.settled()
    expect(me.packets.map(({ cmd }) => cmd)).toEqual(['AUTH', 'PONG'])
  })

  test.each(['MESSAGE_WEBPUSH_CALLBACK', 'MESSAGE_FCM_CALLBACK'])(
    '%s says that the service worker has it',
    async (cmd) => {
      const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
      const me = await hub.login('me')
      const push = await hub.get('/me.send?text=x&idem=k')
      const mid = push.headers.get('x-message-id')
      expect(await hub.post({ cmd, auth: me.auth, data: { mid } })).toMatchObject({ status: 200, json: info('ok') })
      expect((await hub.get('/me.send?text=x&idem=k')).json).toMatchObject({ data: { me: 'webpush-ok-comfirm' } })
      me.ack((await me.message()).mid)
      await me.settled()
      expect((await hub.get('/me.send?text=x&idem=k')).json).toMatchObject({ data: { me: 'ok' } })
    },
  )

  test('a foreign, unknown or strange mid changes nothing', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    const push = await hub.get('/me.send?text=x&idem=k')
    const mid = push.headers.get('x-message-id')
    for (const wrong of [
      { auth: you.auth, data: { mid } },
      ...['1', 'x', '1799999999999', '../me'].map((other) => ({ auth: me.auth, data: { mid: other } })),
    ]) {
      expect(await hub.post({ cmd: 'MESSAGE_CALLBACK', ...wrong })).toMatchObject({ status: 200, json: info('ok') })
    }
    expect((await hub.get('/me.send?text=x&idem=k')).json).toMatchObject({ data: { me: 'wait' } })
    expect(await hub.post({ cmd: 'MESSAGE_CALLBACK', auth: me.auth, data: {} })).toMatchObject({
      status: 400,
      json: info('mid property is required'),
    })
  })

  test('CONFIRM by HTTP answers CLEAR with who was first', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await hub.login('me')
    const mid = (await hub.get('/me.send?text=x')).headers.get('x-message-id')
    const clear = { status: 200, json: { cmd: 'CLEAR', data: { mid, by: 'me' } } }
    expect(await hub.post({ cmd: 'CONFIRM', auth: me.auth, data: { mid } })).toMatchObject(clear)
    expect(await hub.post({ cmd: 'CONFIRM', auth: me.auth, data: { mid } })).toMatchObject(clear)
    expect(await hub.post({ cmd: 'CONFIRM', auth: me.auth, data: { mid: '1799999999999' } })).toMatchObject({
      status: 404,
      json: info(),
    })
  })

  test('REGISTER_FCM and REGISTER_WEBPUSH are kept by shape; who is not known is told so', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    expect(await hub.post({ cmd: 'REGISTER_FCM', auth: me.auth, data: { token: 't' } })).toMatchObject({
      status: 200,
      json: info('ok'),
    })
    expect(await hub.post({ cmd: 'REGISTER_FCM', auth: me.auth, data: subscription })).toMatchObject({
      status: 200,
      json: info('ok'),
    })
    expect(await hub.post({ cmd: 'REGISTER_WEBPUSH', auth: me.auth, data: subscription })).toMatchObject({
      status: 200,
      json: info('ok'),
    })
    const kept = await hub.store.scan('endpoint', { limit: 10 })
    expect(kept.items.map(({ id }) => id).toSorted()).toEqual(['me@user/fcm/', 'me@user/webpush/'])

    expect(await hub.post({ cmd: 'REGISTER_FCM', auth: me.auth, data: {} })).toMatchObject({
      status: 400,
      json: info('token property is required'),
    })
    me.send('UNREGISTER')
    await me.closed
    expect(await hub.post({ cmd: 'REGISTER_FCM', auth: me.auth, data: { token: 't' } })).toMatchObject({
      status: 404,
      json: info('The Client me is not register'),
    })
  })
})
