/** In which order and how often a message comes to a socket. */
import { describe, expect, test } from 'vitest'
import type { TestClient } from '../helpers/client.ts'
import { testClock } from '../helpers/clock.ts'
import { startHub, type TestHub } from '../helpers/hub.ts'

const atOnce = { http: { waitTimeout: 0 } }
const midsOf = ({ packets }: TestClient) =>
  packets.filter(({ cmd }) => cmd === 'MESSAGE').map(({ data }) => String(Object(data).mid))
const stateOf = async (hub: TestHub, path: string) => Object((await hub.get(path)).json).data

/** Pushes texts 1 to n, one after the other; resolves with their mids. */
async function pushAll(hub: TestHub, target: string, n: number): Promise<string[]> {
  const mids: string[] = []
  for (let text = 1; text <= n; text += 1) {
    const { headers } = await hub.get(`/${target}.send?text=${text}`)
    mids.push(headers.get('x-message-id') ?? '')
  }
  return mids
}

describe('pending messages', () => {
  test.each([1, 3, 100])('come in order after AUTH, %i in flight at most', async (window) => {
    const hub = await startHub({ config: { ...atOnce, clients: [{ name: 'me' }] } })
    const mids = await pushAll(hub, 'me', 8)
    const me = await hub.login('me', { window })
    const open: string[] = []
    const received: string[] = []
    while (received.length < mids.length) {
      while (open.length < Math.min(window, mids.length - received.length)) open.push((await me.message()).mid)
      await me.settled()
      expect(midsOf(me)).toHaveLength(received.length + open.length)
      const mid = open.shift() ?? ''
      received.push(mid)
      me.ack(mid)
    }
    await me.settled()
    expect(midsOf(me)).toEqual(mids)
    expect(received).toEqual(mids)
    expect(me.packets[0]?.cmd).toBe('AUTH')
  })

  test('pushes that come while older ones wait do not overtake them', async () => {
    const hub = await startHub({ config: { ...atOnce, clients: [{ name: 'me' }] } })
    const mids = await pushAll(hub, 'me', 5)
    const login = hub.login('me', { window: 2 })
    const late = Promise.all(Array.from({ length: 20 }, () => hub.get('/me.send?text=late')))
    const me = await login
    for (const { headers } of await late) mids.push(headers.get('x-message-id') ?? '')
    for (let n = 0; n < 25; n += 1) me.ack((await me.message()).mid)
    await me.settled()
    expect(midsOf(me)).toEqual(mids.toSorted())
  })

  test('a recipient of the config is known before it ever came, by name and by its groups', async () => {
    const hub = await startHub({
      config: {
        ...atOnce,
        clients: [
          { name: 'me', group: 'dev', groups: ['all'] },
          { name: 'you', groups: ['all'] },
        ],
      },
    })
    expect(await stateOf(hub, '/dev.group?text=1')).toEqual({ me: 'ready' })
    expect(await stateOf(hub, '/all.group?text=2')).toEqual({ me: 'ready', you: 'ready' })
    const me = await hub.login('me', { window: 5 })
    expect([(await me.message()).message.text, (await me.message()).message.text]).toEqual(['1', '2'])
  })
})

describe('a message without an ack', () => {
  test('is sent again after retryTimeout: three times steadily, then slower up to a minute', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { websocket: { retryTimeout: 3_000 } } })
    const me = await hub.login('me')
    const push = hub.get('/me.send?text=x')
    await me.message()
    const gaps: number[] = []
    while (gaps.length < 8) {
      const since = clock.now()
      const sent = midsOf(me).length
      while (midsOf(me).length === sent) {
        await clock.advance(500)
        await me.settled()
      }
      gaps.push(clock.now() - since)
    }
    expect(gaps).toEqual([3_000, 3_000, 3_000, 6_000, 12_000, 24_000, 48_000, 60_000])
    expect(new Set(midsOf(me)).size).toBe(1)
    await push
  }, 30_000)

  test('holds back the next one in a window of one, and nothing is sent to a closed socket', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { websocket: { retryTimeout: 3_000 } } })
    const me = await hub.login('me')
    const pushes = [hub.get('/me.send?text=1'), hub.get('/me.send?text=2')]
    const first = await me.message()
    await clock.advance(3_000)
    expect(await me.message()).toEqual(first)
    me.socket.terminate()
    await Promise.all(pushes)
    await clock.advance(60_000)
    expect(midsOf(me)).toEqual([first.mid, first.mid])
    const again = await hub.login('me')
    expect(await again.message()).toEqual(first)
  })

  test('is not sent again once it was acked, late as it may be', async () => {
    const clock = testClock()
    const hub = await startHub({ clock })
    const me = await hub.login('me')
    const push = hub.get('/me.send')
    const { mid } = await me.message()
    await clock.advance(3_000)
    await me.message()
    me.ack(mid)
    me.ack(mid)
    await push
    for (let n = 0; n < 4; n += 1) {
      await clock.advance(10_000)
      await me.settled()
    }
    expect(midsOf(me)).toEqual([mid, mid])
  })
})
