/** Two who want one name: the shared token lets both have it, so the later one gets it, and neither loses a message. */
import { expect, test } from 'vitest'
import type { TestClient } from '../helpers/client.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { startHub, type TestHub, TOKEN } from '../helpers/hub.ts'

const config = { http: { waitTimeout: 0 } }
const REPLACED = { code: 4001, reason: 'replaced' }

/** A socket that asked for the name and may still wait for it. */
async function asks(hub: TestHub, name = 'me', more = {}): Promise<TestClient> {
  const client = await hub.connect()
  client.send('AUTH', { token: TOKEN, name, ...more })
  return client
}

/** Everything sent by then was handled. */
async function calm(hub: TestHub, clock: TestClock): Promise<void> {
  const other = await hub.connect()
  await other.settled()
  await clock.advance(0)
  other.socket.terminate()
}

const cmds = ({ packets }: TestClient) => packets.map(({ cmd }) => cmd)

test('whoever has no token leaves the one who has the name alone', async () => {
  const hub = await startHub({ config })
  const me = await hub.login('me')
  const rogue = await hub.connect()
  for (const token of ['', 'wrong', me.auth]) rogue.send('AUTH', { token, name: 'me' })
  expect((await rogue.closed).code).toBe(4403)
  await hub.get('/me.send?text=still+mine')
  expect((await me.message()).message.text).toBe('still mine')
})

test('one who comes again loses nothing and gets nothing twice but what it had not acked', async () => {
  const hub = await startHub({ config })
  const first = await hub.login('me', { window: 3 })
  for (const text of ['1', '2', '3', '4']) await hub.get(`/me.send?text=${text}`)
  const [one] = [await first.message(), await first.message(), await first.message()]
  first.ack(one.mid)
  expect((await first.message()).message.text).toBe('4')
  const again = await hub.login('me', { window: 9 })
  expect(await first.closed).toEqual(REPLACED)
  const texts = [await again.message(), await again.message(), await again.message()].map(({ message }) => message.text)
  await again.settled()
  expect([texts, cmds(again).filter((cmd) => cmd === 'MESSAGE').length]).toEqual([['2', '3', '4'], 3])
})

test('of two who come back at once whenever they are replaced, each keeps the name for a second', async () => {
  const clock = testClock()
  const hub = await startHub({ clock, config })
  let holder: TestClient = await hub.login('me')
  let next: TestClient = await hub.login('me')
  expect(await holder.closed).toEqual(REPLACED)
  for (let round = 0; round < 5; round += 1) {
    holder = next
    next = await asks(hub)
    await calm(hub, clock)
    await clock.advance(999)
    await calm(hub, clock)
    expect(cmds(next)).toEqual([])
    await clock.advance(1)
    expect(await next.next('AUTH')).toMatchObject({ data: { code: 200 } })
    expect(await holder.closed).toEqual(REPLACED)
  }
  await hub.get('/me.send?text=to+the+last')
  expect((await next.message()).message.text).toBe('to the last')
})

test('what it sent behind its AUTH waits with it, and one that leaves meanwhile takes no place', async () => {
  const clock = testClock()
  const hub = await startHub({ clock, config })
  for (let n = 0; n < 2; n += 1) await hub.login('me')
  const [eager, gone] = [await asks(hub), await asks(hub)]
  eager.send('MESSAGE', { sendType: 'personal', target: 'me', message: { text: 'to myself' } })
  await calm(hub, clock)
  gone.socket.terminate()
  await gone.closed
  await clock.advance(1_000)
  expect((await eager.message()).message.text).toBe('to myself')
  expect(cmds(eager)[0]).toBe('AUTH')
  expect((await hub.get('/health')).json).toMatchObject({ sessions: 1 })
})

test.each<readonly [string, string, Record<string, unknown>]>([
  ['another name', 'you', {}],
  ['another device of the name', 'me', { device: 'phone' }],
])('%s does not wait', async (_, name, more) => {
  const clock = testClock()
  const hub = await startHub({ clock, config })
  for (let n = 0; n < 2; n += 1) await hub.login('me')
  await hub.login(name, more)
})

test('nor does the socket that has the name, nor one that comes back after the other left', async () => {
  const clock = testClock()
  const hub = await startHub({ clock, config })
  const holder = [await hub.login('me'), await hub.login('me')].at(-1)
  holder?.send('AUTH', { token: TOKEN, name: 'me' })
  expect(await holder?.next('AUTH')).toMatchObject({ data: { code: 200 } })
  holder?.socket.close()
  await holder?.closed
  await expect.poll(async () => Object((await hub.get('/health')).json).sessions).toBe(0)
  await hub.login('me')
})
