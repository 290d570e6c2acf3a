/** What the store on a disk tells of the disk. */
import { cp } from 'node:fs/promises'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { DiskFigures, Store } from '../../../server/store/store.ts'
import { accept, ackOf, ALICE, write } from '../../contract/store/words.ts'
import { openRig, quickFolder, type Rig } from './rig.ts'

let folder: Awaited<ReturnType<typeof quickFolder>>
let rig: Rig
beforeEach(async () => {
  folder = await quickFolder()
  rig = await openRig(folder.dir)
})
afterEach(async () => {
  await rig.store.close().catch(() => {})
  await folder.remove()
})

async function disk(store: Store): Promise<DiskFigures> {
  const figures = await store.figures()
  if (!figures.disk) throw new Error('the store is not open')
  return figures.disk
}

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)

test('each flush of the journal is timed, and what shared it is counted', async () => {
  const { store, clock } = rig
  const before = await disk(store)
  const [flushes, batches, lines] = [sum(before.flushes.counts), sum(before.batches.counts), before.batches.sum]
  await Promise.all(Array.from({ length: 5 }, () => accept(store, clock, [ALICE])))
  await accept(store, clock, [ALICE])

  const after = await disk(store)
  expect(after.batches.sum - lines).toBe(6)
  expect(sum(after.batches.counts) - batches).toBe(2)
  expect(sum(after.flushes.counts) - flushes).toBeGreaterThanOrEqual(2)
  expect(after.flushes.sum).toBeGreaterThan(0)
})

test('the journal grows, and begins anew with a checkpoint; what is kept is kept', async () => {
  const { store, clock } = rig
  const empty = await disk(store)
  expect(empty.kept).toEqual({ count: 0, bytes: 0 })
  for (let n = 0; n < 6; n += 1) await accept(store, clock, [ALICE])
  const full = await disk(store)
  expect(full.journal).toBeGreaterThan(empty.journal + 6 * 100)
  expect(full.kept).toEqual({ count: 6, bytes: expect.any(Number) })
  await rig.checkpoint()
  expect((await disk(store)).journal).toBeLessThan(full.journal)
  expect((await disk(store)).kept).toEqual(full.kept)
  await write(store, [])
})

test('the disk has a size, and some of it is free', async () => {
  const { space } = await disk(rig.store)
  expect(space?.size).toBeGreaterThan(1_000_000)
  expect(space?.free).toBeGreaterThan(0)
  expect(space?.free).toBeLessThanOrEqual(space?.size ?? 0)
})

test('a store that is closed tells of no disk, and why it takes nothing', async () => {
  await rig.store.close()
  expect((await rig.store.figures()).disk).toBeNull()
  expect(rig.store.health()).toMatchObject({ writable: false, fault: 'store-closed' })
})

test('what a crash left in the journal happened in an earlier life, and is not counted again', async () => {
  const { store, clock } = rig
  const mid = await accept(store, clock, [ALICE])
  await write(store, [ackOf(mid, ALICE)])
  await accept(store, clock, [ALICE])
  // as the folder is at this moment, without the words of a store that closes
  const copy = await quickFolder()
  onTestFinished(() => copy.remove())
  await cp(folder.dir, copy.dir, { recursive: true })
  const next = await openRig(copy.dir)
  const { reached, open } = await next.store.figures()
  await next.store.close()
  expect(reached).toEqual([])
  expect(open.count).toBe(1)
})
