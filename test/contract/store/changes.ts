import { describe, expect, test } from 'vitest'
import type { Kind, Op, Store } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import {
  ALICE,
  accept,
  acceptOf,
  ackOf,
  attemptOf,
  BOB,
  claimOne,
  raiseOf,
  stepOf,
  turn,
  write,
  writeLazy,
} from './words.ts'

interface Change {
  readonly kind: Kind | 'inbox' | 'delivery'
  readonly id: string
}

/** A wake-up may be lost, but hardly each of so many. */
const TRIES = 40
const TURNS = 10

/** Writes until the wake-up is heard; false if it never is. */
async function hears(store: Store, wanted: Change, change: () => Promise<void>): Promise<boolean> {
  let heard = false
  const stop = store.onChange(({ kind, id }) => {
    if (kind === wanted.kind && id === wanted.id) heard = true
  })
  try {
    for (let tries = 0; tries < TRIES && !heard; tries += 1) {
      await change()
      for (let turns = 0; turns < TURNS && !heard; turns += 1) await turn()
    }
  } finally {
    stop()
  }
  return heard
}

export function testChanges(bench: Bench): void {
  const put: Op = { op: 'put', kind: 'setting', id: 'x', value: 1 }

  test.each([ALICE, BOB])('an accept wakes the inbox of %s', async (recipient) => {
    const { store, clock } = bench
    expect(
      await hears(store, { kind: 'inbox', id: recipient }, async () => {
        await accept(store, clock, [ALICE, BOB])
      }),
    ).toBe(true)
  })

  test('a close wakes the inbox', async () => {
    const { store, clock } = bench
    const mids: string[] = []
    for (let n = 0; n < TRIES; n += 1) mids.push(await accept(store, clock, [ALICE]))
    expect(
      await hears(store, { kind: 'inbox', id: ALICE }, () => writeLazy(store, [ackOf(mids.pop() ?? '', ALICE)])),
    ).toBe(true)
  })

  describe('a delivery is woken under its mid', () => {
    test('by a raise', async () => {
      const { store, clock } = bench
      const mid = await accept(store, clock, [ALICE, BOB])
      const states = ['sent', 'accepted', 'delivered', 'confirmed'] as const
      const recipients = [ALICE, BOB]
      const raises = states.flatMap((state) => recipients.map((recipient) => raiseOf(mid, recipient, state)))
      expect(
        await hears(store, { kind: 'delivery', id: mid }, async () => {
          const raise = raises.shift()
          if (raise) await writeLazy(store, [raise])
        }),
      ).toBe(true)
    })

    test('by an attempt', async () => {
      const { store, clock } = bench
      const mid = await accept(store, clock, [ALICE])
      let n = 0
      expect(
        await hears(store, { kind: 'delivery', id: mid }, () => {
          n += 1
          return write(store, [{ op: 'attempt', mid, recipient: ALICE, attempt: attemptOf(n) }])
        }),
      ).toBe(true)
    })

    test('by a step', async () => {
      const { store, clock } = bench
      const mid = await accept(store, clock, [ALICE], { planned: [ALICE] })
      expect(
        await hears(store, { kind: 'delivery', id: mid }, async () => {
          const work = await claimOne(store, clock.now())
          await write(store, [stepOf(work, work.delivery.step + 1, clock.now())])
        }),
      ).toBe(true)
    })
  })

  test('a put and a delete wake the document', async () => {
    const { store } = bench
    expect(await hears(store, { kind: 'setting', id: 'x' }, () => write(store, [put]))).toBe(true)
    expect(
      await hears(store, { kind: 'setting', id: 'x' }, async () => {
        await write(store, [put])
      }),
    ).toBe(true)
    let there = false
    expect(
      await hears(store, { kind: 'token', id: 't' }, async () => {
        const op: Op = there
          ? { op: 'delete', kind: 'token', id: 't' }
          : { op: 'put', kind: 'token', id: 't', value: 1 }
        there = !there
        await write(store, [op])
      }),
    ).toBe(true)
  })

  test('what woke is readable by then', async () => {
    const { store, clock } = bench
    const early: string[] = []
    const reads: Promise<void>[] = []
    const stop = store.onChange(({ kind, id }) => {
      if (kind !== 'inbox') return
      reads.push(
        store.inbox(id, { limit: 1 }).then(({ total }) => {
          if (total === 0) early.push(id)
        }),
      )
    })
    for (let n = 0; n < TRIES; n += 1) await accept(store, clock, [`woken ${n}@user`])
    await turn()
    stop()
    await Promise.all(reads)
    expect(reads.length).toBeGreaterThan(0)
    expect(early).toEqual([])
  })

  test('a refused write wakes nobody', async () => {
    const { store, clock } = bench
    const heard: Change[] = []
    const stop = store.onChange((change) => heard.push(change))
    for (let n = 0; n < TRIES; n += 1) {
      const refused = await store.write([put, acceptOf(clock, [ALICE]), { ...put, rev: 99 }], 'sync')
      expect(refused.ok).toBe(false)
    }
    for (let turns = 0; turns < TURNS; turns += 1) await turn()
    stop()
    expect(heard).toEqual([])
  })

  test('who stopped listening hears nothing more, and others do', async () => {
    const { store } = bench
    let stopped = 0
    const stop = store.onChange(() => (stopped += 1))
    expect(await hears(store, { kind: 'setting', id: 'x' }, () => write(store, [put]))).toBe(true)
    for (let turns = 0; turns < TURNS; turns += 1) await turn()
    stop()
    stop()
    stopped = 0
    expect(await hears(store, { kind: 'setting', id: 'x' }, () => write(store, [put]))).toBe(true)
    expect(stopped).toBe(0)
  })
}
