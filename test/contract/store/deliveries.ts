import { expect, test } from 'vitest'
import type { Bench } from './bench.ts'
import { ALICE, accept, after, allPages, BOB, CAROL, deliveryOf, raiseOf, write, writeLazy } from './words.ts'

export function testDeliveries(bench: Bench): void {
  test('come in the order accepted, as they are now', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [CAROL, ALICE, BOB])
    await accept(store, clock, [BOB])
    await write(store, [raiseOf(mid, ALICE, 'sent', { via: 'websocket' })])
    const page = await store.deliveries(mid)
    expect(page.next).toBeNull()
    expect(page.items.map(({ recipient, state }) => [recipient, state])).toEqual([
      [CAROL, 'queued'],
      [ALICE, 'sent'],
      [BOB, 'queued'],
    ])
    expect(page.items[1]).toEqual(await deliveryOf(store, mid, ALICE))
  })

  test('come one by one when asked so, and the last page says so', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [CAROL, ALICE, BOB])
    const items = await allPages(async (cursor) => {
      const page = await store.deliveries(mid, { ...after(cursor), limit: 1 })
      expect(page.items).toHaveLength(1)
      return page
    })
    expect(items.map(({ recipient }) => recipient)).toEqual([CAROL, ALICE, BOB])
    expect((await store.deliveries(mid, { limit: 3 })).next).toBeNull()
  })

  test('of a group of 5,000 come in pages, none twice and none missing', async () => {
    const { store, clock } = bench
    const group = Object.freeze(Array.from({ length: 5_000 }, (_, n) => `member ${5_000 - n}@user`))
    const mid = await accept(store, clock, group, { planned: group.slice(0, 10) })
    await accept(store, clock, group)
    const [some] = group.slice(2_500)
    await write(store, [raiseOf(mid, some ?? '', 'delivered', { open: false })])
    for (const limit of [undefined, 999, 5_000, 10_000]) {
      const items = await allPages(async (cursor) => {
        const page = await store.deliveries(mid, { ...after(cursor), ...(limit === undefined ? {} : { limit }) })
        expect(page.items.length).toBeLessThanOrEqual(limit ?? Infinity)
        return page
      })
      expect(items.map(({ recipient }) => recipient)).toEqual(group)
      expect(items.filter(({ state }) => state === 'delivered')).toEqual([await deliveryOf(store, mid, some ?? '')])
      expect(items.filter(({ dueAt }) => dueAt !== null)).toHaveLength(10)
    }
    expect((await store.inbox(some ?? '', { open: true, limit: 10 })).total).toBe(1)
  })

  test('survive a restart, with the message', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const group = Array.from({ length: 40 }, (_, n) => `member ${40 - n}@user`)
    const mid = await accept(bench.store, bench.clock, group, { planned: group.slice(3, 9), text: 'kept' })
    await writeLazy(bench.store, [raiseOf(mid, group[7] ?? '', 'failed', { reason: 'exhausted', by: 'desk' })])
    const before = await bench.store.deliveries(mid)
    const message = await bench.store.message(mid)
    await bench.reopen()
    expect(await bench.store.deliveries(mid)).toEqual(before)
    expect(await bench.store.message(mid)).toEqual(message)
  })
}
