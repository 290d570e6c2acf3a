import { describe, expect, test } from 'vitest'
import { createMemory } from '../../../clients/sdk/index.ts'
import { testClock } from '../../helpers/clock.ts'
import { gateOf, join, next, startScript } from './stage.ts'

const packet = (mid: string) => ({ cmd: 'MESSAGE', data: { mid, message: { text: mid } } })
const ack = (mid: string) => `{"cmd":"MESSAGE_CALLBACK","data":{"mid":"${mid}"}}`

describe('a message that comes again', () => {
  test('is acked again and not handled again', async () => {
    const hub = await startScript((cmd, send) => {
      if (cmd === 'AUTH') send(packet('1'))
      if (cmd === 'MESSAGE_CALLBACK' && hub.packets.length === 2) send(packet('1'))
    })
    const me = join(hub.url, 'me')
    const got: string[] = []
    me.onMessage(({ mid }) => void got.push(mid))
    await hub.came('MESSAGE_CALLBACK', 2)
    expect(hub.packets.slice(1)).toEqual([ack('1'), ack('1')])
    expect(got).toEqual(['1'])
  })

  test('while its handler is still at work is not handled twice', async () => {
    const hub = await startScript((cmd, send) => {
      if (cmd === 'AUTH') send(packet('1'))
      if (cmd === 'PING') for (const mid of ['1', '2']) send(packet(mid))
    })
    const clock = testClock()
    const me = join(hub.url, 'me', { clock, pingMs: 100 })
    const got: string[] = []
    const [begun, gate] = [gateOf(), gateOf()]
    me.onMessage(async ({ mid }) => {
      got.push(mid)
      begun.resolve()
      await gate.promise
    })
    await begun.promise
    const second = next(me, 'message', ({ mid }) => mid === '2')
    await clock.advance(100)
    await second
    gate.resolve()
    await hub.came('MESSAGE_CALLBACK', 2)
    expect([got, hub.packets.slice(2)]).toEqual([
      ['1', '2'],
      [ack('1'), ack('2')],
    ])
  })

  test('on a new line, because the ack got lost, is known', async () => {
    const hub = await startScript((cmd, send) => {
      if (cmd === 'AUTH') send(packet('1'))
    })
    const me = join(hub.url, 'me', { random: () => 0 })
    const got: string[] = []
    me.onMessage(({ mid }) => void got.push(mid))
    await hub.came('MESSAGE_CALLBACK')
    for (const socket of hub.sockets) socket.terminate()
    await hub.came('MESSAGE_CALLBACK', 2)
    expect(got).toEqual(['1'])
  })

  test('counts, what waited on the old line does not: it may be dealt with by now', async () => {
    let lines = 0
    const hub = await startScript((cmd, send) => {
      if (cmd !== 'AUTH') return
      lines += 1
      for (const mid of lines === 1 ? ['1', '2'] : ['2', '3']) send(packet(mid))
    })
    const me = join(hub.url, 'me', { random: () => 0 })
    await next(me, 'message', ({ mid }) => mid === '2')
    for (const socket of hub.sockets) socket.terminate()
    await next(me, 'message', ({ mid }) => mid === '3')
    const got: string[] = []
    me.onMessage(({ mid }) => void got.push(mid))
    await hub.came('MESSAGE_CALLBACK', 2)
    expect(got).toEqual(['2', '3'])
  })

  test('after a restart of the client is known to a memory that outlives it, and only its last ones', async () => {
    const items = new Map<string, string>()
    const storage = { getItem: (key: string) => items.get(key) ?? null, setItem: items.set.bind(items) }
    const remembering = () => createMemory({ storage, key: 'k', limit: 2 })
    let mids = ['1', '2', '3']
    const hub = await startScript((cmd, send) => {
      if (cmd === 'AUTH') for (const mid of mids) send(packet(mid))
    })
    const got: string[] = []
    for (const count of [3, 6]) {
      const me = join(hub.url, 'me', { memory: remembering() })
      me.onMessage(({ mid }) => void got.push(mid))
      await hub.came('MESSAGE_CALLBACK', count)
      await me.close()
      mids = ['2', '3', '1']
    }
    expect(got).toEqual(['1', '2', '3', '1'])
    expect(items.get('k')).toBe('3 1')
  })

  test.each(['has', 'add'] as const)('a memory whose %s fails stands in no ack', async (method) => {
    const hub = await startScript((cmd, send) => {
      if (cmd === 'AUTH') send(packet('1'))
      if (cmd === 'PING') send(packet('1'))
    })
    let broken = true
    const mids = createMemory()
    const memory = {
      has: async (mid: string) => (method === 'has' && broken ? Promise.reject(new Error('disk')) : mids.has(mid)),
      add: async (mid: string) => (method === 'add' && broken ? Promise.reject(new Error('disk')) : mids.add(mid)),
    }
    const clock = testClock()
    const me = join(hub.url, 'me', { memory, clock, pingMs: 100 })
    me.on('failed', () => {})
    me.onMessage(() => {})
    expect(await next(me, 'failed')).toMatchObject({ message: { mid: '1' }, error: new Error('disk') })
    expect(hub.packets).toHaveLength(1)
    broken = false
    await clock.advance(100)
    await hub.came('MESSAGE_CALLBACK')
  })
})
