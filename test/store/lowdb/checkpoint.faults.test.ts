import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALICE, accept, acceptMany, ackOf, BOB, write } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { diskError } from './disk.ts'
import { fill, revive } from './filled.ts'
import { contentOf, until } from './rig.ts'

const FAR = 1_000_000_000
const bench = startBench()

/** Makes checkpoints find no space for files that begin so, from now on, and waits until that has happened. */
async function checkpointWithoutSpace(path: string): Promise<void> {
  let refused = false
  bench.disk.onStep = (step) => {
    if (step.name !== 'write' || !step.path.startsWith(path)) return
    refused = true
    throw diskError('ENOSPC')
  }
  await bench.clock.advance(1_000)
  await until(() => refused)
}

describe('a checkpoint that finds no space', () => {
  test.each(['journal-', 'messages/', 'documents/', 'manifest'])(
    'for %s harms nothing, and the next one goes through',
    async (path) => {
      await fill(bench.rig)
      const expected = await contentOf(bench.store)
      await checkpointWithoutSpace(path)
      bench.disk.onStep = () => {}
      const crashed = join(bench.folder, 'crashed')
      bench.disk.copyAfterPowerCut(crashed)
      for (const found of await revive(crashed, bench.clock)) expect(found).toMatchObject(expected)
      expect(await contentOf(bench.store)).toEqual(expected)
      await bench.rig.recovered()
      await acceptMany(bench.store, bench.clock, [ALICE], 5)
      await bench.rig.checkpoint()
      const now = await contentOf(bench.store)
      bench.disk.copyAfterPowerCut(crashed)
      for (const found of await revive(crashed, bench.clock)) expect(found).toMatchObject(now)
      expect(bench.rig.failures).toEqual([])
    },
  )

  test('for one segment, then a prune, then a crash: what the segment holds is there', async () => {
    const { store, clock } = bench
    const old = await acceptMany(store, clock, [ALICE], 5)
    await write(
      store,
      old.slice(0, 4).map((mid) => ackOf(mid, ALICE)),
    )
    await bench.rig.checkpoint()
    await acceptMany(store, clock, [BOB], 12)
    await checkpointWithoutSpace('messages/segment-00000003')
    await store.prune({ count: 13 }, FAR)
    expect((await bench.afterCrash('copyAfterPowerCut')).deliveries).toEqual((await contentOf(store)).deliveries)
  })

  test('leaves journals needed that bring back nothing of what is dropped then', async () => {
    const { store, clock } = bench
    const mids = await acceptMany(store, clock, [ALICE], 9)
    await write(store, [...mids.map((mid) => ackOf(mid, ALICE)), { op: 'put', kind: 'setting', id: 'a', value: 1 }])
    await checkpointWithoutSpace('documents/')
    expect(await store.prune({ count: 1 }, FAR)).toEqual({ dropped: 8, more: false })
    const { deliveries } = await bench.afterCrash('copyAfterPowerCut')
    expect(deliveries.map(({ mid }) => mid)).toEqual(mids.slice(8))
  })
})

test('a folder that is gone is an error that is told, not a crash', async () => {
  const { store, clock } = bench
  await accept(store, clock, [ALICE])
  await rm(bench.dir, { recursive: true })
  await clock.advance(1_000)
  await accept(store, clock, [ALICE])
  expect(bench.rig.failures).toEqual([])
  await store.close()
})
