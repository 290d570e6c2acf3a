import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALICE, accept, acceptMany, ackOf, BOB, CAROL, deliveryOf, raiseOf, write } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { contentOf } from './rig.ts'

const FAR = 1_000_000_000
const bench = startBench()

const files = () => readdirSync(join(bench.dir, 'messages')).toSorted()
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

/** Files that were read while this ran. */
async function readsDuring(what: () => Promise<unknown>): Promise<string[]> {
  const reads: string[] = []
  bench.disk.onRead = (path) => void reads.push(basename(path))
  await what()
  bench.disk.onRead = () => {}
  return reads
}

describe('reading', () => {
  test('reads an old segment once, for all that want it at the same time and after', async () => {
    const mids = await archive()
    const reads = await readsDuring(async () => {
      await Promise.all(mids.map((mid) => bench.store.message(mid)))
      await Promise.all(mids.map((mid) => bench.store.delivery(mid, ALICE)))
    })
    expect(reads).toEqual(['segment-00000001.json', 'segment-00000002.json'])
  })

  test('keeps the eight that were used last', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 40)
    await write(
      bench.store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    await accept(bench.store, bench.clock, [CAROL])
    await bench.rig.checkpoint()
    const reads = await readsDuring(async () => {
      for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 0, 8, 0, 1]) await bench.store.message(mids[n * 4] ?? '')
    })
    expect(reads.map((name) => Number(name.slice(8, 16)) - 1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 1])
  })

  test('an inbox reads only the segments that have something for it', async () => {
    await archive()
    const [mid] = await acceptMany(bench.store, bench.clock, [CAROL], 1)
    await bench.reopen()
    const reads = await readsDuring(() => bench.store.inbox(CAROL, { limit: 10 }))
    expect(reads.filter((name) => !name.includes('recipients'))).toEqual([])
    expect((await bench.store.inbox(CAROL, { limit: 10 })).items.at(-1)?.mid).toBe(mid)
  })

  test('of a file that is replaced meanwhile gives what is true', async () => {
    const [mid = ''] = await archive()
    const confirmed: Promise<void>[] = []
    const confirm = async () => {
      await write(bench.store, [raiseOf(mid, ALICE, 'confirmed', { open: false })])
      await bench.rig.checkpoint()
    }
    bench.disk.onRead = (path) => {
      if (path.endsWith('segment-00000001.json') && confirmed.length === 0) confirmed.push(confirm())
    }
    const read = bench.store.delivery(mid, BOB)
    expect((await read)?.state).toBe('delivered')
    await Promise.all(confirmed)
    expect(confirmed).toHaveLength(1)
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('confirmed')
    await bench.reopen()
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('confirmed')
  })

  test('of a segment that is dropped meanwhile gives nothing, and no error', async () => {
    const [mid = ''] = await archive()
    const pruned: unknown[] = []
    bench.disk.pause = async () => {
      bench.disk.pause = async () => {}
      pruned.push(await bench.store.prune({ count: 1 }, FAR))
    }
    expect(await bench.store.message(mid)).toBeNull()
    expect(pruned).toEqual([{ dropped: 8, more: false }])
    expect((await bench.store.inbox(ALICE, { limit: 10 })).items).toEqual([])
  })
})

describe('memory', () => {
  /** Whether a read of the message needs its file. */
  const isInMemory = async (mid: string) => (await readsDuring(() => bench.store.message(mid))).length === 0

  test('a start reads the newest segment and those with something live, and nothing else of history', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 42)
    await write(
      bench.store,
      mids.filter((_, n) => n !== 17).map((mid) => ackOf(mid, ALICE)),
    )
    await bench.store.close()
    const reads = await readsDuring(() => bench.open())
    expect(reads.filter((name) => name.startsWith('segment-'))).toEqual([
      'segment-00000005.json',
      'segment-00000011.json',
    ])
    expect(await bench.store.nextDue()).toBeNull()
    expect((await bench.store.inbox(ALICE, { limit: 50, open: true })).items).toMatchObject([{ mid: mids[17] }])
  })

  test('lets go of a segment that was written while it was the newest, and sealed without a change', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 4)
    await write(
      bench.store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    await bench.rig.checkpoint()
    await accept(bench.store, bench.clock, [BOB])
    await bench.rig.checkpoint()
    expect(existsSync(counts(1))).toBe(true)
    expect(await isInMemory(mids[0] ?? '')).toBe(false)
    await bench.reopen()
    expect(await bench.store.inbox(ALICE, { limit: 10 })).toMatchObject({
      total: 4,
      items: mids.map((mid) => ({ mid })),
    })
  })

  test('does not keep a message that was asked to change and did not', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 40)
    await write(
      bench.store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    await accept(bench.store, bench.clock, [CAROL])
    await bench.rig.checkpoint()
    await write(bench.store, [ackOf(mids[0] ?? '', ALICE)])
    await bench.store.write([raiseOf(mids[1] ?? '', ALICE, 'delivered')], 'lazy')
    // eight others, so that the file is not at hand any more
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) await bench.store.message(mids[n * 4] ?? '')
    expect(await isInMemory(mids[0] ?? '')).toBe(false)
  })

  test('keeps what is live of an old segment, whatever becomes of its neighbours', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 4)
    await write(
      bench.store,
      mids.slice(0, 3).map((mid) => ackOf(mid, ALICE)),
    )
    await accept(bench.store, bench.clock, [BOB])
    await bench.rig.checkpoint()
    await bench.reopen()
    expect(await isInMemory(mids[3] ?? '')).toBe(true)
    await write(bench.store, [raiseOf(mids[0] ?? '', ALICE, 'confirmed', { open: false }), ackOf(mids[3] ?? '', ALICE)])
    const content = await contentOf(bench.store)
    await bench.rig.checkpoint()
    expect(await contentOf(bench.store)).toEqual(content)
    await bench.reopen()
    expect(await contentOf(bench.store)).toEqual(content)
  })
})

describe('pruning', () => {
  test('drops what has only just been settled, in one go', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 8)
    await write(
      bench.store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    const newest = await accept(bench.store, bench.clock, [BOB])
    expect(await bench.store.prune({ count: 1 }, FAR)).toEqual({ dropped: 8, more: false })
    expect(files()).toEqual(['segment-00000003.json'])
    expect((await contentOf(bench.store)).deliveries.map(({ mid }) => mid)).toEqual([newest])
  })

  test('keeps a segment in which one message is open, until it is settled', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 4)
    await write(
      bench.store,
      mids.slice(1).map((mid) => ackOf(mid, ALICE)),
    )
    await accept(bench.store, bench.clock, [BOB])
    await bench.rig.checkpoint()
    expect((await bench.store.prune({ count: 0 }, FAR)).dropped).toBe(0)
    await write(bench.store, [ackOf(mids[0] ?? '', ALICE)])
    await bench.rig.checkpoint()
    expect((await bench.store.prune({ count: 0 }, FAR)).dropped).toBe(4)
  })

  test('everything, and on: numbers of files are not given out twice while both may be there', async () => {
    await write(
      bench.store,
      (await acceptMany(bench.store, bench.clock, [ALICE], 6)).map((mid) => ackOf(mid, ALICE)),
    )
    expect((await bench.store.prune({ count: 0 }, FAR)).dropped).toBe(6)
    expect(files()).toEqual([])
    const mid = await accept(bench.store, bench.clock, [BOB])
    await bench.rig.checkpoint()
    expect(files()).toEqual(['segment-00000003.json'])
    await bench.reopen()
    expect((await contentOf(bench.store)).deliveries).toMatchObject([{ mid, recipient: BOB }])
  })

  test('of a message that is being confirmed leaves nothing of it', async () => {
    const [mid = ''] = await archive()
    const pruned = bench.store.prune({ count: 1 }, FAR)
    const confirmed = bench.store.write([raiseOf(mid, ALICE, 'confirmed', { open: false })], 'sync')
    expect(await confirmed).toMatchObject({ ok: true })
    await pruned
    await bench.rig.checkpoint()
    const content = await contentOf(bench.store)
    await bench.reopen()
    expect(await contentOf(bench.store)).toEqual(content)
  })
})

test('a store that was made with smaller segments goes on with larger ones', async () => {
  const mids = await acceptMany(bench.store, bench.clock, [ALICE], 9)
  await write(
    bench.store,
    mids.map((mid) => ackOf(mid, ALICE)),
  )
  await bench.reopen({ segmentMessages: 100 })
  expect((await bench.store.prune({ count: 0 }, FAR)).dropped).toBe(9)
  await bench.reopen({ segmentMessages: 4 })
  const more = await acceptMany(bench.store, bench.clock, [ALICE], 9)
  await write(
    bench.store,
    more.slice(0, 8).map((mid) => ackOf(mid, ALICE)),
  )
  await bench.reopen({ segmentMessages: 100 })
  more.push(...(await acceptMany(bench.store, bench.clock, [ALICE], 9)))
  await bench.reopen()
  expect((await contentOf(bench.store)).deliveries.map(({ mid }) => mid).toReversed()).toEqual(more)
})
