import { describe, expect, test } from 'vitest'
import { readPushPath } from '../../server/http/push.ts'
import { Refusal } from '../../server/protocol/errors.ts'
import { startHub, TOKEN } from '../helpers/hub.ts'

describe('readPushPath', () => {
  test.each([
    ['/a.send', 'personal', 'a'],
    ['/a.group?text=x', 'group', 'a'],
    ['/a.b.send', 'personal', 'a.b'],
    ['/a.send.group', 'group', 'a.send'],
    ['/a.group.send', 'personal', 'a.group'],
    ['/%E4%B8%AD.send', 'personal', '中'],
    ['/%252e.send', 'personal', '%2e'],
    ['/a%20b%2Bc.send', 'personal', 'a b+c'],
    ['/.send', 'personal', ''],
    ['/a.send?x=/b.group', 'personal', 'a'],
  ] as const)('%s is for %s %s', (url, sendType, target) => {
    expect(readPushPath(url)).toEqual({ sendType, target })
  })

  test.each(['/', '/a', '/a.sendx', '/a.SEND', '/a.send/', '/a.groupie', '/send', '/?x=a.send', ''])(
    '%s is none',
    (url) => {
      expect(readPushPath(url)).toBeNull()
    },
  )

  test('a broken percent sign is refused by name', () => {
    expect(() => readPushPath('/%E4.send')).toThrow(Refusal)
  })

  test('16 KiB of suffixes cost nothing', () => {
    expect(readPushPath(`/${'.send/'.repeat(2_700)}`)).toBeNull()
  })
})

describe('GET', () => {
  test('text and desp are the message, everything else is extra, a repeated key becomes an array', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const push = hub.get(`/me.send?text=hello&desp=a+b%26c&a=233&b=${encodeURIComponent('{"hello":"world"}')}&c=1&c=2`)
    const message = await me.message()
    me.ack(message.mid)
    expect(message).toEqual({
      sendType: 'personal',
      target: 'me',
      from: { method: 'http', name: '' },
      message: { text: 'hello', desp: 'a b&c', extra: { a: '233', b: '{"hello":"world"}', c: ['1', '2'] } },
      mid: expect.any(String),
    })
    const answer = await push
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
    expect(answer.headers.get('x-message-id')).toBe(message.mid)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('names that every object has are plain keys', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const push = hub.get('/me.send?toString=1&hasOwnProperty=2&valueOf=3&valueOf=4')
    const { mid, message } = await me.message()
    me.ack(mid)
    expect(message).toEqual({ text: '', desp: '', extra: { toString: '1', hasOwnProperty: '2', valueOf: ['3', '4'] } })
    await push
  })

  test('without any field the message is delivered empty', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const push = hub.get('/me.send')
    const { mid, message } = await me.message()
    me.ack(mid)
    expect(message).toEqual({ text: '', desp: '', extra: {} })
    await push
  })

  test('names are decoded, dots belong to them, and the spelling of Unicode does not matter', async () => {
    const hub = await startHub()
    for (const name of ['中文', 'a.b', 'a.group', 'd e', 'é', '😀', "o'neil@example.com"]) {
      const client = await hub.login(name)
      const push = hub.get(`/${encodeURIComponent(name.normalize('NFD'))}.send?text=x`)
      const { mid, target } = await client.message()
      expect(target).toBe(name)
      client.ack(mid)
      expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { [name]: 'ok' } })
    }
  })

  test('an unknown name answers no, an unknown or empty group {}', async () => {
    const hub = await startHub()
    const unknown = await hub.get('/nobody.send?text=x')
    expect(unknown).toMatchObject({ status: 200, json: { cmd: 'MESSAGE_REPLY', data: { nobody: 'no' } } })
    expect(unknown.headers.has('x-message-id')).toBe(false)
    expect(await hub.get('/nothing.group')).toMatchObject({ status: 200, json: { cmd: 'MESSAGE_REPLY', data: {} } })
  })

  test.each([
    ['/.send', 400],
    ['/.group', 400],
    ['/x/y/a.send', 400],
    ['/%2Fetc.send', 400],
    ['/a%00b.send', 400],
    ['/a%E2%80%AEb.send', 400],
    ['/%2e%2e.send', 400],
    ['/%.send', 400],
    ['/__proto__.send', 400],
    ['/constructor.group', 400],
    ['/dev@group.send', 400],
    ['/acme@tenant.send', 400],
    [`/${'a'.repeat(65)}.send`, 400],
    ['/a.sendx', 404],
    ['/a.groupie', 404],
    ['/a.SEND', 404],
    ['/a', 404],
    ['/', 404],
    ['/a.send?__proto__=1', 400],
    ['/a.send?token=abc', 400],
  ])('%s is refused with %i', async (path, status) => {
    const hub = await startHub()
    const answer = await hub.get(path)
    expect(answer).toMatchObject({ status, json: { cmd: 'INFO', data: expect.any(String) } })
  })

  test('a token in the URL is refused with the header named, by POST too', async () => {
    const hub = await startHub()
    const refused = { status: 400, json: { cmd: 'INFO', data: expect.stringContaining('header "authorization"') } }
    expect(await hub.get(`/a.send?token=${TOKEN}`)).toMatchObject(refused)
    expect(await hub.post({ text: 'x' }, {}, `/a.send?token=${TOKEN}`)).toMatchObject(refused)
    expect(await hub.post({ cmd: 'TEST_HTTP' }, {}, '/?token=1')).toMatchObject(refused)
  })

  test('the name that 64 code points allow is served', async () => {
    const hub = await startHub()
    const name = '😀'.repeat(64)
    await hub.login(name)
    expect((await hub.get(`/${encodeURIComponent(`${name}x`)}.send`)).status).toBe(400)
    expect((await hub.get(`/${encodeURIComponent(name)}.group`)).json).toEqual({ cmd: 'MESSAGE_REPLY', data: {} })
  })
})

describe('groups', () => {
  test('all members get it and are named in the answer, in the order they joined', async () => {
    const hub = await startHub()
    const b = await hub.login('b', { group: 'dev' })
    const a = await hub.login('a', { group: 'dev' })
    await hub.login('c', { group: 'other' })
    const push = hub.get('/dev.group?text=x')
    for (const client of [a, b]) {
      const message = await client.message()
      expect(message).toMatchObject({ sendType: 'group', target: 'dev' })
      client.ack(message.mid)
    }
    expect((await push).text).toBe('{"cmd":"MESSAGE_REPLY","data":{"b":"ok","a":"ok"}}')
  })

  test('"null" and "undefined" are no groups', async () => {
    const hub = await startHub()
    await hub.login('a', { group: 'null' })
    await hub.login('b', { group: 'undefined' })
    await hub.login('c', { group: null })
    expect((await hub.get('/null.group')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: {} })
    expect((await hub.get('/undefined.group')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: {} })
  })

  test('who comes back with another group leaves the former one', async () => {
    const hub = await startHub()
    await hub.login('a', { group: 'one' })
    const a = await hub.login('a', { group: 'two' })
    expect((await hub.get('/one.group')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: {} })
    const push = hub.get('/two.group')
    a.ack((await a.message()).mid)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { a: 'ok' } })
  })
})

describe('the flat POST of V2.0', () => {
  test('JSON: text, desp, and the rest with its types', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const push = hub.post({ text: 5, desp: null, n: 1, list: [{ deep: true }] }, {}, '/me.send')
    const { mid, message } = await me.message()
    me.ack(mid)
    expect(message).toEqual({ text: '5', desp: '', extra: { n: 1, list: [{ deep: true }] } })
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  })

  test('a form: as the query of a GET', async () => {
    const hub = await startHub()
    const me = await hub.login('me', { group: 'dev' })
    const push = hub.request('/dev.group', {
      method: 'POST',
      body: new URLSearchParams([
        ['text', '你好'],
        ['c', '1'],
        ['c', '2'],
      ]),
    })
    const { mid, message, sendType } = await me.message()
    me.ack(mid)
    expect(sendType).toBe('group')
    expect(message).toEqual({ text: '你好', desp: '', extra: { c: ['1', '2'] } })
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  })

  test.each([[{ text: { a: 1 } }], [{ desp: [{}] }], [{ text: [['x']] }]])(
    '%j is refused: text and desp are strings',
    async (body) => {
      const hub = await startHub()
      expect(await hub.post(body, {}, '/me.send')).toMatchObject({ status: 400, json: { cmd: 'INFO' } })
    },
  )
})

describe('idempotency', () => {
  test('a repeat answers with the same mid and the states as they are now; another body is refused', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
    const first = await hub.get('/me.send?text=x&idem=k1')
    expect(first.json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })

    const me = await hub.login('me')
    me.ack((await me.message()).mid)
    await me.settled()

    const again = await hub.get('/me.send?text=x&idem=k1')
    expect(again.json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
    expect(again.headers.get('x-message-id')).toBe(first.headers.get('x-message-id'))

    const byHeader = await hub.get('/me.send?text=x', { 'idempotency-key': 'k1' })
    expect(byHeader.headers.get('x-message-id')).toBe(first.headers.get('x-message-id'))

    expect(await hub.get('/me.send?text=y&idem=k1')).toMatchObject({ status: 422, json: { cmd: 'INFO' } })
    expect(me.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toHaveLength(1)
  })

  test('the key is not part of the message, and belongs to its caller', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await hub.login('me')
    const packet = { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'me', message: { text: 'x' } } }
    const anonymous = await hub.post(packet, { 'idempotency-key': 'k' })
    const byPacket = await hub.post({ ...packet, data: { ...packet.data, idem: 'k' } })
    expect(byPacket.headers.get('x-message-id')).toBe(anonymous.headers.get('x-message-id'))
    const own = await hub.post({ ...packet, auth: me.auth }, { 'idempotency-key': 'k' })
    expect(own.headers.get('x-message-id')).not.toBe(anonymous.headers.get('x-message-id'))
    expect((await me.message()).message.extra).toEqual({})
  })

  test('a key has 255 characters at most, an empty one is none', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
    expect((await hub.get(`/me.send?idem=${'k'.repeat(255)}`)).status).toBe(200)
    expect((await hub.get(`/me.send?idem=${'k'.repeat(256)}`)).status).toBe(400)
    const [one, two] = [await hub.get('/me.send?idem='), await hub.get('/me.send?idem=')]
    expect(one.headers.get('x-message-id')).not.toBe(two.headers.get('x-message-id'))
  })
})
