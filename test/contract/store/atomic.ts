import { expect, test } from 'vitest'
import type { LazyOp, Op, Put } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { ALICE, accept, acceptOf, attemptOf, BOB, deliveryOf, raiseOf, write, writeAs } from './words.ts'

const stale: Put = { op: 'put', kind: 'setting', id: 'guard', value: 'new', rev: 0 }

export function testAtomicity(bench: Bench): void {
  test('a conflict in the last op leaves the ones before it unapplied', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { planned: [ALICE] })
    await write(store, [{ op: 'put', kind: 'setting', id: 'guard', value: 'old' }])
    await write(store, [{ op: 'put', kind: 'token', id: 'kept', value: 1 }])
    const before = await deliveryOf(store, mid, ALICE)
    const ops: Op[] = [
      acceptOf(clock, [BOB], { once: { key: 'k', print: 'p', ttlMs: 1_000 } }),
      raiseOf(mid, ALICE, 'confirmed', { open: false }),
      { op: 'attempt', mid, recipient: ALICE, attempt: attemptOf(1) },
      { op: 'count', meter: 'pushes', by: 1 },
      { op: 'put', kind: 'recipient', id: 'new', value: 1 },
      { op: 'delete', kind: 'token', id: 'kept' },
      stale,
    ]
    expect(await store.write(ops, 'sync')).toEqual({ ok: false, why: 'conflict', op: 6 })
    expect((await store.inbox(BOB, { limit: 10 })).total).toBe(0)
    expect(await deliveryOf(store, mid, ALICE)).toEqual(before)
    expect(await store.attempts(mid, ALICE)).toEqual([])
    expect(await store.count('pushes')).toBe(0)
    expect(await store.get('recipient', 'new')).toBeNull()
    expect((await store.get('token', 'kept'))?.value).toBe(1)
    expect((await store.get('setting', 'guard'))?.value).toBe('old')
    expect((await store.list({}, { limit: 10 })).items).toHaveLength(1)
  })

  test('a lazy write is all or nothing too', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE])
    await write(store, [{ op: 'put', kind: 'setting', id: 'guard', value: 'old' }])
    const before = await deliveryOf(store, mid, ALICE)
    const ops: LazyOp[] = [
      raiseOf(mid, ALICE, 'confirmed', { open: false }),
      { op: 'attempt', mid, recipient: ALICE, attempt: attemptOf(1) },
      { op: 'put', kind: 'recipient', id: 'new', value: 1 },
      { op: 'step', mid, recipient: ALICE, step: 1, dueAt: null, holds: false, fence: 1 },
    ]
    expect(await store.write(ops, 'lazy')).toEqual({ ok: false, why: 'conflict', op: 3 })
    expect(await store.write([...ops.slice(0, 3), stale], 'lazy')).toEqual({ ok: false, why: 'conflict', op: 3 })
    expect(await deliveryOf(store, mid, ALICE)).toEqual(before)
    expect(await store.attempts(mid, ALICE)).toEqual([])
    expect(await store.get('recipient', 'new')).toBeNull()
    expect((await store.get('setting', 'guard'))?.value).toBe('old')
  })

  test('a limit in the last op leaves the ones before it unapplied', async () => {
    const { store, clock } = bench
    const ops: Op[] = [
      { op: 'count', meter: 'a', by: 1 },
      acceptOf(clock, [ALICE]),
      { op: 'count', meter: 'b', by: 1, limit: 0 },
    ]
    expect(await store.write(ops, 'sync')).toEqual({ ok: false, why: 'limit', op: 2 })
    expect(await store.count('a')).toBe(0)
    expect((await store.inbox(ALICE, { limit: 10 })).total).toBe(0)
  })

  test('an op sees what the ops before it in the same write did', async () => {
    const { store } = bench
    const put: Op = { op: 'put', kind: 'setting', id: 'x', value: 1, rev: 0 }
    expect(await store.write([put, put], 'sync')).toEqual({ ok: false, why: 'conflict', op: 1 })
    expect(await store.get('setting', 'x')).toBeNull()
    await write(store, [put, { op: 'delete', kind: 'setting', id: 'x' }, { ...put, value: 2 }])
    expect((await store.get('setting', 'x'))?.value).toBe(2)
    const count: Op = { op: 'count', meter: 'm', by: 2, limit: 3 }
    expect(await store.write([count, count], 'sync')).toEqual({ ok: false, why: 'limit', op: 1 })
    expect(await store.count('m')).toBe(0)
  })

  test('a write of no ops goes through', async () => {
    expect(await bench.store.write([], 'sync')).toEqual({ ok: true, mids: [] })
    expect(await bench.store.write([], 'lazy')).toEqual({ ok: true, mids: [] })
  })

  test('writes at once that exclude each other: exactly one goes through', async () => {
    const { store } = bench
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        writeAs(n % 2 === 0 ? 'sync' : 'lazy', store, [{ op: 'put', kind: 'token', id: 'one', value: n, rev: 0 }]),
      ),
    )
    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
    expect((await store.get('token', 'one'))?.value).toBe(results.findIndex(({ ok }) => ok))
  })
}
