import { expect, test } from 'vitest'
import { ALICE, accept, acceptMany, raiseOf, writeLazy } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import type { Step } from './disk.ts'
import { until } from './rig.ts'

/** A disk of which twice the mark are enough. */
const TOTAL = 1_000_000
const ENOUGH = 125_000
const LARGE = 'x'.repeat(ENOUGH)
const FAR = 1_000_000_000
const bench = startBench()

test('the less space is left, the sooner comes a checkpoint: it needs about as much as the journal has', async () => {
  await bench.reopen({ checkpointBytes: FAR })
  const fillJournal = () => accept(bench.store, bench.clock, [ALICE], { text: 'x'.repeat(40_000) })
  bench.disk.space = { free: TOTAL, total: TOTAL }
  await bench.clock.advance(1_000)
  await fillJournal()
  const steps: string[] = []
  bench.disk.onStep = ({ name, path }) => void steps.push(`${name} ${path}`)
  await bench.clock.advance(2_000)
  expect(steps).toEqual([])
  bench.disk.space = { free: 4 * 40_000, total: TOTAL }
  await bench.clock.advance(2_000)
  await until(() => steps.includes('rename manifest.json'))
})

test('a checkpoint for which there is no space is not begun: it would take that from acks, for nothing', async () => {
  await acceptMany(bench.store, bench.clock, [ALICE], 9)
  const created: string[] = []
  const note = ({ name, path }: Step) => {
    if (name === 'create') created.push(path)
  }
  await accept(bench.store, bench.clock, [ALICE], { text: LARGE })
  bench.disk.onStep = note
  bench.disk.space = { free: ENOUGH, total: TOTAL }
  await bench.clock.advance(3_000)
  await expect(bench.store.prune({ count: 0 }, FAR)).resolves.toMatchObject({ dropped: 0 })
  await writeLazy(bench.store, [raiseOf('1', ALICE, 'delivered')])
  await until(() => bench.store.health().queued === 0)
  expect(created).toEqual([])
  bench.disk.space = { free: 2 * ENOUGH + 20_000, total: TOTAL }
  await bench.rig.checkpoint()
  expect(created).toContain('manifest.json.tmp')
})
