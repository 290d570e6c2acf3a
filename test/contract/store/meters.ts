import { expect, test } from 'vitest'
import type { Op } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { write } from './words.ts'

export function testMeters(bench: Bench): void {
  const count = (meter: string, by: number, limit?: number): Op => ({
    op: 'count',
    meter,
    by,
    ...(limit === undefined ? {} : { limit }),
  })

  test('add up, each for itself', async () => {
    const { store } = bench
    expect(await store.count('m')).toBe(0)
    await write(store, [count('m', 3), count('n', 1), count('m', 4)])
    await write(store, [count('m', -2)])
    expect(await store.count('m')).toBe(5)
    expect(await store.count('n')).toBe(1)
  })

  test('never go over the limit, and reach it', async () => {
    const { store } = bench
    await write(store, [count('m', 2, 3)])
    expect(await store.write([count('m', 2, 3)], 'sync')).toEqual({ ok: false, why: 'limit', op: 0 })
    expect(await store.count('m')).toBe(2)
    await write(store, [count('m', 1, 3)])
    expect(await store.write([count('m', 1, 3)], 'sync')).toEqual({ ok: false, why: 'limit', op: 0 })
    await write(store, [count('m', 1)])
    expect(await store.count('m')).toBe(4)
  })

  test('hold their limit when many count at once', async () => {
    const { store } = bench
    const results = await Promise.all(Array.from({ length: 30 }, () => store.write([count('m', 1, 10)], 'sync')))
    expect(results.filter(({ ok }) => ok)).toHaveLength(10)
    expect(await store.count('m')).toBe(10)
  })

  test('survive a restart', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    await write(bench.store, [count('m', 7)])
    await write(bench.store, [count('m', -1)])
    await bench.reopen()
    expect(await bench.store.count('m')).toBe(6)
    expect(await bench.store.write([count('m', 1, 6)], 'sync')).toMatchObject({ why: 'limit' })
  })
}
