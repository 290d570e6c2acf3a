import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { connect, type ConnectionState } from '../../../clients/sdk/index.ts'
import { testClock } from '../../helpers/clock.ts'
import { startHub, TOKEN } from '../../helpers/hub.ts'
import { gateOf, join, joined, next, reached, refusal, startScript } from './stage.ts'

describe('the state', () => {
  test('goes from connecting to online, with an auth that the hub knows by HTTP', async () => {
    const hub = await startHub()
    const me = join(hub.url, 'me', { group: 'home' })
    expect(me.state).toEqual({ status: 'connecting' })
    await me.ready()
    await me.ready()
    const { auth } = me.state as ConnectionState & { status: 'online' }
    me.onMessage(({ from }) => expect(from.name).toBe('me'))
    const push = { cmd: 'MESSAGE', auth, data: { sendType: 'group', target: 'home', message: {} } }
    expect((await hub.post(push)).json).toMatchObject({ data: { me: 'ok' } })
  })

  test('a listener can be taken off', async () => {
    const hub = await startHub()
    const me = join(hub.url, 'me')
    const seen: string[] = []
    const stop = me.on('state', ({ status }) => void seen.push(status))
    await me.ready()
    stop()
    await me.close()
    expect(seen).toEqual(['online'])
  })

  test('is closed after close, and the socket is gone', async () => {
    const hub = await startHub()
    const me = await joined(hub.url, 'me')
    await me.close()
    expect(me.state).toEqual({ status: 'closed', why: 'closed', reason: 'closed by this side' })
    await expect(me.ready()).rejects.toMatchObject({ code: 'closed' })
    await expect.poll(async () => (await hub.get('/health')).json).toMatchObject({ sessions: 0 })
  })

  test('closing what never came up ends it, too', async () => {
    const me = join('ws://127.0.0.1:9', 'me')
    const ready = refusal(me.ready())
    await me.close()
    expect(await ready).toMatchObject({ code: 'closed' })
  })
})

describe('ends for good', () => {
  test('replaced: a newer connection of the same name takes over', async () => {
    const hub = await startHub()
    const older = await joined(hub.url, 'me')
    await joined(hub.url, 'me')
    await reached(older, 'closed')
    expect(older.state).toMatchObject({ why: 'replaced' })
  })

  test('a device of its own stays beside the others', async () => {
    const hub = await startHub()
    const [desk, phone] = [
      await joined(hub.url, 'me', { device: 'desk' }),
      await joined(hub.url, 'me', { device: 'phone' }),
    ]
    expect([desk.state.status, phone.state.status]).toEqual(['online', 'online'])
  })

  test('removed: the recipient left', async () => {
    const hub = await startHub()
    const me = await joined(hub.url, 'me', { device: 'desk' })
    ;(await hub.login('me')).send('UNREGISTER')
    await reached(me, 'closed')
    expect(me.state).toMatchObject({ why: 'removed' })
  })

  test('bad-token: with what the hub says', async () => {
    const hub = await startHub()
    const me = join(hub.url, 'me', { token: 'wrong' })
    await expect(me.ready()).rejects.toThrow('Token invalid')
    expect(me.state).toMatchObject({ why: 'bad-token', reason: 'Token invalid' })
  })

  test('refused: a name that is not allowed', async () => {
    const hub = await startHub()
    const me = join(hub.url, 'a/b')
    await expect(me.ready()).rejects.toThrow('name has a slash')
    expect(me.state).toMatchObject({ why: 'refused' })
  })

  test.each([
    [4001, 'replaced'],
    [4003, 'removed'],
    [4403, 'bad-token'],
  ])('by %i', async (code, why) => {
    const hub = await startScript()
    const me = await joined(hub.url, 'me')
    for (const socket of hub.sockets) socket.close(code, 'so it is')
    await reached(me, 'closed')
    expect(me.state).toEqual({ status: 'closed', why, reason: 'so it is' })
  })
})

describe('comes back', () => {
  test('after a restart of the hub, and gets what it missed once', async () => {
    const first = await startHub()
    const port = Number(new URL(first.url).port)
    const me = await joined(first.url, 'me', { random: () => 0 })
    const got: string[] = []
    me.onMessage(({ text }) => void got.push(text))
    await first.get('/me.send?text=before')
    const waiting = next(me, 'state', ({ status }) => status === 'waiting')
    await first.close()
    expect(await waiting).toEqual({ status: 'waiting', retryInMs: 250, reason: 'the hub restarts' })

    const second = await startHub({ store: first.store, config: { http: { port } } })
    await me.ready()
    expect((await second.get('/me.send?text=after')).json).toMatchObject({ data: { me: 'ok' } })
    expect(got).toEqual(['before', 'after'])
  })

  test('waits twice as long each time, half of it by chance, 30 s at most; a good line begins anew', async () => {
    const clock = testClock()
    const hub = await startScript()
    let random = 0
    const me = join(hub.url, 'me', { clock, random: () => random })
    await me.ready()
    const waits: number[] = []
    me.on('state', (state) => void (state.status === 'waiting' && waits.push(state.retryInMs)))
    async function breakLine(): Promise<void> {
      const waiting = next(me, 'state', ({ status }) => status === 'waiting')
      for (const socket of hub.sockets) socket.terminate()
      await waiting
    }
    for (let n = 0; n < 9; n += 1) {
      if (n === 8) random = 1
      await breakLine()
      const online = next(me, 'state', ({ status }) => status === 'online')
      await clock.advance(waits.at(-1) ?? 0)
      await online
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 30_000])
    await clock.advance(5_000)
    await breakLine()
    expect(waits.at(-1)).toBe(500)
  })

  test.each([
    ['too-many-attempts', 'waiting'],
    ['store-busy', 'waiting'],
    ['bad-name', 'closed'],
  ])('an AUTH that is refused with %s: %s', async (error, status) => {
    const hub = await startScript((cmd, send) => {
      if (cmd === 'AUTH') send({ cmd: 'INFO', data: 'not now', id: 'auth', error })
    })
    const me = join(hub.url, 'me', { clock: testClock() })
    await next(me, 'state', (state) => state.status === 'waiting' || state.status === 'closed')
    expect(me.state).toMatchObject({ status, reason: 'not now' })
  })

  test('the reason of a failed connection is told', async () => {
    const me = join('ws://127.0.0.1:9', 'me', { clock: testClock() })
    expect(await next(me, 'state')).toMatchObject({
      status: 'waiting',
      reason: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('at once when woken while it waits', async () => {
    const clock = testClock()
    const hub = await startScript()
    let wake = () => {}
    let stopped = 0
    const me = join(hub.url, 'me', {
      clock,
      wake: (tryNow) => {
        wake = tryNow
        return () => (stopped += 1)
      },
    })
    await me.ready()
    const waiting = next(me, 'state')
    for (const socket of hub.sockets) socket.terminate()
    expect(await waiting).toMatchObject({ status: 'waiting' })
    wake()
    await me.ready()
    expect(clock.elapsed()).toBe(0)
    await me.close()
    expect([stopped, clock.pending]).toEqual([1, 0])
  })
})

describe('a dead line', () => {
  test('gets a PING in time, and is left when nothing came until the next', async () => {
    const clock = testClock()
    const hub = await startScript()
    const me = await joined(hub.url, 'me', { clock })
    await clock.advance(24_999)
    expect(hub.packets).toHaveLength(1)
    await clock.advance(1)
    await hub.came('PING')
    await clock.advance(24_999)
    expect(me.state.status).toBe('online')
    await clock.advance(1)
    expect(me.state).toMatchObject({ status: 'waiting', reason: 'the line went silent' })
  })

  test('stays while the hub answers', async () => {
    const clock = testClock()
    const hub = await startScript((cmd, send) => {
      if (cmd === 'PING') send({ cmd: 'PONG', data: '' })
    })
    let pong = gateOf()
    const me = await joined(hub.url, 'me', {
      clock,
      pingMs: 100,
      WebSocket: class extends WebSocket {
        constructor(url: string) {
          super(url)
          this.on('message', () => pong.resolve())
        }
      },
    })
    for (let n = 0; n < 5; n += 1) {
      pong = gateOf()
      await clock.advance(100)
      await pong.promise
    }
    expect(me.state.status).toBe('online')
  })

  test('is found within 5 s when the page wakes up', async () => {
    const clock = testClock()
    const hub = await startScript()
    let wake = () => {}
    const me = await joined(hub.url, 'me', { clock, wake: (tryNow) => ((wake = tryNow), () => {}) })
    wake()
    await hub.came('PING')
    await clock.advance(5_000)
    expect(me.state).toMatchObject({ status: 'waiting', reason: 'the line went silent' })
  })

  test('a hub that takes the socket and says nothing is given up, too', async () => {
    const clock = testClock()
    const hub = await startScript()
    const silent = join(hub.url.replace('ws:', 'http:'), 'me', {
      clock,
      WebSocket: class extends WebSocket {
        override send(): void {}
      },
    })
    await clock.advance(25_000)
    expect(silent.state).toMatchObject({ status: 'waiting', reason: 'the line went silent' })
  })
})

test('where there is no WebSocket it says what to do', () => {
  const own = Reflect.get(globalThis, 'WebSocket') as unknown
  Reflect.set(globalThis, 'WebSocket', undefined)
  try {
    expect(() => connect('http://127.0.0.1:1', { name: 'me', token: TOKEN })).toThrow(
      /there is no WebSocket here: pass one/,
    )
  } finally {
    Reflect.set(globalThis, 'WebSocket', own)
  }
})

test('a URL that is none is told at once', () => {
  expect(() => connect('nowhere', { name: 'me', WebSocket })).toThrow(TypeError)
})
