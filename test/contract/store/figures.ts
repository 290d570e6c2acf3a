/** What a store tells of itself. */
import { expect, test } from 'vitest'
import type { Figures, Store } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { ALICE, accept, acceptOf, ackOf, BOB, CAROL, claimOne, raiseOf, stepOf, write, writeLazy } from './words.ts'

/** `{ 'queued ': 2, 'delivered websocket': 1 }` */
async function reachedIn(store: Store): Promise<Record<string, number>> {
  const { reached } = await store.figures()
  return Object.fromEntries(reached.map(({ state, via, count }) => [`${state} ${via ?? ''}`, count]))
}

async function rest(store: Store): Promise<Omit<Figures, 'reached' | 'disk'>> {
  const { open, scheduled } = await store.figures()
  return { open, scheduled }
}

export function testFigures(bench: Bench): void {
  test('an empty store tells of nothing', async () => {
    expect(await reachedIn(bench.store)).toEqual({})
    expect(await rest(bench.store)).toEqual({ open: { count: 0, bytes: 0 }, scheduled: 0 })
  })

  test('counts each delivery once for each state that it gets to', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE, BOB, CAROL])
    expect(await reachedIn(store)).toEqual({ 'queued ': 3 })
    await writeLazy(store, [ackOf(mid, ALICE)])
    await writeLazy(store, [ackOf(mid, ALICE), raiseOf(mid, ALICE, 'sent', { via: 'websocket' })])
    await write(store, [raiseOf(mid, BOB, 'accepted', { via: 'slack' })])
    await write(store, [raiseOf(mid, BOB, 'delivered', { via: 'webpush' })])
    await write(store, [{ ...ackOf(mid, BOB), of: [[mid, [BOB, CAROL, ALICE]]] }])
    expect(await reachedIn(store)).toEqual({
      'queued ': 3,
      'delivered websocket': 2,
      'accepted slack': 1,
      'delivered webpush': 1,
    })
  })

  test('a delivery without room failed at once', async () => {
    const { store, clock } = bench
    const room = { count: 1, bytes: 1_000_000 }
    await accept(store, clock, [ALICE], { room })
    await accept(store, clock, [ALICE, BOB], { room })
    expect(await reachedIn(store)).toEqual({ 'queued ': 2, 'failed ': 1 })
  })

  test('what was refused, and what was repeated, is not counted', async () => {
    const { store, clock } = bench
    const once = { key: 'k', print: 'p', ttlMs: 1_000 }
    await accept(store, clock, [ALICE], { once })
    await accept(store, clock, [ALICE], { once })
    const refused = await store.write([acceptOf(clock, [BOB], { once: { ...once, print: 'other' } })], 'sync')
    expect(refused.ok).toBe(false)
    expect(await reachedIn(store)).toEqual({ 'queued ': 1 })
  })

  test('what is open goes up and down, and ends at nothing', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE, BOB])
    const { open } = await rest(store)
    expect(open).toEqual({ count: 2, bytes: expect.any(Number) })
    await writeLazy(store, [ackOf(mid, ALICE), ackOf(mid, ALICE)])
    expect(await rest(store)).toMatchObject({ open: { count: 1, bytes: open.bytes / 2 } })
    await writeLazy(store, [ackOf(mid, BOB)])
    expect(await rest(store)).toMatchObject({ open: { count: 0, bytes: 0 } })
  })

  test('what is scheduled is there until nothing more is to be done, leased or not', async () => {
    const { store, clock } = bench
    const now = clock.now()
    await accept(store, clock, [ALICE], { planned: [ALICE] })
    await accept(store, clock, [BOB], { expiresAt: now + 60_000 })
    await accept(store, clock, [CAROL])
    expect(await rest(store)).toMatchObject({ scheduled: 2 })
    const work = await claimOne(store, now)
    expect(await rest(store)).toMatchObject({ scheduled: 2 })
    await write(store, [stepOf(work, 1, now + 10)])
    expect(await rest(store)).toMatchObject({ scheduled: 2 })
    await write(store, [stepOf(await claimOne(store, now + 10), 2, null)])
    expect(await rest(store)).toMatchObject({ scheduled: 1 })
  })

  test('after a restart: what is there is there, what happened before is not counted', async () => {
    if (!bench.persistent) return
    const { clock } = bench
    const mid = await accept(bench.store, clock, [ALICE, BOB], { expiresAt: clock.now() + 60_000 })
    await write(bench.store, [ackOf(mid, ALICE)])
    const before = await rest(bench.store)
    await bench.reopen()
    expect(await reachedIn(bench.store)).toEqual({})
    expect(await rest(bench.store)).toEqual(before)
    await write(bench.store, [ackOf(mid, BOB)])
    expect(await reachedIn(bench.store)).toEqual({ 'delivered websocket': 1 })
  })
}
