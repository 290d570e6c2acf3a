import { describe, expect, test } from 'vitest'
import type { Bench } from './bench.ts'
import {
  ALICE,
  accept,
  acceptMany,
  ackOf,
  after,
  allPages,
  before,
  BOB,
  deliveryOf,
  LAST_MID,
  NO_MID,
  raiseOf,
  write,
} from './words.ts'

export function testInbox(bench: Bench): void {
  test('holds the deliveries of one recipient with their messages', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [BOB, ALICE], { text: 'both' })
    await accept(store, clock, [BOB])
    const page = await store.inbox(ALICE, { limit: 10 })
    const expected = { ...(await deliveryOf(store, mid, ALICE)), message: await store.message(mid) }
    expect(page).toEqual({ items: [expected], next: null, total: 1 })
    expect(await store.inbox('nobody@user', { limit: 10 })).toEqual({ items: [], next: null, total: 0 })
  })

  // twelve messages, of which those at 0, 3, 4 and 9 are closed
  const closed = new Set([0, 3, 4, 9])
  const twelve = async () => {
    const { store, clock } = bench
    const mids = await acceptMany(store, clock, [ALICE, BOB], 12)
    for (const at of closed) await write(store, [ackOf(mids[at] ?? '', ALICE)])
    return { all: mids, open: mids.filter((_, at) => !closed.has(at)) }
  }

  describe.each([{ open: true }, {}])('with %o', (filter) => {
    const heldOf = (mids: Awaited<ReturnType<typeof twelve>>) => ('open' in filter ? mids.open : mids.all)

    test('comes oldest first after a mid, newest first before one', async () => {
      const mids = await twelve()
      const held = heldOf(mids)
      const read = async (range: { after?: string; before?: string }) => {
        const page = await bench.store.inbox(ALICE, { ...filter, ...range, limit: 100 })
        expect(page.total).toBe(held.length)
        expect(page.next).toBeNull()
        return page.items.map(({ mid }) => mid)
      }
      const middle = mids.all[5] ?? ''
      const gone = mids.all[4] ?? ''
      expect(await read({})).toEqual(held)
      expect(await read({ after: '' })).toEqual(held)
      expect(await read({ after: NO_MID })).toEqual(held)
      expect(await read({ after: middle })).toEqual(held.filter((mid) => mid > middle))
      expect(await read({ after: gone })).toEqual(held.filter((mid) => mid > gone))
      expect(await read({ after: LAST_MID })).toEqual([])
      expect(await read({ before: LAST_MID })).toEqual(held.toReversed())
      expect(await read({ before: middle })).toEqual(held.filter((mid) => mid < middle).toReversed())
      expect(await read({ before: mids.all[0] ?? '' })).toEqual([])
    })

    test('comes in pages of any size, each with the whole total', async () => {
      const held = heldOf(await twelve())
      for (const limit of [1, 2, 5, held.length, 50]) {
        for (const turned of [after, before]) {
          const items = await allPages(async (cursor) => {
            const from = turned === before ? (cursor ?? LAST_MID) : cursor
            const page = await bench.store.inbox(ALICE, { ...filter, ...turned(from), limit })
            expect(page.items.length).toBeLessThanOrEqual(limit)
            expect(page.total).toBe(held.length)
            return page
          })
          expect(items.map(({ mid }) => mid)).toEqual(turned === before ? held.toReversed() : held)
        }
      }
    })

    test('a page that holds the rest says so', async () => {
      const held = heldOf(await twelve())
      expect((await bench.store.inbox(ALICE, { ...filter, limit: held.length })).next).toBeNull()
      expect((await bench.store.inbox(ALICE, { ...filter, limit: held.length - 1 })).next).not.toBeNull()
    })

    test('is the same after a restart', async ({ skip }) => {
      skip(!bench.persistent, 'nothing outlives this store')
      await twelve()
      const read = () => bench.store.inbox(ALICE, { ...filter, limit: 100 })
      const earlier = await read()
      await bench.reopen()
      expect(await read()).toEqual(earlier)
    })
  })

  test('shows a lazy raise at once, and to a reader that pages meanwhile', async () => {
    const { store, clock } = bench
    const mids = await acceptMany(store, clock, [ALICE], 10)
    for (const [at, mid] of mids.entries()) {
      const writing = store.write([{ ...ackOf(mid, ALICE), open: false }], 'lazy')
      const [page, delivery] = await Promise.all([
        store.inbox(ALICE, { open: true, limit: 3 }),
        store.delivery(mid, ALICE),
      ])
      expect(page.total).toBe(mids.length - at - 1)
      expect(page.items.map((item) => item.mid)).toEqual(mids.slice(at + 1, at + 4))
      expect(delivery?.state).toBe('delivered')
      expect((await writing).ok).toBe(true)
    }
  })

  test('keeps what is closed in its place, with its state', async () => {
    const { store, clock } = bench
    const [mid = ''] = await acceptMany(store, clock, [ALICE], 3)
    await write(store, [raiseOf(mid, ALICE, 'confirmed', { by: 'phone', open: false })])
    const page = await store.inbox(ALICE, { limit: 1 })
    expect(page.items[0]).toMatchObject({ mid, state: 'confirmed', by: 'phone', open: false })
    expect(page.total).toBe(3)
  })
}
