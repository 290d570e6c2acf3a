import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StoreCorrupt } from '../../../server/store/store.ts'
import { ALICE, accept, acceptMany, ackOf, BOB, CAROL, raiseOf, write } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { contentOf, flipBit, refusal } from './rig.ts'

const bench = startBench()

const segment = (n: number) => join(bench.dir, 'messages', `segment-${String(n).padStart(8, '0')}.json`)
const counts = (n: number) => segment(n).replace('.json', '.recipients.json')

/** Two segments of four settled messages each, in files alone, and one that is open. */
async function archive(): Promise<string[]> {
  const mids = await acceptMany(bench.store, bench.clock, [ALICE, BOB], 8)
  await write(
    bench.store,
    mids.flatMap((mid) => [ackOf(mid, ALICE), ackOf(mid, BOB)]),
  )
  await accept(bench.store, bench.clock, [CAROL])
  await bench.rig.checkpoint()
  return mids
}

describe('a damaged file', () => {
  test('of history costs who asks for it, and no one else; what the message says works', async () => {
    const mids = await archive()
    await bench.reopen()
    await flipBit(segment(1), 200)
    await expect(bench.store.message(mids[0] ?? '')).rejects.toThrow(`${segment(1)} is damaged`)
    await expect(bench.store.write([raiseOf(mids[0] ?? '', ALICE, 'confirmed')], 'sync')).rejects.toBeInstanceOf(
      StoreCorrupt,
    )
    const of = [
      [mids[0] ?? '', [ALICE]],
      [mids[4] ?? '', [ALICE]],
    ] as const
    await expect(
      bench.store.write([{ op: 'raise', state: 'confirmed', via: null, at: 1, open: false, of }], 'lazy'),
    ).rejects.toBeInstanceOf(StoreCorrupt)
    expect(await bench.store.message(mids[4] ?? '')).not.toBeNull()
    expect(bench.rig.failures).toEqual([])
    await accept(bench.store, bench.clock, [ALICE])
    await bench.reopen()
    renameSync(segment(1), `${segment(1)}.lost`)
    expect(await bench.store.message(mids[0] ?? '')).toBeNull()
    expect((await bench.store.inbox(ALICE, { limit: 20 })).items.map(({ mid }) => mid)).toEqual(
      expect.arrayContaining(mids.slice(4)),
    )
    await bench.rig.checkpoint()
  })

  test('with something live in it, or the newest, stops the start; what the message says works', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 6)
    await bench.store.close()
    for (const [n, left] of [
      [1, mids.slice(4)],
      [2, []],
    ] as const) {
      await flipBit(segment(n), 100)
      const { message } = await refusal(bench.dir, bench.clock)
      expect(message).toContain(`${segment(n)} is damaged`)
      expect(message).toContain(`rename it to ${segment(n)}.lost`)
      renameSync(segment(n), `${segment(n)}.lost`)
      await bench.open()
      expect((await contentOf(bench.store)).deliveries.map(({ mid }) => mid).toReversed()).toEqual(left)
      await bench.store.close()
    }
    await bench.open()
    const more = await acceptMany(bench.store, bench.clock, [ALICE], 9)
    await bench.reopen()
    expect((await contentOf(bench.store)).deliveries.map(({ mid }) => mid).toReversed()).toEqual(more)
    expect(existsSync(`${segment(2)}.lost`)).toBe(true)
  })

  test('that is missing is told; what the message says works', async () => {
    await acceptMany(bench.store, bench.clock, [ALICE], 6)
    await bench.store.close()
    renameSync(segment(1), join(bench.folder, 'backup'))
    const { message } = await refusal(bench.dir, bench.clock)
    expect(message).toContain(`${segment(1)} is missing`)
    expect(message).toContain(`rename it to ${segment(1)}.lost (create that file`)
    renameSync(join(bench.folder, 'backup'), segment(1))
    await bench.open()
    expect((await contentOf(bench.store)).deliveries).toHaveLength(6)
  })

  test('of counts is counted again', async () => {
    const mids = await archive()
    await bench.store.close()
    await flipBit(counts(1), 40)
    rmSync(counts(2))
    await bench.open()
    expect(await bench.store.inbox(ALICE, { limit: 20 })).toMatchObject({
      total: 8,
      items: mids.map((mid) => ({ mid })),
    })
  })
})
