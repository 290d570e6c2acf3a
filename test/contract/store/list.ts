import { expect, test } from 'vitest'
import type { State } from '../../../server/protocol/states.ts'
import type { Delivery } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import {
  ALICE,
  accept,
  acceptMany,
  allPages,
  before,
  BOB,
  CAROL,
  deliveryOf,
  LAST_MID,
  raiseOf,
  write,
  writeLazy,
} from './words.ts'

interface Filter {
  readonly states?: readonly State[]
  readonly recipient?: string
  readonly text?: string
}

/** A line of a list, short enough to compare. */
const lineOf = ({ mid, recipient }: Pick<Delivery, 'mid' | 'recipient'>) => `${mid} ${recipient}`

export function testList(bench: Bench): void {
  const listAll = (filter: Filter, limit = 100) =>
    allPages(async (cursor) => {
      const page = await bench.store.list(filter, { ...before(cursor), limit })
      expect(page.items.length).toBeLessThanOrEqual(limit)
      return page
    })

  test('has the whole hub, newest first', async () => {
    const { store, clock } = bench
    const first = await accept(store, clock, [ALICE])
    const second = await accept(store, clock, [BOB])
    const third = await accept(store, clock, [ALICE])
    const items = await listAll({})
    expect(items.map(lineOf)).toEqual([`${third} ${ALICE}`, `${second} ${BOB}`, `${first} ${ALICE}`])
    expect(items[2]).toEqual(await deliveryOf(store, first, ALICE))
  })

  test('is empty in a new store', async () => {
    expect(await listAll({})).toEqual([])
    expect(await listAll({ recipient: ALICE, text: 'x', states: ['failed'] })).toEqual([])
  })

  test('starts before a mid', async () => {
    const { store, clock } = bench
    const mids = await acceptMany(store, clock, [ALICE], 5)
    const page = await store.list({}, { before: mids[3] ?? '', limit: 2 })
    expect(page.items.map(({ mid }) => mid)).toEqual([mids[2], mids[1]])
    expect((await store.list({}, { before: mids[0] ?? '', limit: 2 })).items).toEqual([])
    expect((await store.list({}, { before: LAST_MID, limit: 9 })).items).toHaveLength(5)
  })

  test('filters by state, recipient and text, alone and together', async () => {
    const { store, clock } = bench
    const fire = await accept(store, clock, [ALICE, BOB], { text: 'the barn is on fire' })
    const water = await accept(store, clock, [ALICE, CAROL], { text: 'water comes' })
    const quiet = await accept(store, clock, [CAROL], { text: 'the fire is out' })
    await write(store, [
      raiseOf(fire, ALICE, 'failed', { reason: 'exhausted', open: false }),
      raiseOf(water, CAROL, 'failed', { reason: 'exhausted', open: false }),
      raiseOf(quiet, CAROL, 'delivered', { open: false }),
    ])
    const lines = async (filter: Filter) => (await listAll(filter)).map(lineOf).toSorted()
    expect(await lines({ states: ['failed'] })).toEqual([`${fire} ${ALICE}`, `${water} ${CAROL}`])
    expect(await lines({ states: ['failed', 'delivered'], recipient: CAROL })).toEqual([
      `${water} ${CAROL}`,
      `${quiet} ${CAROL}`,
    ])
    expect(await lines({ recipient: ALICE })).toEqual([`${fire} ${ALICE}`, `${water} ${ALICE}`])
    expect(await lines({ text: 'fire' })).toEqual([`${fire} ${ALICE}`, `${fire} ${BOB}`, `${quiet} ${CAROL}`])
    expect(await lines({ text: 'fire', recipient: CAROL, states: ['delivered'] })).toEqual([`${quiet} ${CAROL}`])
    expect(await lines({ text: 'flood' })).toEqual([])
    expect(await lines({ recipient: 'nobody@user' })).toEqual([])
    expect(await lines({ states: [] })).toEqual([])
  })

  test('pages to the end through groups larger than a page, each delivery once', async () => {
    const { store, clock } = bench
    const group = Array.from({ length: 17 }, (_, n) => `member ${n}@user`)
    for (let n = 0; n < 6; n += 1) {
      await accept(store, clock, n % 2 === 0 ? group : [ALICE, BOB], { text: n === 2 ? 'rare' : 'common' })
    }
    const everything = await listAll({}, 1_000)
    expect(everything).toHaveLength(3 * 17 + 3 * 2)
    expect(everything.map(({ mid }) => mid)).toEqual(
      everything
        .map(({ mid }) => mid)
        .toSorted()
        .toReversed(),
    )
    for (const limit of [1, 2, 7, 17, 19]) {
      expect((await listAll({}, limit)).map(lineOf).toSorted()).toEqual(everything.map(lineOf).toSorted())
      expect(await listAll({ text: 'rare' }, limit)).toHaveLength(17)
      expect(await listAll({ recipient: 'member 16@user' }, limit)).toHaveLength(3)
      expect(await listAll({ recipient: BOB }, limit)).toHaveLength(3)
    }
  })

  test('finds one among thousands, though a page may be short', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE], { text: 'needle' })
    for (let n = 0; n < 90; n += 1) {
      await store.write(
        Array.from({ length: 50 }, () => ({
          op: 'accept' as const,
          message: { ...straw, at: clock.now() },
          recipients: [BOB],
          planned: [],
        })),
        'sync',
      )
    }
    expect((await listAll({ text: 'needle' }, 5)).map(lineOf)).toEqual([`${mid} ${ALICE}`])
    expect((await listAll({ recipient: ALICE }, 5)).map(lineOf)).toEqual([`${mid} ${ALICE}`])
  })

  test('is the same after a restart', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const mids = await acceptMany(bench.store, bench.clock, [ALICE, BOB], 5)
    await writeLazy(bench.store, [raiseOf(mids[2] ?? '', BOB, 'failed', { reason: 'exhausted' })])
    const earlier = await listAll({}, 3)
    const failed = await listAll({ states: ['failed'] })
    await bench.reopen()
    expect(await listAll({}, 3)).toEqual(earlier)
    expect(await listAll({ states: ['failed'] })).toEqual(failed)
    expect(failed).toHaveLength(1)
  })
}

const straw = {
  from: { method: 'http' as const, name: '' },
  to: [BOB],
  body: { text: 'straw', desp: '', extra: {} },
  blobs: [],
  strategy: null,
  expiresAt: null,
}
