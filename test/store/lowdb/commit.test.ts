import { describe, expect, test } from 'vitest'
import { type Store, StoreBusy } from '../../../server/store/store.ts'
import {
  ALICE,
  accept,
  acceptedIn,
  acceptMany,
  acceptOf,
  ackOf,
  attemptOf,
  BOB,
  CAROL,
  deliveryOf,
  midOf,
  openMids,
  raiseOf,
  turn,
  write,
  writeLazy,
} from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import type { Step } from './disk.ts'
import { until } from './rig.ts'

const MAX_QUEUED = 50_000
const isFlush = ({ name, path }: Step) => name === 'flush' && path.startsWith('journal-')
const bench = startBench()

/** Messages that are in files alone, and settled. */
async function archived(count = 8): Promise<string[]> {
  const mids = await acceptMany(bench.store, bench.clock, [ALICE, BOB], count)
  await write(
    bench.store,
    mids.flatMap((mid) => [ackOf(mid, ALICE), ackOf(mid, BOB)]),
  )
  await acceptMany(bench.store, bench.clock, [CAROL], 5)
  await bench.rig.checkpoint()
  return mids
}

describe('a batch', () => {
  test('is one flush, however many writes come together', async () => {
    let flushes = 0
    bench.disk.onStep = (step) => void (flushes += Number(isFlush(step)))
    await Promise.all(Array.from({ length: 300 }, () => accept(bench.store, bench.clock, [ALICE])))
    expect(flushes).toBe(1)
    await Promise.all(Array.from({ length: 2_500 }, () => accept(bench.store, bench.clock, [ALICE])))
    expect(flushes).toBe(4)
  })

  test('is not begun for lazy lines alone while others follow', async () => {
    let flushes = 0
    bench.disk.onStep = (step) => void (flushes += Number(isFlush(step)))
    for (let n = 0; n < 20; n += 1) {
      const mid = await accept(bench.store, bench.clock, [ALICE])
      await writeLazy(bench.store, [ackOf(mid, ALICE)])
      await turn()
    }
    expect(flushes).toBeLessThan(30)
    await until(() => bench.store.health().queued === 0)
  })

  test('that changes nothing is none', async () => {
    await accept(bench.store, bench.clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: 1_000 } })
    let flushes = 0
    bench.disk.onStep = (step) => void (flushes += Number(isFlush(step)))
    await accept(bench.store, bench.clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: 1_000 } })
    await write(bench.store, [])
    expect(flushes).toBe(0)
  })

  test('resolves in the order of the mids, which is the order they were written in', async () => {
    const order: string[] = []
    const writes = Array.from(
      { length: 1_500 },
      async () => void order.push(await accept(bench.store, bench.clock, [ALICE])),
    )
    await Promise.all(writes)
    expect(order).toEqual(order.toSorted())
    expect(await openMids(bench.store, ALICE)).toEqual(order)
  })

  test('is on disk when it resolves, and not readable before', async () => {
    let readable: boolean | null = null
    bench.disk.onStep = (step) => {
      if (isFlush(step)) void bench.store.inbox(ALICE, { limit: 1 }).then(({ items }) => (readable = items.length > 0))
    }
    const mid = await accept(bench.store, bench.clock, [ALICE])
    expect(readable).toBe(false)
    expect((await bench.afterCrash('copyAfterPowerCut')).deliveries.map((delivery) => delivery.mid)).toEqual([mid])
  })

  test('under way does not hold up what is lazy, which rides with the next', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    let flushes = 0
    let state = ''
    bench.disk.onStep = (step) => {
      if (!isFlush(step)) return
      flushes += 1
      if (flushes > 1) return
      void bench.store.write([ackOf(mid, ALICE)], 'lazy')
      void bench.store.delivery(mid, ALICE).then((delivery) => (state = delivery?.state ?? ''))
    }
    await accept(bench.store, bench.clock, [BOB])
    expect(state).toBe('delivered')
    await until(() => bench.store.health().queued === 0 && flushes === 2)
    expect((await bench.afterCrash()).deliveries.find((delivery) => delivery.mid === mid)?.state).toBe('delivered')
  })

  test('holds no more than what JSON can: the write that cannot be written is refused alone', async () => {
    const bad = bench.store.write([{ op: 'put', kind: 'setting', id: 'bad', value: 1n }], 'sync')
    const others = [accept(bench.store, bench.clock, [ALICE]), accept(bench.store, bench.clock, [BOB])]
    await expect(bad).rejects.toThrow(TypeError)
    expect(await Promise.all(others)).toHaveLength(2)
    const lazy = bench.store.write([{ op: 'put', kind: 'setting', id: 'bad', value: 1n }], 'lazy')
    await expect(lazy).rejects.toThrow(TypeError)
    expect(await bench.store.get('setting', 'bad')).toBeNull()
    expect(bench.store.health().writable).toBe(true)
  })
})

describe('what is lazy', () => {
  test('is durable soon, by itself', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    await writeLazy(bench.store, [ackOf(mid, ALICE), { op: 'put', kind: 'setting', id: 'a', value: 1 }])
    expect(bench.store.health().queued).toBe(1)
    await until(() => bench.store.health().queued === 0)
    await accept(bench.store, bench.clock, [BOB])
    const found = await bench.afterCrash('copyAfterPowerCut')
    expect(found.deliveries.find((delivery) => delivery.mid === mid)?.state).toBe('delivered')
    expect(found.settings).toMatchObject([{ id: 'a', value: 1 }])
  })

  test('is not journalled where it only says that a frame went out', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    await writeLazy(bench.store, [raiseOf(mid, ALICE, 'sent', { via: 'websocket' })])
    expect(bench.store.health().queued).toBe(0)
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('sent')
    expect((await bench.afterCrash()).deliveries[0]?.state).toBe('queued')
    await bench.reopen()
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('sent')
  })

  test('sees with a condition what is being written', async () => {
    await write(bench.store, [{ op: 'put', kind: 'setting', id: 'a', value: 0 }])
    const rev = (await bench.store.get('setting', 'a'))?.rev ?? 0
    const lazy: ReturnType<Store['write']>[] = []
    const put = { op: 'put', kind: 'setting', id: 'a', rev } as const
    bench.disk.onStep = (step) => {
      if (isFlush(step) && lazy.length === 0) lazy.push(bench.store.write([{ ...put, value: 'lazy' }], 'lazy'))
    }
    await write(bench.store, [{ ...put, value: 'sync' }])
    expect(await Promise.all(lazy)).toEqual([{ ok: false, why: 'conflict', op: 0 }])
    expect((await bench.store.get('setting', 'a'))?.value).toBe('sync')
  })
})

describe('messages that are in files alone', () => {
  test('are confirmed, with attempts noted, and the files know it later', async () => {
    const [one = '', two = ''] = await archived()
    await write(bench.store, [raiseOf(one, ALICE, 'confirmed', { by: 'Alice', open: false })])
    await writeLazy(bench.store, [
      raiseOf(two, BOB, 'confirmed', { open: false }),
      { op: 'attempt', mid: two, recipient: BOB, attempt: attemptOf(1) },
    ])
    const check = async () => {
      expect(await deliveryOf(bench.store, one, ALICE)).toMatchObject({ state: 'confirmed', by: 'Alice' })
      expect(await deliveryOf(bench.store, one, BOB)).toMatchObject({ state: 'delivered' })
      expect(await deliveryOf(bench.store, two, BOB)).toMatchObject({ state: 'confirmed' })
      expect(await bench.store.attempts(two, BOB)).toEqual([attemptOf(1)])
    }
    await check()
    const crashed = await bench.afterCrash()
    expect(crashed.deliveries.filter(({ state }) => state === 'confirmed')).toHaveLength(2)
    await bench.rig.checkpoint()
    await check()
    await bench.reopen()
    await check()
  })

  test('and messages that are not, in one lazy write: the latter do not wait', async () => {
    const [old = ''] = await archived()
    const mid = await accept(bench.store, bench.clock, [ALICE])
    const of = [
      [old, [ALICE]],
      [mid, [ALICE]],
    ] as const
    const late = bench.store.write([{ op: 'raise', state: 'confirmed', via: null, at: 1, open: false, of }], 'lazy')
    expect(await deliveryOf(bench.store, mid, ALICE)).toMatchObject({ state: 'confirmed' })
    acceptedIn(await late)
    expect(await deliveryOf(bench.store, old, ALICE)).toMatchObject({ state: 'confirmed' })
  })

  test('a mid that never was, between two that were, is nothing', async () => {
    await bench.clock.advance(1_000)
    const [one = ''] = await acceptMany(bench.store, bench.clock, [ALICE], 1)
    await bench.clock.advance(1_000)
    const [two = ''] = await acceptMany(bench.store, bench.clock, [ALICE], 1)
    const between = String(Number(one) + 1)
    await write(bench.store, [ackOf(between, ALICE), ackOf(one, ALICE), ackOf(two, ALICE)])
    await acceptMany(bench.store, bench.clock, [CAROL], 5)
    await bench.rig.checkpoint()
    await write(bench.store, [raiseOf(between, ALICE, 'confirmed')])
    await writeLazy(bench.store, [raiseOf(between, ALICE, 'confirmed')])
    expect(await bench.store.message(between)).toBeNull()
    await bench.reopen()
    expect(await bench.store.message(between)).toBeNull()
  })
})

describe('when writes come faster than the disk', () => {
  test('too many are refused at once, and a checkpoint still goes through', async () => {
    const writes = Array.from({ length: MAX_QUEUED + 10 }, () =>
      bench.store.write([{ op: 'count', meter: 'meter', by: 1 }], 'sync'),
    )
    const done = Promise.allSettled(writes)
    const checkpointed = bench.rig.checkpoint()
    const refused = (await done).filter((one) => one.status === 'rejected')
    expect(refused).toHaveLength(10)
    for (const { reason } of refused) expect(reason).toBeInstanceOf(StoreBusy)
    expect(await bench.store.count('meter')).toBe(MAX_QUEUED)
    await checkpointed
  })

  test('a checkpoint is not put off by writes without end', async () => {
    let ended = false
    const writers = Array.from({ length: 20 }, async () => {
      while (!ended) await accept(bench.store, bench.clock, [ALICE])
    })
    await bench.rig.checkpoint()
    ended = true
    await Promise.all(writers)
    expect((await bench.afterCrash()).deliveries).toHaveLength((await openMids(bench.store, ALICE)).length)
  })
})

describe('after close', () => {
  test('nothing is written, read of health says so, and no timer is left', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    await writeLazy(bench.store, [ackOf(mid, ALICE)])
    await bench.store.close()
    await expect(bench.store.write([acceptOf(bench.clock, [ALICE])], 'sync')).rejects.toThrow('the store is not open')
    await expect(bench.store.write([ackOf(mid, ALICE)], 'lazy')).rejects.toThrow('the store is not open')
    expect(bench.store.health()).toMatchObject({ writable: false, reason: 'the store is not open' })
    expect(bench.clock.pending).toBe(0)
    await bench.open()
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('delivered')
  })

  test('what was written before it is there, and what came too late was refused', async () => {
    const before = Array.from({ length: 50 }, () => accept(bench.store, bench.clock, [ALICE]))
    const closed = bench.store.close()
    const late = bench.store.write([acceptOf(bench.clock, [ALICE])], 'sync')
    await expect(late).rejects.toThrow('the store is not open')
    const mids = await Promise.all(before)
    await closed
    await bench.open()
    expect(await openMids(bench.store, ALICE)).toEqual(mids)
  })

  test('during a checkpoint waits for its end', async () => {
    await acceptMany(bench.store, bench.clock, [ALICE], 20)
    await bench.clock.advance(1_000)
    await turn()
    const written = midOf(await bench.store.write([acceptOf(bench.clock, [BOB])], 'sync'))
    await bench.store.close()
    const { deliveries } = await bench.afterCrash()
    expect(deliveries).toHaveLength(21)
    expect(deliveries[0]?.mid).toBe(written)
  })
})
