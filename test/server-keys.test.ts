/** Keys of `server` and `task` as a whole hub obeys them. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../server/store/memory.ts'
import type { Store } from '../server/store/store.ts'
import { testClock } from './helpers/clock.ts'
import { type Overrides, startHub, type TestHub } from './helpers/hub.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** What the hub answers to bytes, until it closes the connection. */
async function exchange(hub: TestHub, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString()))
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

test('server.read_timeout: half a request is refused', async () => {
  const hub = await startHub({ config: { server: { read_timeout: 0.1 } } })
  expect(
    await exchange(
      hub,
      'POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\nhalf',
    ),
  ).toMatch(/^HTTP\/1.1 408 /)
})

test('server.write_timeout: a push that waits for longer is cut off', async () => {
  const hub = await startHub({ config: { server: { write_timeout: 0.1 } } })
  await hub.login('me')
  expect(await exchange(hub, 'GET /me.send?text=a HTTP/1.1\r\nhost: h\r\n\r\n')).toBe('')
})

test('server.max_header_bytes', async () => {
  const hub = await startHub({ config: { server: { max_header_bytes: 2_000 }, http: { maxUrl: 100 } } })
  const get = (length: number) =>
    `GET /health HTTP/1.1\r\nconnection: close\r\nx: ${'x'.repeat(length)}\r\nhost: h\r\n\r\n`
  expect(await exchange(hub, get(1_800))).toMatch(/^HTTP\/1.1 200 /)
  expect(await exchange(hub, get(2_300))).toMatch(/^HTTP\/1.1 431 /)
})

describe('task', () => {
  /** When the store was asked to prune, in ms after the start, and what is kept. */
  async function pruned(config: Overrides, advanceMs: number) {
    const clock = testClock()
    const start = clock.now()
    const asked: { readonly at: number; readonly keep: Parameters<Store['prune']>[0] }[] = []
    const memory = createMemoryStore({ clock })
    const store: Store = {
      ...memory,
      prune(keep, budgetMs) {
        asked.push({ at: clock.now() - start, keep })
        return memory.prune(keep, budgetMs)
      },
    }
    await startHub({ config, clock, store })
    await clock.advance(advanceMs)
    return asked
  }

  test('cleanup_interval: how often old messages are dropped', async () => {
    const asked = await pruned({ task: { cleanup_interval: '10m' } }, 21 * MINUTE_MS)
    expect(asked.map(({ at }) => at)).toEqual([MINUTE_MS, 11 * MINUTE_MS, 21 * MINUTE_MS])
  })

  test.each([
    [{ task: { max_age: '24h' } }, DAY_MS],
    [{ task: { max_age: '24h' }, retention: { days: null } }, DAY_MS],
    [{ task: { max_age: '24h' }, retention: { days: 0.5 } }, DAY_MS / 2],
    [{ retention: { days: 2 } }, 2 * DAY_MS],
    [{ retention: { days: null } }, undefined],
  ])('max_age: %j keeps for %s ms', async (config, ageMs) => {
    const [first] = await pruned(config, MINUTE_MS)
    expect(first?.keep).toEqual({ ...(ageMs && { ageMs }), count: 1_000_000, bytes: 2_147_483_648 })
  })
})
