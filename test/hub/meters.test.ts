/** What the hub tells of itself for whoever watches it. */
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../server/store/memory.ts'
import { testClock } from '../helpers/clock.ts'
import { laneRig } from '../helpers/lane.ts'

test('bytes that the network has not taken, over all sessions of everybody', async () => {
  const { hub, open } = await laneRig()
  expect(hub.sessions.buffered()).toBe(0)
  const phone = await open('alice', { device: 'phone' })
  const desk = await open('alice', { device: 'desk' })
  const bob = await open('bob')
  expect(hub.sessions).toMatchObject({ count: 3, recipients: 2 })
  phone.buffered = 100
  desk.buffered = 20
  bob.buffered = 3
  expect(hub.sessions.buffered()).toBe(123)
  hub.sessions.disconnect(phone.session)
  expect(hub.sessions.buffered()).toBe(23)
  expect(hub.sessions).toMatchObject({ count: 2, recipients: 2 })
})

test('work that nobody takes up waits, too', async () => {
  const clock = testClock()
  const store = createMemoryStore({ clock })
  await store.open()
  const { hub, push } = await laneRig(store, clock)
  expect(await hub.queue.waited()).toBe(0)
  await push('alice', 'text', { expireMs: 1_000, waitMs: 0 })
  expect(await hub.queue.waited()).toBe(0)
  await clock.advance(3_500)
  expect(await hub.queue.waited()).toBe(2_500)
})
