import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../server/store/memory.ts'
import { testClock } from '../helpers/clock.ts'
import { gateStore } from '../helpers/gate-store.ts'
import { startHub } from '../helpers/hub.ts'

const personal = (target: string, more = {}) => ({ sendType: 'personal', target, message: { text: 'x' }, ...more })

describe('MESSAGE', () => {
  test('reaches the target with the sender named, and is answered {mid, status}', async () => {
    const hub = await startHub()
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    me.send('MESSAGE', { sendType: 'personal', target: 'you', message: { text: 'a', desp: 'b', extra: { n: 1 } } })
    const message = await you.message()
    you.ack(message.mid)
    expect(message).toEqual({
      sendType: 'personal',
      target: 'you',
      from: { method: 'websocket', name: 'me' },
      message: { text: 'a', desp: 'b', extra: { n: 1 } },
      mid: message.mid,
    })
    expect(await me.next('MESSAGE_REPLY')).toEqual({
      cmd: 'MESSAGE_REPLY',
      data: { mid: message.mid, status: { you: 'ok' } },
    })
  })

  test('to a group reaches the sender too, if it is a member', async () => {
    const hub = await startHub()
    const me = await hub.login('me', { group: 'dev' })
    const you = await hub.login('you', { group: 'dev' })
    me.send('MESSAGE', { sendType: 'group', target: 'dev', message: {} })
    const messages = [await me.message(), await you.message()]
    for (const message of messages) expect(message).toMatchObject({ sendType: 'group', target: 'dev' })
    me.ack(messages[0]?.mid ?? '')
    you.ack(messages[1]?.mid ?? '')
    expect(await me.next('MESSAGE_REPLY')).toMatchObject({ data: { status: { me: 'ok', you: 'ok' } } })
  })

  test('to nobody is answered at once', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    me.send('MESSAGE', personal('nobody'))
    expect(await me.next('MESSAGE_REPLY')).toEqual({
      cmd: 'MESSAGE_REPLY',
      data: { mid: '', status: { nobody: 'no' } },
    })
    me.send('MESSAGE', { sendType: 'group', target: 'nobody', message: {} })
    expect(await me.next('MESSAGE_REPLY')).toEqual({ cmd: 'MESSAGE_REPLY', data: { mid: '', status: {} } })
  })

  test.each([
    [undefined, "sendType property must 'personal' or 'group'"],
    [{ ...personal('you'), sendType: 'x' }, "sendType property must 'personal' or 'group'"],
    [personal(''), 'target property is required'],
    [{ sendType: 'personal', target: 'you' }, 'message property is required'],
    [personal('a/b'), 'target has a slash'],
    [personal('system'), 'this caller may not do that'],
    [personal('you', { expire: 'x' }), 'expire property must be seconds'],
  ])('%j is told as INFO', async (data, text) => {
    const hub = await startHub()
    const me = await hub.login('me')
    me.send('MESSAGE', data)
    expect(await me.next('INFO')).toEqual({ cmd: 'INFO', data: text })
  })

  test('websocket.waitTimeout bounds the wait', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { websocket: { waitTimeout: 700 } } })
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    me.send('MESSAGE', personal('you'))
    await you.message()
    await clock.advance(699)
    await me.settled()
    expect(me.packets.map(({ cmd }) => cmd)).toEqual(['AUTH', 'PONG'])
    await clock.advance(1)
    expect(await me.next('MESSAGE_REPLY')).toMatchObject({ data: { status: { you: 'wait' } } })
  })

  test('a thousand may wait for their reply on one socket, more are refused and not accepted', async () => {
    const gate = gateStore(createMemoryStore({ clock: testClock() }))
    const hub = await startHub({ store: gate.store, config: { websocket: { waitTimeout: 0 } } })
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    you.socket.terminate()
    await you.closed
    gate.shut()
    for (let n = 0; n < 1_001; n += 1) me.send('MESSAGE', personal('you'))
    expect(await me.next('INFO')).toEqual({
      cmd: 'INFO',
      data: 'the queue is full, try again soon; nothing was accepted',
    })
    gate.open()
    for (let n = 0; n < 1_000; n += 1) await me.next('MESSAGE_REPLY')
    const kept = await hub.store.inbox('you@user', { limit: 1_500 })
    expect(kept.items).toHaveLength(1_000)
    me.send('MESSAGE', personal('you'))
    await me.next('MESSAGE_REPLY')
  })

  test('a reply that comes after the sender left is no trouble', async () => {
    const hub = await startHub()
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    me.send('MESSAGE', personal('you'))
    const { mid } = await you.message()
    me.socket.terminate()
    await me.closed
    you.ack(mid)
    await you.settled()
    expect((await hub.get('/health')).json).toMatchObject({ sessions: 1 })
  })
})

describe('id', () => {
  const info = (id: string, error: string, data: string) => ({ cmd: 'INFO', data, id, error })

  test('tells answers apart that come in another order than their pushes', async () => {
    const hub = await startHub()
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    me.send('MESSAGE', personal('you'), { id: 'first' })
    me.send('MESSAGE', personal('nobody'), { id: '"second"' })
    expect(await me.next('MESSAGE_REPLY')).toEqual({
      cmd: 'MESSAGE_REPLY',
      data: { mid: '', status: { nobody: 'no' } },
      id: '"second"',
    })
    you.ack((await you.message()).mid)
    expect(await me.next('MESSAGE_REPLY')).toMatchObject({ data: { status: { you: 'ok' } }, id: 'first' })
  })

  test('comes with a refusal, and the name of the error', async () => {
    const hub = await startHub()
    const me = await hub.login('me', { confirms: true })
    me.send('MESSAGE', personal('system'), { id: 'a' })
    expect(await me.next('INFO')).toEqual(info('a', 'not-allowed', 'this caller may not do that'))
    me.send('CONFIRM', { mid: 'x' }, { id: 'b' })
    expect(await me.next('INFO')).toEqual(info('b', 'bad-packet', 'there is no such message to confirm'))
    me.send('WHAT', {}, { id: 'c', auth: 'forged' })
    expect(await me.next('INFO')).toMatchObject({ id: 'c', error: 'bad-auth' })
    const stranger = await hub.connect()
    stranger.send('AUTH', { token: '', name: 'a/b' }, { id: 'd' })
    expect(await stranger.next('INFO')).toEqual(info('d', 'bad-name', 'name has a slash'))
  })

  test.each([[1], [''], [null], [{}], ['x'.repeat(65)]])('%j is none', async (id) => {
    const hub = await startHub()
    const me = await hub.login('me')
    me.send('MESSAGE', personal('nobody'), { id })
    expect(Object.keys(await me.next('MESSAGE_REPLY'))).toEqual(['cmd', 'data'])
  })
})

describe('idem', () => {
  test('makes a push that comes again the first one', async () => {
    const hub = await startHub()
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    me.send('MESSAGE', personal('you', { idem: 'k' }))
    const { mid } = await you.message()
    you.ack(mid)
    const first = await me.next('MESSAGE_REPLY')
    expect(first).toMatchObject({ data: { mid, status: { you: 'ok' } } })

    const again = await hub.login('me')
    again.send('MESSAGE', personal('you', { idem: 'k' }))
    expect(await again.next('MESSAGE_REPLY')).toEqual(first)
    again.send('MESSAGE', personal('you', { idem: 'k', message: { text: 'other' } }), { id: 'x' })
    expect(await again.next('INFO')).toMatchObject({ id: 'x', error: 'idempotency-mismatch' })
    await you.settled()
    expect(you.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toHaveLength(1)
  })

  test.each([
    [1, 'idem property must be a string'],
    ['x'.repeat(256), 'idem property: 255 characters at most'],
  ])('%j is refused', async (idem, text) => {
    const hub = await startHub()
    const me = await hub.login('me')
    me.send('MESSAGE', personal('you', { idem }))
    expect(await me.next('INFO')).toEqual({ cmd: 'INFO', data: text })
  })
})
