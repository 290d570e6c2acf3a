/** The small parts that the whole does not show from all sides. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffMs } from '../../../clients/sdk/backoff.ts'
import { createEvents } from '../../../clients/sdk/events.ts'
import { createMemory } from '../../../clients/sdk/index.ts'
import { readFrame, readReply } from '../../../clients/sdk/packets.ts'
import { pageWake } from '../../../clients/sdk/wake.ts'

test('back-off doubles from 0.5 s up to 30 s, and at least half of it is sure', () => {
  const [least, most] = [0, 1].map((random) => [0, 1, 2, 5, 6, 2_000].map((n) => backoffMs(n, random)))
  expect(least).toEqual([250, 500, 1_000, 8_000, 15_000, 15_000])
  expect(most).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000])
})

describe('the wake-up calls of a page', () => {
  function page() {
    const scope = Object.assign(new EventTarget(), {
      document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
    })
    let calls = 0
    const stop = pageWake(scope)(() => (calls += 1))
    return { scope, stop, calls: () => calls }
  }

  test('are online, and becoming visible', () => {
    const { scope, calls } = page()
    scope.dispatchEvent(new Event('online'))
    expect(calls()).toBe(1)
    scope.document.dispatchEvent(new Event('visibilitychange'))
    expect(calls()).toBe(2)
    scope.document.visibilityState = 'hidden'
    scope.document.dispatchEvent(new Event('visibilitychange'))
    expect(calls()).toBe(2)
  })

  test('end', () => {
    const { scope, stop, calls } = page()
    stop()
    scope.dispatchEvent(new Event('online'))
    scope.document.dispatchEvent(new Event('visibilitychange'))
    expect(calls()).toBe(0)
  })

  test('are none in Node', () => {
    expect(() => pageWake({})(() => {})()).not.toThrow()
  })
})

describe('the memory', () => {
  test('forgets the oldest beyond its limit', () => {
    const memory = createMemory({ limit: 2 })
    for (const mid of ['1', '2', '3']) void memory.add(mid)
    expect(['1', '2', '3'].map((mid) => memory.has(mid))).toEqual([false, true, true])
  })

  test('holds a thousand by itself', () => {
    const memory = createMemory()
    for (let n = 0; n <= 1_000; n += 1) void memory.add(`${n}`)
    expect([memory.has('0'), memory.has('1'), memory.has('1000')]).toEqual([false, true, true])
  })

  test('goes on when its storage is full', () => {
    const storage = {
      getItem: () => null,
      setItem() {
        throw new Error('QuotaExceededError')
      },
    }
    const memory = createMemory({ storage })
    void memory.add('1')
    expect(memory.has('1')).toBe(true)
  })
})

test('a listener that throws stops neither the others nor the line, and its error surfaces', async () => {
  const surfaced = new Promise((resolve) => {
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => {
      for (const other of others) process.on('uncaughtException', other)
      resolve(error)
    })
  })
  const { on, emit } = createEvents()
  const heard: string[] = []
  on('info', () => {
    throw new Error('mine')
  })
  on('info', (text) => heard.push(text))
  expect([emit('info', 'a'), emit('clear', { mid: '1', by: 'me' })]).toEqual([true, false])
  expect(heard).toEqual(['a'])
  expect(await surfaced).toEqual(new Error('mine'))
})

describe('what the hub sends', () => {
  const sent = { cmd: fc.constantFrom('AUTH', 'MESSAGE', 'MESSAGE_REPLY', 'CLEAR', 'INFO', 'PONG', 'NEW') }
  const packets = fc.record({ ...sent, data: fc.jsonValue(), id: fc.jsonValue(), error: fc.jsonValue() })

  test('is read whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          packets.map((packet) => JSON.stringify(packet)),
          fc.string(),
          fc.json(),
        ),
        (frame) => {
          const packet = readFrame(frame)
          if (packet?.cmd === 'MESSAGE') expect(packet.message.extra).toBeTypeOf('object')
          expect(readReply(frame, '')?.states ?? {}).toBeTypeOf('object')
        },
      ),
    )
    for (const odd of [undefined, null, 1, new ArrayBuffer(1)]) expect(readFrame(odd)).toBeNull()
  })

  test('words of a newer hub pass as they are', () => {
    const body = '{"cmd":"MESSAGE_REPLY","data":{"me":"teleported","you":1}}'
    expect(readReply(body, '1')).toEqual({ mid: '1', states: { me: 'teleported' } })
  })
})
