import { expect, test } from 'vitest'
import type { Claimed } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { ALICE, accept, BOB, claimOne, deliveryOf, LEASE, raiseOf, stepOf, write, writeLazy } from './words.ts'

const isFor =
  (recipient: string) =>
  ({ delivery }: Claimed): boolean =>
    delivery.recipient === recipient

/** A delivery that holds keeps the recipient's later ones back, so that order holds over retries. */
export function testHolds(bench: Bench): void {
  test('nothing behind a delivery that holds is handed out before it', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const first = await accept(store, clock, [ALICE], { planned: [ALICE], holding: [ALICE] })
    const second = await accept(store, clock, [ALICE, BOB], { planned: [ALICE, BOB], holding: [ALICE] })
    const held = await store.claim(now, 10, LEASE)
    for (const work of held) {
      const holds = work.delivery.mid === first
      await write(store, [stepOf(work, 0, holds ? now + 300 : null, holds)])
    }
    expect(held.map(({ delivery }) => delivery.recipient).toSorted()).toEqual([ALICE, BOB])
    expect(await store.delivery(first, ALICE)).toMatchObject({ holds: true, dueAt: now + 300 })
    expect(await store.claim(now + 299, 10, LEASE)).toEqual([])
    expect(await store.nextDue()).toBe(now + 300)

    const work = await claimOne(store, now + 300)
    expect(work.delivery).toMatchObject({ mid: first, holds: true })
    await write(store, [stepOf(work, 1, null)])
    expect((await claimOne(store, now + 300)).delivery.mid).toBe(second)
  })

  test('a step that does not hold lets the later ones go', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const first = await accept(store, clock, [ALICE], { planned: [ALICE] })
    await write(store, [stepOf(await claimOne(store, now), 0, now + 10, true)])
    const second = await accept(store, clock, [ALICE], { planned: [ALICE] })
    expect(await store.claim(now + 9, 10, LEASE)).toEqual([])
    await write(store, [stepOf(await claimOne(store, now + 10), 0, now + 500, false)])
    expect((await claimOne(store, now + 10)).delivery.mid).toBe(second)
    expect(await store.delivery(first, ALICE)).toMatchObject({ holds: false, dueAt: now + 500 })
  })

  test('holds back no delivery that came before it', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const first = await accept(store, clock, [ALICE], { expiresAt: now + 50 })
    await accept(store, clock, [ALICE], { planned: [ALICE] })
    await write(store, [stepOf(await claimOne(store, now), 0, now + 300, true)])
    expect(await store.nextDue()).toBe(now + 50)
    expect((await claimOne(store, now + 50)).delivery.mid).toBe(first)
  })

  test('a lease that ends under a hold comes back first', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const first = await accept(store, clock, [ALICE], { planned: [ALICE], holding: [ALICE] })
    await accept(store, clock, [ALICE], { planned: [ALICE] })
    await write(store, [stepOf(await claimOne(store, now), 0, now + 10, true)])
    await claimOne(store, now + 10)
    expect((await claimOne(store, now + 10 + LEASE)).delivery.mid).toBe(first)
  })

  test('from its acceptance on: what came with it and behind it waits', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const mids = [
      await accept(store, clock, [ALICE, BOB], { planned: [ALICE, BOB], holding: [ALICE] }),
      await accept(store, clock, [ALICE], { planned: [ALICE], holding: [ALICE] }),
      await accept(store, clock, [ALICE], { planned: [ALICE] }),
    ]
    expect(await store.delivery(mids[0] ?? '', ALICE)).toMatchObject({ holds: true })
    expect(await store.delivery(mids[0] ?? '', BOB)).toMatchObject({ holds: false })
    const [bob] = (await store.claim(now, 1, LEASE)).concat(await store.claim(now, 1, LEASE)).filter(isFor(BOB))
    if (!bob) throw new Error('both were due')
    await write(store, [stepOf(bob, 1, null)])
    expect(await store.claim(now, 10, LEASE)).toEqual([])
  })

  test('hands them out one after another', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const mids: string[] = []
    for (let n = 0; n < 3; n += 1) {
      mids.push(await accept(store, clock, [ALICE], { planned: [ALICE], holding: [ALICE] }))
    }
    const order: string[] = []
    for (let n = 0; n < 3; n += 1) {
      const work = await claimOne(store, now)
      order.push(work.delivery.mid)
      await write(store, [stepOf(work, 1, null)])
    }
    expect(order).toEqual(mids)
  })

  test('an end lets go of what it held', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const first = await accept(store, clock, [ALICE], { planned: [ALICE], holding: [ALICE] })
    const second = await accept(store, clock, [ALICE], { planned: [ALICE] })
    await write(store, [raiseOf(first, ALICE, 'removed', { open: false })])
    const got = await store.claim(now, 10, LEASE)
    expect(got.map(({ delivery }) => delivery.mid).toSorted()).toEqual([first, second])
  })

  test('survives a restart', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const now = bench.clock.now()
    const first = await accept(bench.store, bench.clock, [ALICE], { planned: [ALICE], holding: [ALICE] })
    await accept(bench.store, bench.clock, [ALICE], { planned: [ALICE] })
    expect(await deliveryOf(bench.store, first, ALICE)).toMatchObject({ holds: true })
    await writeLazy(bench.store, [stepOf(await claimOne(bench.store, now), 0, now + 10, true)])
    await bench.reopen()
    expect(await bench.store.claim(now + 9, 10, LEASE)).toEqual([])
    expect((await claimOne(bench.store, now + 10)).delivery.mid).toBe(first)
  })
}
