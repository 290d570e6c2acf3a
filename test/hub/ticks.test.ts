import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Ticks } from '../../server/hub/ticks.ts'
import { testClock } from '../helpers/clock.ts'

function ticking(tick: (item: number) => boolean) {
  const clock = testClock()
  const ticked: number[] = []
  const failures: unknown[] = []
  const ticks = new Ticks<number>({
    clock,
    everyMs: 100,
    tick(item) {
      ticked.push(item)
      return tick(item)
    },
    failed: (error) => failures.push(error),
  })
  return { clock, ticks, ticked, failures }
}

test('each is looked after until it wants no more, and then nothing ticks', async () => {
  const { clock, ticks, ticked } = ticking((item) => item > 1)
  ticks.add(1)
  ticks.add(2)
  await clock.advance(100)
  await clock.advance(100)
  expect(ticked).toEqual([1, 2, 2])
  ticks.delete(2)
  await clock.advance(1_000)
  expect(ticked).toEqual([1, 2, 2])
  ticks.add(1)
  await clock.advance(100)
  expect(ticked).toEqual([1, 2, 2, 1])
})

test('many are looked after in slices; who leaves meanwhile is left alone, who comes waits', async () => {
  const { clock, ticks, ticked } = ticking((item) => {
    if (item === 499) {
      setImmediate(() => expect(ticked).toHaveLength(500))
      ticks.delete(550)
      ticks.add(1_000)
    }
    return true
  })
  for (let item = 0; item < 600; item++) ticks.add(item)
  await clock.advance(100)
  while (ticked.length < 599) await nextTurn()
  expect(ticked).not.toContain(550)
  expect(ticked).not.toContain(1_000)
})

test('a tick that throws is told, and the next one comes all the same', async () => {
  const { clock, ticks, ticked, failures } = ticking(() => {
    throw new Error('no')
  })
  ticks.add(1)
  await clock.advance(100)
  await clock.advance(100)
  expect(failures).toHaveLength(2)
  expect(ticked).toEqual([1, 1])
})
