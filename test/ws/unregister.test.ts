import { expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'

test('the recipient leaves for good: every socket closes with 4003, senders read no, nothing waits', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 60_000 } } })
  const me = await hub.login('me', { group: 'dev' })
  const phone = await hub.login('me', { device: 'phone' })
  const push = hub.get('/me.send?text=x&idem=k')
  await me.message()
  me.send('UNREGISTER')
  expect(await me.closed).toEqual({ code: 4003, reason: 'removed' })
  expect((await phone.closed).code).toBe(4003)
  expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'no' } })
  expect((await hub.get('/me.send')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'no' } })
  expect((await hub.get('/dev.group')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: {} })
  expect((await hub.get('/health')).json).toMatchObject({ sessions: 0 })
})

test('a new recipient with the name starts empty', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
  const old = await hub.login('me', { device: 'phone' })
  for (const text of ['1', '2', '3']) await hub.get(`/me.send?text=${text}`)
  await old.message()
  old.send('UNREGISTER')
  await old.closed
  const me = await hub.login('me', { device: 'phone', window: 9 })
  await hub.get('/me.send?text=4')
  expect((await me.message()).message.text).toBe('4')
})

test('a recipient of the config stays, without what waited for it', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me', group: 'dev' }] } })
  await hub.get('/me.send?text=old')
  const old = await hub.login('me')
  old.send('UNREGISTER')
  await old.closed
  expect((await hub.get('/dev.group?text=new')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ready' } })
  const me = await hub.login('me')
  expect((await me.message()).message.text).toBe('new')
})
