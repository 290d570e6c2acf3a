import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../server/store/memory.ts'
import { StoreFull } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import { gateStore } from '../helpers/gate-store.ts'
import { startHub, TOKEN } from '../helpers/hub.ts'

const messageTo = (target: string, text = 'x') => ({ sendType: 'personal', target, message: { text } })
const info = (data: unknown = expect.any(String)) => ({ cmd: 'INFO', data })

describe('the envelope', () => {
  test.each([
    ['{', 'the body is not valid JSON'],
    ['', 'the body is not valid JSON'],
    ['null', 'a packet is a JSON object with the property cmd'],
    ['[]', 'a packet is a JSON object with the property cmd'],
    ['"AUTH"', 'a packet is a JSON object with the property cmd'],
    ['{}', 'cmd property is required'],
    ['{"cmd":1}', 'cmd property is required'],
    ['{"cmd":"MESSAGE","__proto__":{}}', 'a key named __proto__ is not allowed'],
    [`{"cmd":"MESSAGE","data":${'['.repeat(6_000)}${']'.repeat(6_000)}}`, 'JSON is nested deeper than 32 levels'],
  ])('%.40s is told as INFO, before AUTH and after it', async (text, told) => {
    const hub = await startHub()
    const me = await hub.login('me')
    const stranger = await hub.connect()
    for (const { socket, next } of [me, stranger]) {
      socket.send(text)
      expect(await next('INFO')).toEqual(info(told))
    }
  })

  test.each(['NOPE', 'TEST_HTTP', 'constructor', 'auth'])('the cmd %s is unknown', async (cmd) => {
    const hub = await startHub()
    const me = await hub.login('me')
    me.send(cmd)
    expect(await me.next('INFO')).toEqual(info(`Unknow cmd: ${cmd}`))
  })

  test('any packet may carry auth; a false one refuses the packet, an empty one is none', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    for (const auth of [me.auth, '', null]) {
      me.send('PING', undefined, { auth })
      await me.next('PONG')
    }
    for (const auth of ['x', { name: 'me' }, 1, `${me.auth}x`]) {
      me.send('PING', undefined, { auth })
      expect(await me.next('INFO')).toEqual(info(expect.stringContaining('auth is not valid here')))
    }
    expect(me.packets.filter(({ cmd }) => cmd === 'PONG')).toHaveLength(3)
  })

  test('a binary frame closes the socket with 1003', async () => {
    const hub = await startHub()
    const { socket, closed } = await hub.login('me')
    socket.send(Buffer.from('{"cmd":"PING"}'))
    expect((await closed).code).toBe(1003)
  })
})

describe('before AUTH', () => {
  test('PING is answered, anything else is told 401, and the socket stays open', async () => {
    const hub = await startHub()
    const client = await hub.connect('/any/path?and=query')
    client.send('PING')
    expect(await client.next('PONG')).toEqual({ cmd: 'PONG', data: '' })
    for (const cmd of ['MESSAGE', 'UNREGISTER', 'NOPE']) {
      client.send(cmd, {})
      expect(await client.next('AUTH')).toEqual({ cmd: 'AUTH', data: { code: 401, msg: 'Need Auth' } })
    }
    client.send('AUTH', { token: TOKEN, name: 'me' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
  })

  test('the fourth such packet ends the socket with 4401', async () => {
    const hub = await startHub()
    const client = await hub.connect()
    for (let n = 0; n < 4; n += 1) client.send('MESSAGE', messageTo('a'))
    expect(await client.closed).toEqual({ code: 4401, reason: 'need AUTH' })
    expect(client.packets).toHaveLength(4)
  })

  test('without AUTH the socket is closed with 4408 after authTimeout, however busy it was', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { websocket: { authTimeout: 5_000 } } })
    const [silent, busy] = [await hub.connect(), await hub.connect()]
    await clock.advance(4_999)
    await busy.settled()
    await silent.settled()
    await clock.advance(1)
    expect((await silent.closed).code).toBe(4408)
    expect((await busy.closed).code).toBe(4408)
  })

  test('after AUTH there is no such end', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { websocket: { authTimeout: 5_000 } } })
    const me = await hub.login('me')
    await clock.advance(20_000)
    await me.settled()
  })
})

describe('while AUTH waits for the store', () => {
  async function authInWaiting() {
    const gate = gateStore(createMemoryStore({ clock: testClock() }))
    const hub = await startHub({ store: gate.store })
    const client = await hub.connect()
    const { reached } = gate.shut()
    client.send('AUTH', { token: TOKEN, name: 'me' })
    await reached
    return { gate, hub, client }
  }

  test('a MESSAGE right behind it is not told 401', async () => {
    const { gate, client } = await authInWaiting()
    client.send('MESSAGE', messageTo('nobody'))
    client.send('PING')
    gate.open()
    expect(await client.next('MESSAGE_REPLY')).toEqual({
      cmd: 'MESSAGE_REPLY',
      data: { mid: '', status: { nobody: 'no' } },
    })
    expect(client.packets.map(({ cmd }) => cmd).toSorted()).toEqual(['AUTH', 'MESSAGE_REPLY', 'PONG'])
    expect(client.packets[0]).toMatchObject({ cmd: 'AUTH', data: { code: 200 } })
  })

  test('a socket that closes leaves no live session behind', async () => {
    const { gate, hub, client } = await authInWaiting()
    client.socket.terminate()
    const other = await hub.connect()
    await other.settled()
    gate.open()
    const push = await hub.get('/me.send?text=x')
    expect(push.json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 0 })
  })

  test('two AUTHs in a row are taken in their order', async () => {
    const { gate, hub, client } = await authInWaiting()
    client.send('AUTH', { token: TOKEN, name: 'you' })
    client.send('MESSAGE', messageTo('you', 'to myself'))
    gate.open()
    const { from, message, mid } = await client.message()
    expect([from.name, message.text]).toEqual(['you', 'to myself'])
    client.ack(mid)
    expect(await client.next('MESSAGE_REPLY')).toMatchObject({ data: { status: { you: 'ok' } } })
    expect((await hub.get('/me.send')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })
  })

  test('a store that refuses is told by name; it is no AUTH packet, so clients do not give up', async () => {
    const gate = gateStore(createMemoryStore({ clock: testClock() }))
    const hub = await startHub({ store: gate.store })
    const client = await hub.connect()
    gate.refuse(new StoreFull('full'))
    client.send('AUTH', { token: TOKEN, name: 'me' })
    expect(await client.next('INFO')).toEqual(info('the disk is full or nearly so; nothing was accepted'))
    expect(await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: 'me' } })).toMatchObject({
      status: 507,
      json: info(),
    })
    gate.refuse(null)
    client.send('AUTH', { token: TOKEN, name: 'me' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
  })
})
