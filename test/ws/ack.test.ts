import { expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'

const config = { http: { waitTimeout: 0 } }
const cmds = (packets: readonly { cmd: string }[]) => packets.map(({ cmd }) => cmd)

test('MESSAGE_CALLBACK is silent and makes the state ok', async () => {
  const hub = await startHub()
  const me = await hub.login('me')
  const push = hub.get('/me.send')
  me.ack((await me.message()).mid)
  expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  await me.settled()
  expect(cmds(me.packets)).toEqual(['AUTH', 'MESSAGE', 'PONG'])
})

test.each(['MESSAGE_WEBPUSH_CALLBACK', 'MESSAGE_FCM_CALLBACK'])(
  '%s is silent, and the session is still owed the message',
  async (cmd) => {
    const hub = await startHub({ config })
    const me = await hub.login('me')
    await hub.get('/me.send?idem=k')
    const { mid } = await me.message()
    me.send(cmd, { mid })
    const told = async () => (await hub.get('/me.send?idem=k')).json
    await expect.poll(told).toMatchObject({ data: { me: 'webpush-ok-comfirm' } })
    const again = await hub.login('me')
    expect((await again.message()).mid).toBe(mid)
    again.ack(mid)
    await expect.poll(told).toMatchObject({ data: { me: 'ok' } })
  },
)

test('an ack may be repeated, may be of a mid that nobody knows, and may be of a foreign one: nothing is sent again', async () => {
  const hub = await startHub({ config })
  const [me, you] = [await hub.login('me'), await hub.login('you')]
  await hub.get('/me.send?text=1&idem=k')
  await hub.get('/me.send?text=2')
  const { mid } = await me.message()
  for (const wrong of ['1700000000000', '9999999999999', 'x', '1', `${mid}0`, `-${mid}`]) me.ack(wrong)
  you.ack(mid)
  await Promise.all([me.settled(), you.settled()])
  expect(cmds(me.packets)).toEqual(['AUTH', 'MESSAGE', 'PONG'])
  expect((await hub.get('/me.send?text=1&idem=k')).json).toMatchObject({ data: { me: 'wait' } })

  for (let n = 0; n < 20; n += 1) me.ack(mid)
  await me.message()
  await me.settled()
  expect(cmds(me.packets)).toEqual(['AUTH', 'MESSAGE', 'PONG', 'MESSAGE', 'PONG'])
  expect((await hub.get('/me.send?text=1&idem=k')).json).toMatchObject({ data: { me: 'ok' } })
})

test('a mid may come as a number; without one the packet is told to be wrong', async () => {
  const hub = await startHub()
  const me = await hub.login('me')
  const push = hub.get('/me.send')
  me.send('MESSAGE_CALLBACK', { mid: Number((await me.message()).mid) })
  expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  for (const data of [undefined, {}, { mid: '' }, { mid: null }]) {
    me.send('MESSAGE_CALLBACK', data)
    expect(await me.next('INFO')).toEqual({ cmd: 'INFO', data: 'mid property is required' })
  }
})

test('acks behind a MESSAGE that waits for its reply are taken at once', async () => {
  const hub = await startHub()
  const [me, you] = [await hub.login('me'), await hub.login('you')]
  me.send('MESSAGE', { sendType: 'personal', target: 'you', message: { text: 'to you' } })
  const { mid } = await you.message()
  const push = hub.get('/me.send?text=to+me')
  me.ack((await me.message()).mid)
  expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  expect(cmds(me.packets)).toEqual(['AUTH', 'MESSAGE'])
  you.ack(mid)
  await me.next('MESSAGE_REPLY')
})

test('an ack that was on its way when the socket was replaced still counts', async () => {
  const hub = await startHub({ config })
  const old = await hub.login('me')
  await hub.get('/me.send?idem=k')
  const { mid } = await old.message()
  old.socket.pause()
  const me = await hub.login('me')
  await me.message()
  old.ack(mid)
  old.socket.resume()
  await old.closed
  await me.settled()
  expect((await hub.get('/me.send?idem=k')).json).toMatchObject({ data: { me: 'ok' } })
})
