import { expect, test } from 'vitest'
import type { Op } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { ALICE, accept, ackOf, attemptOf, BOB, deliveryOf, write, writeLazy } from './words.ts'

export function testAttempts(bench: Bench): void {
  test('is inserted, then completed under the same number', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE, BOB])
    const put = (n: number, more = {}): Op => ({ op: 'attempt', mid, recipient: ALICE, attempt: attemptOf(n, more) })
    await write(store, [put(1)])
    expect(await store.attempts(mid, ALICE)).toEqual([attemptOf(1)])
    await write(store, [put(2, { endpoint: 'other', maybeDuplicate: true })])
    await write(store, [put(1, { endedAt: 4, outcome: 'retry', detail: '503' })])
    expect(await store.attempts(mid, ALICE)).toEqual([
      attemptOf(1, { endedAt: 4, outcome: 'retry', detail: '503' }),
      attemptOf(2, { endpoint: 'other', maybeDuplicate: true }),
    ])
    expect(await store.attempts(mid, BOB)).toEqual([])
  })

  test('is recorded whatever the state, and needs no fence', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE])
    await write(store, [ackOf(mid, ALICE)])
    await writeLazy(store, [{ op: 'attempt', mid, recipient: ALICE, attempt: attemptOf(1) }])
    expect(await store.attempts(mid, ALICE)).toHaveLength(1)
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ state: 'delivered' })
  })
}
