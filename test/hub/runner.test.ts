import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  type LazyOp,
  type Op,
  type Store,
  StoreBusy,
  StoreFailed,
  StoreFull,
  type Written,
} from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import {
  ALICE,
  DELIVERED,
  FAILED,
  pending,
  restart,
  RETRY,
  robot,
  running,
  scripted,
  startRig,
  step,
  watched,
} from '../helpers/runner.ts'

describe('leases', () => {
  test('a crash in mid-attempt: tried again after the start, as a possible duplicate', async () => {
    const rig = await running()
    const dead = pending()
    const endpoint = scripted('1', [dead.outcome, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    const next = await restart(rig)
    await next.clock.advance(120_000)
    expect(await next.store.attempts(mid, ALICE)).toMatchObject([
      { n: 1, endedAt: null, maybeDuplicate: false },
      { n: 2, outcome: 'delivered', maybeDuplicate: true },
    ])
    dead.say(DELIVERED)
  })

  test('and on a channel that would rather not repeat: given up', async () => {
    const rig = await running()
    const dead = pending()
    const endpoint = scripted('1', [dead.outcome], { onUnknown: 'skip' })
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    const next = await restart(rig)
    await next.clock.advance(120_000)
    expect(endpoint.sent).toHaveLength(1)
    expect(await next.delivery(mid)).toMatchObject({ state: 'failed', dueAt: null })
    dead.say(DELIVERED)
  })

  test('one that runs out in our own hands is renewed: nothing is sent twice', async () => {
    const rig = await running()
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.clock.advance(500_000)
    expect(endpoint.sent).toHaveLength(1)
    slow.say(DELIVERED)
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null, step: 1 })
  })

  test('one that another took over: the outcome is kept, the schedule is theirs', async () => {
    const rig = await running()
    const slow = pending()
    rig.plans.set(ALICE, [step([scripted('1', [slow.outcome])])])
    const mid = await rig.push()
    await rig.calm()
    rig.clock.jump(200_000)
    const [theirs] = await rig.store.claim(rig.clock.now(), 1, 60_000)
    expect(theirs?.delivery.mid).toBe(mid)
    slow.say(RETRY)
    await rig.calm()
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([{ outcome: 'retry' }])
    const before = theirs?.delivery.dueAt
    expect(await rig.delivery(mid)).toMatchObject({ dueAt: before, step: 0 })
    expect(await rig.store.claim(rig.clock.now(), 1, 60_000)).toEqual([])
  })
})

test('one that is claimed again before its flight has landed is not left lying', async () => {
  // the store hands it out again while the write that scheduled it is still being answered
  const rig = await running((store) => {
    function write(ops: readonly Op[], how: 'sync'): Promise<Written>
    function write(ops: readonly LazyOp[], how: 'lazy'): Promise<Written>
    async function write(...[ops, how]: [readonly Op[], 'sync'] | [readonly LazyOp[], 'lazy']): Promise<Written> {
      const written = await (how === 'sync' ? store.write(ops, how) : store.write(ops, how))
      if (!ops.some(({ op }) => op === 'step')) return written
      rig.runner.wake()
      for (let turn = 0; turn < 5; turn += 1) await nextTurn()
      return written
    }
    return { ...store, write }
  })
  const [first, second] = [robot('1', [FAILED]), robot('2')]
  rig.plans.set(ALICE, [step([first], { mode: 'first' }), step([second], { mode: 'first' })])
  const mid = await rig.push()
  await rig.until(async () => (await rig.delivery(mid)).dueAt === null)
  expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted' })
  expect([first.sent.length, second.sent.length]).toEqual([1, 1])
})

describe('start and stop', () => {
  test('overdue work waits 5 s, so that sessions can come back', async () => {
    const rig = await startRig()
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.runner.start()
    rig.runner.wake()
    await rig.clock.advance(4_999)
    await rig.push('bob@user')
    expect(endpoint.sent).toEqual([])
    await rig.clock.advance(1)
    expect(endpoint.sent).toMatchObject([{ frame: { mid } }])
  })

  test('without overdue work there is nothing to wait for', async () => {
    const rig = await running()
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    await rig.push()
    await rig.calm()
    expect(endpoint.sent).toHaveLength(1)
  })

  test('stop waits for what is in flight and starts nothing more', async () => {
    const rig = await running()
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.push()
    await rig.calm()
    const stopped = rig.runner.stop()
    await rig.calm()
    expect(await Promise.race([stopped, Promise.resolve('waits')])).toBe('waits')
    slow.say(DELIVERED)
    await stopped
    await rig.clock.advance(600_000)
    expect(endpoint.sent).toHaveLength(1)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered' })
    expect(rig.clock.pending).toBe(0)
  })

  test('stop waits for a claim under way, and leaves what it brings to the next life', async () => {
    let give = () => {}
    const rig = await running((store) => ({
      ...store,
      async claim(now, limit, leaseMs) {
        await new Promise<void>((resolve) => (give = resolve))
        return store.claim(now, limit, leaseMs)
      },
    }))
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    await rig.push()
    const stopped = rig.runner.stop()
    await rig.calm()
    expect(await Promise.race([stopped, Promise.resolve('waits')])).toBe('waits')
    give()
    await stopped
    expect(endpoint.sent).toEqual([])
  })

  test('far-off work does not spin the clock, which runs no further than a minute at a time', async () => {
    const clock = testClock()
    const delays: number[] = []
    const { after } = clock
    clock.after = (ms, fn) => {
      delays.push(ms)
      return after(ms, fn)
    }
    const rig = await startRig((store) => store, clock)
    await rig.push(ALICE, { expiresAt: clock.now() + 3_000_000_000 })
    await rig.runner.start()
    await clock.advance(600_000)
    expect(delays.length).toBeLessThan(20)
    expect(Math.max(...delays)).toBeLessThanOrEqual(60_000)
  })
})

describe('a store without room', () => {
  /** Refuses writes of a new state while `error` is set. */
  function refusing(refused: { error: Error | null }): (store: Store) => Store {
    return (store) =>
      watched(store, (ops) => {
        if (refused.error && ops.some(({ op }) => op === 'raise')) throw refused.error
      })
  }

  test.each([new StoreBusy('busy'), new StoreFull('full')])(
    '%s: the outcome is written when there is',
    async (error) => {
      const refused: { error: Error | null } = { error: null }
      const rig = await running(refusing(refused))
      const slow = pending()
      const endpoint = scripted('1', [slow.outcome])
      rig.plans.set(ALICE, [step([endpoint])])
      const mid = await rig.push()
      await rig.calm()
      refused.error = error
      slow.say(DELIVERED)
      await rig.clock.advance(600_000)
      expect(await rig.store.attempts(mid, ALICE)).toMatchObject([{ endedAt: null }])
      expect(rig.lines.filter((line) => line.includes('no room for an outcome'))).toHaveLength(1)
      refused.error = null
      await rig.clock.advance(1_000)
      expect(await rig.store.attempts(mid, ALICE)).toMatchObject([{ outcome: 'delivered' }])
      expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null })
      expect(endpoint.sent).toHaveLength(1)
    },
  )

  test('for good: the attempt stays one without an outcome, and is repeated as that', async () => {
    const refused: { error: Error | null } = { error: null }
    const rig = await running(refusing(refused))
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    refused.error = new StoreFailed('EIO')
    slow.say(DELIVERED)
    await rig.calm()
    expect(rig.lines.join('')).toContain('a delivery could not be moved on')
    refused.error = null
    await rig.clock.advance(120_000)
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([
      { endedAt: null },
      { outcome: 'delivered', maybeDuplicate: true },
    ])
  })

  test('does not keep the hub from stopping', async () => {
    const refused: { error: Error | null } = { error: null }
    const rig = await running(refusing(refused))
    const slow = pending()
    rig.plans.set(ALICE, [step([scripted('1', [slow.outcome])])])
    await rig.push()
    await rig.calm()
    refused.error = new StoreBusy('busy')
    slow.say(DELIVERED)
    await rig.calm()
    await rig.runner.stop()
    expect(rig.clock.pending).toBe(0)
  })

  test('to claim from: claimed again soon', async () => {
    let broken = true
    const rig = await running((store) => ({
      ...store,
      claim: (now, limit, leaseMs) =>
        broken ? Promise.reject(new StoreBusy('busy')) : store.claim(now, limit, leaseMs),
    }))
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    await rig.push()
    await rig.clock.advance(3_000)
    expect(endpoint.sent).toEqual([])
    broken = false
    await rig.clock.advance(1_000)
    expect(endpoint.sent).toHaveLength(1)
  })
})
