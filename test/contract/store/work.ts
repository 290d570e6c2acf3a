import { expect, test } from 'vitest'
import type { Mid } from '../../../server/protocol/states.ts'
import type { Claimed, Op } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import {
  ALICE,
  accept,
  ackOf,
  attemptOf,
  BOB,
  CAROL,
  claimOne,
  deliveryOf,
  LEASE,
  NO_MID,
  stepOf,
  write,
  writeLazy,
} from './words.ts'

const midsOf = (claimed: readonly Claimed[]): Mid[] => claimed.map(({ delivery }) => delivery.mid)

export function testWork(bench: Bench): void {
  test('hands out what is due, with its message, delivery and attempts', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const mid = await accept(store, clock, [ALICE], { expiresAt: now })
    await accept(store, clock, [BOB], { expiresAt: now + 1 })
    await accept(store, clock, [CAROL])
    const attempt = attemptOf(1, { endedAt: 2, outcome: 'retry' })
    await write(store, [{ op: 'attempt', mid, recipient: ALICE, attempt }])
    const work = await claimOne(store, now)
    expect(work.message).toEqual(await store.message(mid))
    expect(work.delivery).toMatchObject({ mid, recipient: ALICE, state: 'queued', step: 0 })
    expect(work.attempts).toEqual([attempt])
  })

  test('hands out nothing before it is due and nothing that is not scheduled', async () => {
    const { store, clock } = bench
    await accept(store, clock, [ALICE], { expiresAt: clock.now() + 10 })
    await accept(store, clock, [BOB])
    expect(await store.claim(clock.now() + 9, 10, LEASE)).toEqual([])
    expect(await store.claim(clock.now() + 10, 10, LEASE)).toHaveLength(1)
  })

  test('hands out no more than asked for, and the rest at the next claim', async () => {
    const { store, clock } = bench
    const recipients = Array.from({ length: 7 }, (_, n) => `r${n}@user`)
    await accept(store, clock, recipients, { expiresAt: clock.now() })
    const seen: string[] = []
    for (const size of [3, 3, 1]) {
      const claimed = await store.claim(clock.now(), 3, LEASE)
      expect(claimed).toHaveLength(size)
      seen.push(...claimed.map(({ delivery }) => delivery.recipient))
    }
    expect(seen.toSorted()).toEqual(recipients)
  })

  test('gives a recipient as much as is due, the lowest mid first', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const first = await accept(store, clock, [ALICE], { expiresAt: now + 2 })
    const second = await accept(store, clock, [ALICE], { expiresAt: now })
    const third = await accept(store, clock, [ALICE], { expiresAt: now + 1 })
    const claimed = await store.claim(now + 5, 10, LEASE)
    expect(midsOf(claimed)).toEqual([first, second, third])
    expect(new Set(claimed.map(({ fence }) => fence)).size).toBe(3)
    expect(await store.claim(now + 5, 10, LEASE)).toEqual([])
    for (const work of claimed.toReversed()) await write(store, [stepOf(work, 1, null)])
    expect(await store.claim(now + 5 + LEASE, 10, LEASE)).toEqual([])
  })

  test('claims at once never share a delivery', async () => {
    const { store, clock } = bench
    const recipients = [ALICE, BOB, CAROL]
    for (let n = 0; n < 4; n += 1) await accept(store, clock, recipients, { expiresAt: clock.now() })
    const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(clock.now(), 2, LEASE)))
    const got = claims.flat().map(({ delivery: { mid, recipient } }) => `${mid} ${recipient}`)
    expect(new Set(got).size).toBe(12)
    expect(got).toHaveLength(12)
  })

  test('gives the lowest mid of those that are due, also when a lower one is not', async () => {
    const { store, clock } = bench
    const now = clock.now()
    await accept(store, clock, [ALICE], { expiresAt: now + 100 })
    const lower = await accept(store, clock, [ALICE], { expiresAt: now + 5 })
    const higher = await accept(store, clock, [ALICE], { expiresAt: now + 3 })
    expect(midsOf(await store.claim(now + 10, 1, LEASE))).toEqual([lower])
    expect(midsOf(await store.claim(now + 10, 10, LEASE))).toEqual([higher])
  })

  test('a step ends the lease and says when to come back', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const mid = await accept(store, clock, [ALICE], { expiresAt: now })
    await write(store, [stepOf(await claimOne(store, now), 2, now + 50)])
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ step: 2, dueAt: now + 50, open: true })
    expect(await store.claim(now + 49, 10, LEASE)).toEqual([])
    const again = await claimOne(store, now + 50)
    expect(again.delivery.step).toBe(2)
    await write(store, [stepOf(again, 3, null)])
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ step: 3, dueAt: null })
    expect(await store.claim(now + 1_000_000, 10, LEASE)).toEqual([])
  })

  test('a lease that ends without a step comes back, and its fence is stale', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const mid = await accept(store, clock, [ALICE], { expiresAt: now })
    const lost = await claimOne(store, now)
    const work = await claimOne(store, now + LEASE)
    expect(work.delivery.mid).toBe(mid)
    expect(work.fence).not.toBe(lost.fence)
    const late = await store.write([{ op: 'count', meter: 'm', by: 1 }, stepOf(lost, 9, null)], 'sync')
    expect(late).toEqual({ ok: false, why: 'conflict', op: 1 })
    expect(await store.count('m')).toBe(0)
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ step: 0, dueAt: now })
    await write(store, [stepOf(work, 1, null)])
  })

  test('a lease holds until its end', async ({ skip }) => {
    skip(bench.leasesEndEarly, 'leases of this store may end early')
    const { store, clock } = bench
    const now = clock.now()
    await accept(store, clock, [ALICE], { expiresAt: now })
    await claimOne(store, now)
    expect(await store.claim(now + LEASE - 1, 10, LEASE)).toEqual([])
    expect(await store.nextDue()).toBe(now + LEASE)
  })

  test('a step needs the fence of the lease', async () => {
    const { store, clock } = bench
    const now = clock.now()
    const mid = await accept(store, clock, [ALICE, BOB], { expiresAt: now })
    const [alice, bob] = (await store.claim(now, 10, LEASE)).toSorted((a, b) =>
      a.delivery.recipient < b.delivery.recipient ? -1 : 1,
    )
    if (!alice || !bob) throw new Error('both were due')
    const conflict = { ok: false, why: 'conflict', op: 0 }
    const refused: Op[] = [
      { op: 'step', mid, recipient: ALICE, step: 1, dueAt: null, holds: false, fence: alice.fence + 1_000 },
      { op: 'step', mid, recipient: ALICE, step: 1, dueAt: null, holds: false, fence: -1 },
      { op: 'step', mid, recipient: CAROL, step: 1, dueAt: null, holds: false, fence: alice.fence },
      { op: 'step', mid: NO_MID, recipient: ALICE, step: 1, dueAt: null, holds: false, fence: alice.fence },
    ]
    for (const op of refused) expect(await store.write([op], 'sync')).toEqual(conflict)
    await write(store, [stepOf(alice, 1, null)])
    expect(await store.write([stepOf(alice, 2, null)], 'sync')).toEqual(conflict)
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ step: 1 })
    await write(store, [stepOf(bob, 1, null)])
  })

  test('what was never claimed cannot be stepped', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { expiresAt: clock.now() })
    for (const fence of [0, 1]) {
      const op: Op = { op: 'step', mid, recipient: ALICE, step: 1, dueAt: null, holds: false, fence }
      expect(await store.write([op], 'sync')).toEqual({ ok: false, why: 'conflict', op: 0 })
    }
  })

  test('a state alone takes no work away: the runner itself ends it', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { expiresAt: clock.now() })
    await write(store, [ackOf(mid, ALICE)])
    const work = await claimOne(store, clock.now())
    expect(work.delivery).toMatchObject({ mid, state: 'delivered', open: false })
  })

  test('nextDue is when a claim finds something', async () => {
    const { store, clock } = bench
    const now = clock.now()
    expect(await store.nextDue()).toBeNull()
    await accept(store, clock, [ALICE])
    expect(await store.nextDue()).toBeNull()
    await accept(store, clock, [ALICE], { expiresAt: now + 30 })
    await accept(store, clock, [ALICE, BOB], { expiresAt: now + 20 })
    for (let rounds = 0; rounds < 20; rounds += 1) {
      const due = await store.nextDue()
      if (due === null) break
      expect(await store.claim(due - 1, 10, LEASE)).toEqual([])
      const claimed = await store.claim(due, 1, LEASE)
      expect(midsOf(claimed)).toHaveLength(1)
      for (const work of claimed) {
        const nextDue = work.delivery.step < 2 ? due + 10 : null
        await write(store, [stepOf(work, work.delivery.step + 1, nextDue)])
      }
    }
    expect(await store.nextDue()).toBeNull()
    const left = await store.list({}, { limit: 10 })
    expect(left.items.filter(({ dueAt }) => dueAt !== null)).toEqual([])
  })

  test('nextDue under a lease is its end at the latest', async () => {
    const { store, clock } = bench
    const now = clock.now()
    await accept(store, clock, [ALICE], { expiresAt: now })
    await claimOne(store, now)
    const due = await store.nextDue()
    expect(due).toBeGreaterThan(now)
    expect(due).toBeLessThanOrEqual(now + LEASE)
    expect(await store.claim(due ?? 0, 10, LEASE)).toHaveLength(1)
  })

  test('work, steps and attempts survive a restart; a lease ends in time', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const now = bench.clock.now()
    const mid = await accept(bench.store, bench.clock, [ALICE], { expiresAt: now })
    const later = await accept(bench.store, bench.clock, [ALICE], { expiresAt: now + 5 })
    await writeLazy(bench.store, [stepOf(await claimOne(bench.store, now), 1, now + 10)])
    await writeLazy(bench.store, [{ op: 'attempt', mid, recipient: ALICE, attempt: attemptOf(1) }])
    expect(midsOf(await bench.store.claim(now + 7, 10, LEASE))).toEqual([later])
    await bench.reopen()
    expect(await deliveryOf(bench.store, mid, ALICE)).toMatchObject({ step: 1, dueAt: now + 10 })
    expect(await bench.store.attempts(mid, ALICE)).toEqual([attemptOf(1)])
    expect(midsOf(await bench.store.claim(now + 7 + LEASE, 10, LEASE))).toEqual([mid, later])
  })
}
