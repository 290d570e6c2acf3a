import { expect, test } from 'vitest'
import { loadTokens, newToken } from '../../server/directory/tokens.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import type { Store } from '../../server/store/store.ts'
import { forgeries } from '../abuse/forgeries.ts'
import { testClock } from '../helpers/clock.ts'

const DAY_MS = 24 * 3_600_000

async function setUp(store?: Store, adminToken?: string) {
  const clock = testClock()
  const kept = store ?? createMemoryStore({ clock })
  const tokens = await loadTokens({ hubToken: 'hub', adminToken, store: kept, now: () => clock.now() })
  return { clock, store: kept, tokens }
}

test('auth speaks for one recipient for 30 days', async () => {
  const { clock, tokens } = await setUp()
  const auth = tokens.sign('中文 a@user')
  expect(tokens.verify(auth)).toEqual({ kind: 'client', id: '中文 a@user' })
  await clock.advance(30 * DAY_MS - 1)
  expect(tokens.verify(auth)).toEqual({ kind: 'client', id: '中文 a@user' })
  await clock.advance(1)
  expect(() => tokens.verify(auth)).toThrow('auth is not valid here')
})

test('no forgery is believed', async () => {
  const { tokens } = await setUp()
  for (const [way, auth] of forgeries(tokens.sign('me@user'), 'hub')) {
    expect(() => tokens.verify(auth), way).toThrow('auth is not valid here')
  }
})

test('auth of another hub with the same token is not believed', async () => {
  const [here, there] = [await setUp(), await setUp()]
  expect(() => here.tokens.verify(there.tokens.sign('me@user'))).toThrow('auth is not valid here')
})

test('auth and the VAPID key outlive a restart', async () => {
  const { store, tokens } = await setUp()
  const auth = tokens.sign('me@user')
  const again = await setUp(store)
  expect(again.tokens.verify(auth)).toEqual({ kind: 'client', id: 'me@user' })
  expect(again.tokens.vapidPublicKey).toBe(tokens.vapidPublicKey)
})

test('two hubs that start on one store at once agree on the keys', async () => {
  const store = createMemoryStore({ clock: testClock() })
  const [a, b] = await Promise.all([setUp(store), setUp(store)])
  expect(b.tokens.verify(a.tokens.sign('me@user'))).toEqual({ kind: 'client', id: 'me@user' })
  expect(b.tokens.vapidPublicKey).toBe(a.tokens.vapidPublicKey)
})

test('the VAPID key is an uncompressed point, 87 characters of base64url without padding', async () => {
  const { tokens } = await setUp()
  expect(tokens.vapidPublicKey).toMatch(/^[A-Za-z0-9_-]{87}$/)
  const point = Buffer.from(tokens.vapidPublicKey, 'base64url')
  expect([point.length, point[0]]).toEqual([65, 4])
})

test('the hub token and the admin token are told apart, all else is nobody', async () => {
  const { tokens } = await setUp(undefined, 'admin')
  expect(tokens.callerOf('hub')).toEqual({ kind: 'hub' })
  expect(tokens.callerOf('admin')).toEqual({ kind: 'admin' })
  for (const wrong of ['', 'hub ', 'hu', 'HUB', 'admi']) expect(tokens.callerOf(wrong)).toBeNull()
  expect((await setUp()).tokens.callerOf('admin')).toBeNull()
})

test('a new token has 256 bits', () => {
  expect(newToken()).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(newToken()).not.toBe(newToken())
})
