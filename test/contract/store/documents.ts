import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Op, Put } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { after, allPages, write, writeLazy } from './words.ts'

const CONFLICT = { ok: false, why: 'conflict', op: 0 }

export function testDocuments(bench: Bench): void {
  const put = (id: string, value: unknown, rev?: number): Put => ({
    op: 'put',
    kind: 'setting',
    id,
    value,
    ...(rev === undefined ? {} : { rev }),
  })
  const remove = (id: string, rev?: number): Op => ({
    op: 'delete',
    kind: 'setting',
    id,
    ...(rev === undefined ? {} : { rev }),
  })
  const revOf = async (id: string): Promise<number> => (await bench.store.get('setting', id))?.rev ?? 0

  test('gives back what was put, by kind and id', async () => {
    const { store } = bench
    const value = { name: 'Zoë', deep: [{ a: null }], n: 1.5, yes: true }
    await write(store, [put('x', value), { op: 'put', kind: 'token', id: 'x', value: 'other' }])
    const document = await store.get('setting', 'x')
    expect(document).toEqual({ id: 'x', value, rev: document?.rev })
    expect(document?.rev).toBeGreaterThan(0)
    expect((await store.get('token', 'x'))?.value).toBe('other')
    expect(await store.get('device', 'x')).toBeNull()
    expect(await store.get('setting', 'X')).toBeNull()
  })

  test('rev 0 must be new', async () => {
    const { store } = bench
    await write(store, [put('x', 1, 0)])
    expect(await store.write([put('x', 2, 0)], 'sync')).toEqual(CONFLICT)
    expect((await store.get('setting', 'x'))?.value).toBe(1)
    await write(store, [remove('x')])
    await write(store, [put('x', 3, 0)])
    expect((await store.get('setting', 'x'))?.value).toBe(3)
  })

  test('another rev must be the one it is at; each put changes it', async () => {
    const { store } = bench
    expect(await store.write([put('x', 0, 1)], 'sync')).toEqual(CONFLICT)
    await write(store, [put('x', 1)])
    const first = await revOf('x')
    await write(store, [put('x', 2, first)])
    const second = await revOf('x')
    expect(second).not.toBe(first)
    expect(await store.write([put('x', 3, first)], 'sync')).toEqual(CONFLICT)
    expect(await store.write([put('x', 3, second + 1)], 'sync')).toEqual(CONFLICT)
    await write(store, [put('x', 4)])
    expect(await revOf('x')).not.toBe(second)
    expect((await store.get('setting', 'x'))?.value).toBe(4)
  })

  test('delete asks for the rev too, and without one takes whatever is there', async () => {
    const { store } = bench
    await write(store, [put('x', 1)])
    const rev = await revOf('x')
    expect(await store.write([remove('x', rev + 1)], 'sync')).toEqual(CONFLICT)
    expect(await revOf('x')).toBe(rev)
    await write(store, [remove('x', rev)])
    expect(await store.get('setting', 'x')).toBeNull()
    expect(await store.write([remove('x', rev)], 'sync')).toEqual(CONFLICT)
    await write(store, [remove('x')])
    await write(store, [put('x', 2)])
    await write(store, [remove('x')])
    expect(await store.get('setting', 'x')).toBeNull()
    expect((await store.scan('setting', { limit: 10 })).items).toEqual([])
  })

  test('a lazy put is readable at once', async () => {
    const { store } = bench
    for (let n = 1; n <= 20; n += 1) {
      const writing = store.write([put('x', n), put(`y${n}`, n)], 'lazy')
      const [document, page] = await Promise.all([store.get('setting', 'x'), store.scan('setting', { limit: 50 })])
      expect(document?.value).toBe(n)
      expect(page.items).toHaveLength(n + 1)
      expect(await writing).toEqual({ ok: true, mids: [] })
    }
  })

  test('scans one kind in the order of ids', async () => {
    const { store } = bench
    const ids = ['b', 'a', 'ab', 'a/b', 'B', 'é', '中', 'a@user/phone', '__proto__', '']
    await write(store, [...ids.map((id) => put(id, id)), { op: 'put', kind: 'token', id: 'c', value: 'c' }])
    const page = await store.scan('setting', { limit: 100 })
    expect(page.items.map(({ id }) => id)).toEqual(ids.toSorted())
    expect(page.next).toBeNull()
    expect(page.items.map(({ value }) => value)).toEqual(ids.toSorted())
  })

  test('scans after an id, whether it exists or not', async () => {
    const { store } = bench
    await write(
      store,
      ['a', 'b', 'c'].map((id) => put(id, id)),
    )
    const ids = async (page: { prefix?: string; after?: string }) =>
      (await store.scan('setting', { ...page, limit: 100 })).items.map(({ id }) => id)
    expect(await ids({ after: 'a' })).toEqual(['b', 'c'])
    expect(await ids({ after: 'aa' })).toEqual(['b', 'c'])
    expect(await ids({ after: 'c' })).toEqual([])
    expect(await ids({ after: '' })).toEqual(['a', 'b', 'c'])
  })

  test('scans a prefix', async () => {
    const { store } = bench
    const mine = ['alice@user/', 'alice@user/desk', 'alice@user/phone']
    await write(
      store,
      [...mine, 'alice@use', 'alice@user', 'alice@user0', 'bob@user/desk'].map((id) => put(id, 1)),
    )
    const scan = (page: { prefix: string; after?: string; limit: number }) => store.scan('setting', page)
    const all = await scan({ prefix: 'alice@user/', limit: 100 })
    expect(all.items.map(({ id }) => id)).toEqual(mine)
    expect(all.next).toBeNull()
    const paged = await allPages((cursor) => scan({ prefix: 'alice@user/', ...after(cursor), limit: 2 }))
    expect(paged.map(({ id }) => id)).toEqual(mine)
    expect((await scan({ prefix: 'nobody', limit: 100 })).items).toEqual([])
  })

  test('pages hold no more than asked for and lose nothing, whatever was there', async () => {
    const { store } = bench
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é'), maxLength: 4 }), { maxLength: 20 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 2 }),
        fc.integer({ min: 1, max: 6 }),
        async (ids, prefix, limit) => {
          const old = await store.scan('limit', { limit: 100 })
          await write(store, [
            ...old.items.map(({ id }): Op => ({ op: 'delete', kind: 'limit', id })),
            ...ids.map((id): Op => ({ op: 'put', kind: 'limit', id, value: id })),
          ])
          const found = await allPages(async (cursor) => {
            const page = await store.scan('limit', { prefix, ...after(cursor), limit })
            expect(page.items.length).toBeLessThanOrEqual(limit)
            return page
          })
          expect(found.map(({ id }) => id)).toEqual(ids.filter((id) => id.startsWith(prefix)).toSorted())
        },
      ),
      { numRuns: 40, seed: 21 },
    )
  })

  test('survive a restart with their revs', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    await writeLazy(bench.store, [put('x', { a: [1] }), put('gone', 1), put('__proto__', 'kept')])
    await write(bench.store, [put('x', { a: [2] }), remove('gone')])
    const before = await bench.store.scan('setting', { limit: 10 })
    await bench.reopen()
    expect(await bench.store.scan('setting', { limit: 10 })).toEqual(before)
    const rev = await revOf('x')
    expect(await bench.store.write([put('x', 3, rev - 1)], 'sync')).toEqual(CONFLICT)
    await write(bench.store, [put('x', 3, rev)])
  })
}
