import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFinal, mayFollow, type State } from '../../../server/protocol/states.ts'
import type { Delivery, Raise } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import {
  ALICE,
  accept,
  acceptMany,
  acceptOf,
  ackOf,
  BOB,
  CAROL,
  deliveryOf,
  midOf,
  NO_MID,
  openMids,
  raiseOf,
  write,
  writeLazy,
} from './words.ts'

const states: readonly State[] = [
  'queued',
  'sent',
  'accepted',
  'delivered',
  'confirmed',
  'failed',
  'expired',
  'removed',
]
const vias = ['websocket', 'webpush', null] as const

/** What a raise asks for one delivery. */
export interface Asked {
  readonly state: State
  readonly via: string | null
  readonly at: number
  readonly by?: string
  readonly reason?: string
  readonly open: boolean
}

/** Any event, with and without what may be left out. */
export const asked: fc.Arbitrary<Asked> = fc
  .record(
    {
      state: fc.constantFrom(...states),
      via: fc.constantFrom(...vias),
      at: fc.integer({ min: 1, max: 1_000 }),
      open: fc.boolean(),
      by: fc.constantFrom('phone', 'desk'),
      reason: fc.constantFrom('full', 'exhausted'),
    },
    { requiredKeys: ['state', 'via', 'at', 'open'] },
  )
  .map((event) => event as Asked)

export function testRaises(bench: Bench): void {
  test('records the state with who, where, when and why', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { expiresAt: 9 })
    await write(store, [raiseOf(mid, ALICE, 'failed', { via: 'webhook', at: 77, by: 'desk', reason: 'exhausted' })])
    expect(await store.delivery(mid, ALICE)).toEqual({
      mid,
      recipient: ALICE,
      state: 'failed',
      via: 'webhook',
      at: 77,
      by: 'desk',
      reason: 'exhausted',
      open: true,
      step: 0,
      dueAt: 9,
      holds: false,
    })
  })

  test('applies only where the states say it raises, for each state after each other', async () => {
    const { store, clock } = bench
    const firsts = states.flatMap((state) => vias.map((via) => ({ state, via })))
    for (const first of firsts) {
      for (const next of firsts) {
        const mid = await accept(store, clock, [ALICE])
        await writeLazy(store, [raiseOf(mid, ALICE, first.state, { via: first.via })])
        const before = await deliveryOf(store, mid, ALICE)
        await writeLazy(store, [raiseOf(mid, ALICE, next.state, { via: next.via, at: 5 })])
        const now = await deliveryOf(store, mid, ALICE)
        const expected = mayFollow(before, next) ? { ...before, ...next, at: 5 } : before
        expect(now, `${first.state} ${first.via} then ${next.state} ${next.via}`).toEqual(expected)
      }
    }
  })

  test('a closed one never opens again, and open: false closes whatever the state', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE])
    await write(store, [raiseOf(mid, ALICE, 'delivered')])
    await write(store, [raiseOf(mid, ALICE, 'sent', { open: false, at: 9, reason: 'late' })])
    const closed = await deliveryOf(store, mid, ALICE)
    expect(closed).toMatchObject({ state: 'delivered', open: false, reason: null, at: 1 })
    await write(store, [raiseOf(mid, ALICE, 'confirmed', { open: true })])
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ state: 'confirmed', open: false })
    expect(await openMids(store, ALICE)).toEqual([])
  })

  test('is harmless for a mid that is unknown and a recipient who is not in it', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE])
    const before = await deliveryOf(store, mid, ALICE)
    await write(store, [ackOf(NO_MID, ALICE), ackOf(mid, BOB), ackOf('', ALICE), ackOf('9'.repeat(13), ALICE)])
    expect(await deliveryOf(store, mid, ALICE)).toEqual(before)
    expect(await store.delivery(mid, BOB)).toBeNull()
    expect(await store.message(NO_MID)).toBeNull()
    expect((await store.inbox(BOB, { limit: 10 })).total).toBe(0)
    expect((await store.list({}, { limit: 10 })).items).toEqual([before])
  })

  test('raises many deliveries of many messages at once', async () => {
    const { store, clock } = bench
    const [first = '', second = '', third = ''] = await acceptMany(store, clock, [ALICE, BOB, CAROL], 3)
    const raise: Raise = {
      op: 'raise',
      state: 'delivered',
      via: 'websocket',
      at: 3,
      open: false,
      of: [
        [first, [ALICE, CAROL]],
        [second, [BOB, 'nobody@user']],
        [NO_MID, [ALICE]],
      ],
    }
    await write(store, [raise])
    expect(await openMids(store, ALICE)).toEqual([second, third])
    expect(await openMids(store, BOB)).toEqual([first, third])
    expect(await openMids(store, CAROL)).toEqual([second, third])
  })

  test('takes a group as a shared frozen array', async () => {
    const { store, clock } = bench
    const group = Object.freeze([ALICE, BOB, CAROL])
    const op = Object.freeze(acceptOf(clock, group, { planned: group }))
    const mids = [midOf(await store.write([op], 'sync')), midOf(await store.write([op], 'sync'))] as const
    const of = Object.freeze(mids.map((mid) => Object.freeze([mid, group] as const)))
    await write(store, [Object.freeze({ op: 'raise', state: 'sent', via: 'websocket', at: 2, open: true, of })])
    await write(store, [{ ...ackOf(mids[0], BOB) }])
    for (const mid of mids) {
      expect((await store.deliveries(mid)).items.map(({ recipient }) => recipient)).toEqual(group)
    }
    expect(await openMids(store, BOB)).toEqual([mids[1]])
    expect(await deliveryOf(store, mids[1], CAROL)).toMatchObject({ state: 'sent', open: true })
  })

  describe('whatever the order of events', () => {
    test('the store ends where the states say, event by event', async () => {
      const { store, clock } = bench
      await fc.assert(
        fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 12 }), fc.boolean(), async (events, inOneWrite) => {
          const mid = await accept(store, clock, [ALICE])
          let expected: Delivery = await deliveryOf(store, mid, ALICE)
          for (const event of events) expected = raised(expected, event)
          const ops = events.map((event) => ({ op: 'raise' as const, ...event, of: [[mid, [ALICE]] as const] }))
          if (inOneWrite) await writeLazy(store, ops)
          else for (const op of ops) await writeLazy(store, [op])
          expect(await deliveryOf(store, mid, ALICE)).toEqual(expected)
        }),
        { numRuns: 60, seed: 11 },
      )
    })

    test('two orders of the same events give one state, open or closed alike', async () => {
      const { store, clock } = bench
      const twoOrders = fc
        .array(asked, { minLength: 2, maxLength: 8 })
        .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })))
      await fc.assert(
        fc.asyncProperty(twoOrders, async (orders) => {
          const ends: { state: State; open: boolean }[] = []
          for (const events of orders) {
            const mid = await accept(store, clock, [ALICE])
            // events of one turn come at once
            await Promise.all(
              events.map((event) => writeLazy(store, [{ op: 'raise', ...event, of: [[mid, [ALICE]]] }])),
            )
            const { state, open } = await deliveryOf(store, mid, ALICE)
            ends.push({ state, open })
          }
          expect(ends[0]).toEqual(ends[1])
        }),
        { numRuns: 60, seed: 12 },
      )
    })
  })
}

/** A delivery after an event, as the contract says it. */
export function raised(delivery: Delivery, { state, via, at, by, reason, open }: Asked): Delivery {
  const stays = delivery.open && open
  if (!mayFollow(delivery, { state, via })) return { ...delivery, open: stays }
  const holds = delivery.holds && !isFinal(state)
  return { ...delivery, state, via, at, by: by ?? null, reason: reason ?? null, open: stays, holds }
}
