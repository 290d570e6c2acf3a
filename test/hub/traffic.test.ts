import { beforeEach, describe, expect, test } from 'vitest'
import { createTraffic, Stopped, type Traffic } from '../../server/hub/traffic.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { ACCEPTED, FAILED, RETRY, robot, scripted } from '../helpers/runner.ts'

let clock: TestClock
let traffic: Traffic
beforeEach(() => {
  clock = testClock()
  traffic = createTraffic(clock, { workers: 3, perPlatform: 2 })
})

const isFree = (endpoint: Parameters<Traffic['freeAt']>[0]) => traffic.freeAt(endpoint) <= clock.now()

/** How many of so many could be used one after another right now. */
function taken(endpoint: Parameters<Traffic['freeAt']>[0], wanted: number): number {
  let count = 0
  while (count < wanted && isFree(endpoint)) {
    traffic.take(endpoint)
    count += 1
  }
  return count
}

describe('the rate of an endpoint', () => {
  const slow = robot('dingtalk', [ACCEPTED], { rates: [{ count: 20, perMs: 60_000 }] })

  test('lets so many through at once and refills evenly', async () => {
    expect(taken(slow, 100)).toBe(20)
    expect(traffic.freeAt(slow)).toBe(clock.now() + 3_000)
    await clock.advance(2_999)
    expect(isFree(slow)).toBe(false)
    await clock.advance(1)
    expect(taken(slow, 100)).toBe(1)
    await clock.advance(3_600_000)
    expect(taken(slow, 100)).toBe(20)
  })

  test('is that of the endpoint: another one has its own', () => {
    taken(slow, 20)
    expect(isFree(robot('second', [ACCEPTED], { rates: slow.capabilities.rates }))).toBe(true)
  })

  test('of two rates both hold', async () => {
    const feishu = robot('feishu', [ACCEPTED], {
      rates: [
        { count: 5, perMs: 1_000 },
        { count: 100, perMs: 60_000 },
      ],
    })
    expect(taken(feishu, 100)).toBe(5)
    let all = 5
    for (let second = 0; second < 40; second += 1) {
      await clock.advance(1_000)
      all += taken(feishu, 100)
    }
    // 100 at the start and 100 a minute after that
    expect(all).toBeLessThanOrEqual(100 + (100 * 40) / 60)
    expect(all).toBeGreaterThan(150)
  })

  test('gives those who found it busy different times to come back, in turn', () => {
    taken(slow, 20)
    const times = [1, 2, 3, 4].map(() => traffic.promise(slow) - clock.now())
    expect(times).toEqual([3_000, 6_000, 9_000, 12_000])
  })

  test('one without a rate is always free, until its vendor says when to come back', async () => {
    const one = robot('1')
    expect(taken(one, 1_000)).toBe(1_000)
    traffic.ended(one, { kind: 'retry', detail: 'HTTP 429', retryAfterMs: 30_000 })
    expect(traffic.freeAt(one)).toBe(clock.now() + 30_000)
    await clock.advance(30_000)
    expect(isFree(one)).toBe(true)
  })
})

describe('places', () => {
  const entered = async (endpoint: Parameters<Traffic['enter']>[0]) => {
    const state: { leave: (() => void) | null } = { leave: null }
    void traffic.enter(endpoint).then(
      (leave) => (state.leave = leave),
      () => {},
    )
    await clock.advance(0)
    return state
  }

  test('a platform has so many, and the next waits its turn', async () => {
    const one = robot('1')
    const all = [await entered(one), await entered(one), await entered(one), await entered(one)]
    expect(all.map(({ leave }) => leave !== null)).toEqual([true, true, false, false])
    all[0]?.leave?.()
    await clock.advance(0)
    expect(all.map(({ leave }) => leave !== null)).toEqual([true, true, true, false])
  })

  test('who waits for a slow platform holds no worker', async () => {
    const slow = robot('slow')
    const other = { ...robot('other'), channel: 'other' }
    for (let n = 0; n < 5; n += 1) await entered(slow)
    expect((await entered(other)).leave).not.toBeNull()
    expect((await entered(other)).leave).toBeNull()
  })

  test('webhooks need none: each is a server of its own', async () => {
    const hook = scripted('hook')
    for (let n = 0; n < 10; n += 1) expect((await entered(hook)).leave).not.toBeNull()
  })

  test('who waits when the hub stops is sent away', async () => {
    const one = robot('1')
    await traffic.enter(one)
    await traffic.enter(one)
    const waiting = traffic.enter(one)
    traffic.close()
    await expect(waiting).rejects.toThrow(Stopped)
  })
})

describe('the breaker', () => {
  const fail = (endpoint: ReturnType<typeof robot>, times: number) => {
    for (let n = 0; n < times; n += 1) traffic.ended(endpoint, RETRY)
  }

  test('opens after five failures in a row, and lets one try after its rest', async () => {
    const one = robot('1')
    fail(one, 4)
    expect(traffic.isResting(one)).toBe(false)
    fail(one, 1)
    expect(traffic.isResting(one)).toBe(true)
    await clock.advance(15_000)
    expect([traffic.isResting(one), traffic.isResting(one)]).toEqual([false, true])
    traffic.ended(one, ACCEPTED)
    expect(traffic.isResting(one)).toBe(false)
  })

  test('rests longer each time its one try fails, five minutes at most', async () => {
    const one = robot('1')
    fail(one, 5)
    for (const rest of [15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000]) {
      await clock.advance(rest - 1)
      expect(traffic.isResting(one)).toBe(true)
      await clock.advance(1)
      expect(traffic.isResting(one)).toBe(false)
      fail(one, 1)
    }
  })

  test('is not for what the message itself did wrong, nor for a rate', () => {
    const one = robot('1')
    for (let n = 0; n < 4; n += 1) fail(one, 1)
    traffic.ended(one, FAILED)
    fail(one, 4)
    for (let n = 0; n < 9; n += 1) traffic.ended(one, { kind: 'retry', detail: 'HTTP 429', retryAfterMs: 1 })
    expect(traffic.isResting(one)).toBe(false)
  })

  test('is not for endpoints in order: those wait for the retry of their first message', () => {
    const hook = scripted('hook')
    for (let n = 0; n < 9; n += 1) traffic.ended(hook, RETRY)
    expect(traffic.isResting(hook)).toBe(false)
    traffic.ended(hook, { kind: 'retry', detail: 'HTTP 429', retryAfterMs: 30_000 })
    expect(traffic.freeAt(hook)).toBeLessThanOrEqual(clock.now())
  })
})
