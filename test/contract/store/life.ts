import { expect, test } from 'vitest'
import type { Bench } from './bench.ts'
import { ALICE, accept, acceptMany, ackOf, attemptOf, openMids, write, writeLazy } from './words.ts'

const DAY = 24 * 3_600_000

export function testLife(bench: Bench): void {
  test('an open store is healthy and has nothing waiting when nobody writes', async () => {
    const { store, clock } = bench
    await accept(store, clock, [ALICE])
    expect(store.health()).toMatchObject({ writable: true, queued: 0 })
    expect(store.health().durable || store.health().reason !== null).toBe(true)
  })

  test('is durable if it outlives itself', ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    expect(bench.store.health().durable).toBe(true)
  })

  test('gives out no mid twice over a restart, also when the clock jumped back', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const mids: string[] = []
    for (let n = 0; n < 4; n += 1) {
      mids.push(...(await acceptMany(bench.store, bench.clock, [ALICE], 3)))
      bench.clock.jump(-DAY)
      await bench.reopen()
    }
    mids.push(await accept(bench.store, bench.clock, [ALICE]))
    expect(mids).toEqual([...new Set(mids)].toSorted())
    expect(await openMids(bench.store, ALICE)).toEqual(mids)
  })

  test('keeps what was lazy when it is closed at once', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const mid = await accept(bench.store, bench.clock, [ALICE])
    const lazy = [
      bench.store.write([ackOf(mid, ALICE)], 'lazy'),
      bench.store.write([{ op: 'attempt', mid, recipient: ALICE, attempt: attemptOf(1) }], 'lazy'),
      bench.store.write([{ op: 'put', kind: 'device', id: 'alice@user/', value: { cursor: mid } }], 'lazy'),
    ]
    await bench.reopen()
    expect((await Promise.all(lazy)).every(({ ok }) => ok)).toBe(true)
    expect(await bench.store.delivery(mid, ALICE)).toMatchObject({ state: 'delivered', open: false })
    expect(await bench.store.attempts(mid, ALICE)).toEqual([attemptOf(1)])
    expect((await bench.store.get('device', 'alice@user/'))?.value).toEqual({ cursor: mid })
  })

  test('takes up where it left off: what was open can be closed', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 5)
    await write(bench.store, [ackOf(mids[1] ?? '', ALICE)])
    await bench.reopen()
    await writeLazy(bench.store, [ackOf(mids[3] ?? '', ALICE)])
    await bench.reopen()
    expect(await openMids(bench.store, ALICE)).toEqual([mids[0], mids[2], mids[4]])
  })
}
