import { expect, test } from 'vitest'
import type { Bench } from './bench.ts'
import {
  ALICE,
  accept,
  acceptedIn,
  acceptMany,
  acceptOf,
  ackOf,
  BOB,
  deliveryOf,
  midOf,
  openMids,
  write,
} from './words.ts'

const PLENTY = 1_000_000

export function testRoom(bench: Bench): void {
  test('gives a recipient with so many waiting a delivery that failed as full and is closed', async () => {
    const { store, clock } = bench
    await acceptMany(store, clock, [ALICE], 2)
    const room = { count: 2, bytes: PLENTY }
    const written = await store.write([acceptOf(clock, [ALICE, BOB], { room, planned: [ALICE, BOB] })], 'sync')
    const mid = midOf(written)
    expect(acceptedIn(written)).toEqual([{ mid, repeated: false, full: [ALICE] }])
    expect(await store.delivery(mid, ALICE)).toMatchObject({
      state: 'failed',
      reason: 'full',
      open: false,
      dueAt: null,
    })
    expect(await store.delivery(mid, BOB)).toMatchObject({ state: 'queued', open: true })
    expect(await openMids(store, ALICE)).toHaveLength(2)
  })

  test('accepts nothing when everybody is full', async () => {
    const { store, clock } = bench
    await acceptMany(store, clock, [ALICE, BOB], 1)
    const room = { count: 1, bytes: PLENTY }
    const ops = [{ op: 'put', kind: 'setting', id: 'x', value: 1 } as const, acceptOf(clock, [ALICE, BOB], { room })]
    expect(await store.write(ops, 'sync')).toEqual({ ok: false, why: 'full', op: 1 })
    expect(await store.get('setting', 'x')).toBeNull()
    expect((await store.inbox(ALICE, { limit: 10 })).total).toBe(1)
  })

  test('counts the bytes that wait', async () => {
    const { store, clock } = bench
    const room = { count: PLENTY, bytes: 20_000 }
    const text = 'x'.repeat(8_000)
    const results = []
    for (let n = 0; n < 6; n += 1) results.push(await store.write([acceptOf(clock, [ALICE], { room, text })], 'sync'))
    const accepted = results.filter(({ ok }) => ok).length
    expect(accepted).toBeGreaterThanOrEqual(2)
    expect(accepted).toBeLessThanOrEqual(3)
    expect(results.at(-1)).toEqual({ ok: false, why: 'full', op: 0 })
    await accept(store, clock, [BOB], { room, text })
  })

  test('has room again when a delivery is closed, and not by a state alone', async () => {
    const { store, clock } = bench
    const room = { count: 1, bytes: PLENTY }
    const mid = await accept(store, clock, [ALICE], { room })
    const next = acceptOf(clock, [ALICE], { room })
    await write(store, [{ ...ackOf(mid, ALICE), open: true }])
    expect((await store.write([next], 'sync')).ok).toBe(false)
    await write(store, [ackOf(mid, ALICE)])
    expect((await store.write([next], 'sync')).ok).toBe(true)
    expect((await store.write([next], 'sync')).ok).toBe(false)
  })

  test('does not count a full delivery as waiting', async () => {
    const { store, clock } = bench
    const room = { count: 1, bytes: PLENTY }
    const first = await accept(store, clock, [ALICE])
    for (let n = 0; n < 3; n += 1) await accept(store, clock, [ALICE, `other${n}@user`], { room })
    await write(store, [ackOf(first, ALICE)])
    const mid = await accept(store, clock, [ALICE], { room })
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ state: 'queued', open: true })
  })

  test('holds for accepts at once', async () => {
    const { store, clock } = bench
    const room = { count: 3, bytes: PLENTY }
    const results = await Promise.all(
      Array.from({ length: 10 }, () => store.write([acceptOf(clock, [ALICE], { room })], 'sync')),
    )
    expect(results.filter(({ ok }) => ok)).toHaveLength(3)
    expect(await openMids(store, ALICE)).toHaveLength(3)
  })

  test('is the same after a restart', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const room = { count: 2, bytes: PLENTY }
    const [first] = await acceptMany(bench.store, bench.clock, [ALICE], 2)
    await bench.reopen()
    const next = acceptOf(bench.clock, [ALICE], { room })
    expect((await bench.store.write([next], 'sync')).ok).toBe(false)
    await write(bench.store, [ackOf(first ?? '', ALICE)])
    expect((await bench.store.write([next], 'sync')).ok).toBe(true)
  })
}
