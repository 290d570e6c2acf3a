import { describe, expect, test } from 'vitest'
import type { Mid } from '../../../server/protocol/states.ts'
import type { Bench } from './bench.ts'
import { ALICE, accept, ackOf, allPages, before, BOB, claimOne, openMids, stepOf, write } from './words.ts'

const BUDGET_MS = 1_000
/** A store may drop messages in parts of up to a megabyte: one of this size is a part of its own. */
const LARGE = 'x'.repeat(1_100_000)

async function* textOf(text: string) {
  yield new TextEncoder().encode(text)
}

export function testPrune(bench: Bench): void {
  /** Accepts one more, so that those before it are not in the newest part, and lets them come to rest. */
  async function comeToRest(): Promise<Mid> {
    const newest = await accept(bench.store, bench.clock, ['newest@user'])
    if (bench.persistent) await bench.reopen()
    return newest
  }

  /** Prunes until nothing more is to be dropped; returns how much was. */
  async function pruneAll(keep: { ageMs?: number; count?: number; bytes?: number }): Promise<number> {
    let dropped = 0
    for (let rounds = 0; rounds < 1_000; rounds += 1) {
      const round = await bench.store.prune(keep, BUDGET_MS)
      dropped += round.dropped
      if (!round.more) return dropped
    }
    throw new Error('prune has no end')
  }

  /** Mids that the store still has, oldest first. */
  async function kept(): Promise<Mid[]> {
    const items = await allPages((cursor) => bench.store.list({}, { ...before(cursor), limit: 100 }))
    return [...new Set(items.map(({ mid }) => mid))].toSorted()
  }

  /** Large messages that nobody is owed any more. */
  async function settled(count: number, blobs: readonly string[] = []): Promise<Mid[]> {
    const { store, clock } = bench
    const mids: Mid[] = []
    for (let n = 0; n < count; n += 1) {
      mids.push(await accept(store, clock, [ALICE], { text: LARGE, message: { blobs } }))
    }
    await write(
      store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    return mids
  }

  test('drops what is older than it may be, and only that', async () => {
    const old = await settled(2)
    await bench.clock.advance(1_000)
    const young = [...(await settled(1)), await comeToRest()]
    expect(await pruneAll({ ageMs: 2_000 })).toBe(0)
    expect(await kept()).toEqual([...old, ...young])
    expect(await pruneAll({ ageMs: 500 })).toBe(2)
    expect(await kept()).toEqual(young)
  })

  test('leaves no trace of what it drops', async () => {
    const { clock } = bench
    const [mid = ''] = await settled(1)
    const newest = await comeToRest()
    await clock.advance(10)
    expect(await pruneAll({ ageMs: 5 })).toBe(1)
    const { store } = bench
    expect(await store.message(mid)).toBeNull()
    expect(await store.delivery(mid, ALICE)).toBeNull()
    expect(await store.attempts(mid, ALICE)).toEqual([])
    expect((await store.deliveries(mid)).items).toEqual([])
    expect(await store.inbox(ALICE, { limit: 10 })).toEqual({ items: [], next: null, total: 0 })
    await write(store, [ackOf(mid, ALICE)])
    expect(await kept()).toEqual([newest])
  })

  test('keeps the newest of too many', async () => {
    const mids = [...(await settled(4)), await comeToRest()]
    expect(await pruneAll({ count: 5 })).toBe(0)
    expect(await pruneAll({ count: 3 })).toBe(2)
    expect(await kept()).toEqual(mids.slice(2))
  })

  test('keeps the newest of too much', async () => {
    const mids = [...(await settled(4)), await comeToRest()]
    expect(await pruneAll({ bytes: 10 * LARGE.length })).toBe(0)
    await pruneAll({ bytes: 3 * LARGE.length })
    const left = await kept()
    expect(left).toEqual(mids.slice(mids.length - left.length))
    expect(left.length).toBeLessThan(mids.length)
    expect(left.length).toBeGreaterThan(2)
  })

  test('drops nothing without a policy', async () => {
    await settled(2)
    await comeToRest()
    expect(await pruneAll({})).toBe(0)
    expect(await kept()).toHaveLength(3)
  })

  describe.each([{ count: 0 }, { bytes: 0 }, { ageMs: 0 }])('with a policy of %o', (keep) => {
    test('drops no delivery that is open', async () => {
      const open = await accept(bench.store, bench.clock, [ALICE, BOB], { text: LARGE })
      await write(bench.store, [ackOf(open, ALICE)])
      await settled(2)
      const newest = await comeToRest()
      await bench.clock.advance(10)
      expect(await pruneAll(keep)).toBe(2)
      expect(await kept()).toEqual([open, newest])
      expect(await openMids(bench.store, BOB)).toEqual([open])
      expect((await bench.store.deliveries(open)).items).toHaveLength(2)
    })

    test('drops no delivery that still has work, and then does', async () => {
      const mid = await accept(bench.store, bench.clock, [ALICE], { planned: [ALICE], text: LARGE })
      await write(bench.store, [ackOf(mid, ALICE)])
      const newest = await comeToRest()
      await bench.clock.advance(10)
      expect(await pruneAll(keep)).toBe(0)
      const work = await claimOne(bench.store, bench.clock.now())
      expect(await pruneAll(keep)).toBe(0)
      await write(bench.store, [stepOf(work, 1, null)])
      const newer = await comeToRest()
      expect(await pruneAll(keep)).toBe(1)
      expect(await kept()).toEqual([newest, newer])
    })

    test('drops no blob of a message that it keeps', async () => {
      const shared = await bench.store.putBlob(textOf('shared'), 100)
      const alone = await bench.store.putBlob(textOf('alone'), 100)
      await settled(1, [shared.id, alone.id])
      const open = await accept(bench.store, bench.clock, [BOB], { message: { blobs: [shared.id] } })
      const newest = await comeToRest()
      await bench.clock.advance(10)
      expect(await pruneAll(keep)).toBe(1)
      expect(await kept()).toEqual([open, newest])
      const parts: Uint8Array[] = []
      for await (const part of bench.store.readBlob(shared.id)) parts.push(part)
      expect(Buffer.concat(parts).toString()).toBe('shared')
      await expect(bench.store.readBlob(alone.id)[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(Error)
    })
  })

  test('gives no mid of a dropped message out again', async () => {
    await settled(3)
    const newest = await comeToRest()
    await pruneAll({ count: 0 })
    bench.clock.jump(-1_000)
    expect((await accept(bench.store, bench.clock, [ALICE])) > newest).toBe(true)
  })

  test('holds over a restart', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    await settled(3)
    const newest = await comeToRest()
    expect(await pruneAll({ count: 0 })).toBe(3)
    await bench.reopen()
    expect(await kept()).toEqual([newest])
    expect((await accept(bench.store, bench.clock, [ALICE])) > newest).toBe(true)
  })
}
