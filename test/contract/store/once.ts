import { expect, test } from 'vitest'
import type { Bench } from './bench.ts'
import { ALICE, accept, acceptedIn, acceptOf, BOB, midOf } from './words.ts'

const once = { key: 'k', print: 'p', ttlMs: 60_000 }

export function testOnce(bench: Bench): void {
  test('gives a repeat the first mid again and accepts nothing more', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { once })
    const again = await store.write([acceptOf(clock, [ALICE], { once })], 'sync')
    expect(acceptedIn(again)).toEqual([{ mid, repeated: true, full: [] }])
    expect((await store.inbox(ALICE, { limit: 10 })).total).toBe(1)
  })

  test('sees the repeat in the same turn', async () => {
    const { store, clock } = bench
    const results = await Promise.all(
      Array.from({ length: 10 }, () => store.write([acceptOf(clock, [ALICE], { once })], 'sync')),
    )
    const accepted = results.flatMap(acceptedIn)
    expect(new Set(accepted.map(({ mid }) => mid)).size).toBe(1)
    expect(accepted.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect((await store.inbox(ALICE, { limit: 10 })).total).toBe(1)
  })

  test('sees the repeat in the same write', async () => {
    const { store, clock } = bench
    const op = acceptOf(clock, [ALICE], { once })
    const accepted = acceptedIn(await store.write([op, op], 'sync'))
    expect(accepted.map(({ repeated }) => repeated)).toEqual([false, true])
    expect(accepted[0]?.mid).toBe(accepted[1]?.mid)
    expect((await store.inbox(ALICE, { limit: 10 })).total).toBe(1)
  })

  test('refuses the same key with another print, and keeps the first', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { once, text: 'first' })
    const other = acceptOf(clock, [BOB], { once: { ...once, print: 'q' }, text: 'second' })
    expect(await store.write([acceptOf(clock, [BOB]), other], 'sync')).toEqual({
      ok: false,
      why: 'once-differs',
      op: 1,
    })
    expect((await store.inbox(BOB, { limit: 10 })).total).toBe(0)
    expect(await accept(store, clock, [ALICE], { once })).toBe(mid)
  })

  test('keeps keys apart', async () => {
    const { store, clock } = bench
    const mids = [
      await accept(store, clock, [ALICE], { once }),
      await accept(store, clock, [ALICE], { once: { ...once, key: 'K' } }),
      await accept(store, clock, [ALICE]),
    ]
    expect(new Set(mids).size).toBe(3)
  })

  test('forgets a key when its time is over', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { once })
    await clock.advance(once.ttlMs - 1)
    expect(await accept(store, clock, [ALICE], { once })).toBe(mid)
    await clock.advance(2)
    const written = await store.write([acceptOf(clock, [ALICE], { once: { ...once, print: 'q' } })], 'sync')
    expect(acceptedIn(written)[0]?.repeated).toBe(false)
    expect(midOf(written) > mid).toBe(true)
  })

  test('remembers no key of a write that was refused', async () => {
    const { store, clock } = bench
    const op = acceptOf(clock, [ALICE], { once })
    const refused = await store.write([op, { op: 'put', kind: 'setting', id: 'x', value: 1, rev: 7 }], 'sync')
    expect(refused.ok).toBe(false)
    expect(acceptedIn(await store.write([op], 'sync'))[0]?.repeated).toBe(false)
  })

  test('survives a restart', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const mid = await accept(bench.store, bench.clock, [ALICE], { once })
    await bench.reopen()
    expect(await accept(bench.store, bench.clock, [ALICE], { once })).toBe(mid)
    const other = acceptOf(bench.clock, [ALICE], { once: { ...once, print: 'q' } })
    expect(await bench.store.write([other], 'sync')).toMatchObject({ ok: false, why: 'once-differs' })
    await bench.clock.advance(once.ttlMs + 1)
    expect(await accept(bench.store, bench.clock, [ALICE], { once })).not.toBe(mid)
  })
}
