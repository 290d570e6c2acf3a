import { expect, test } from 'vitest'
import { Deadlines } from '../../server/ws/deadlines.ts'
import { testClock } from '../helpers/clock.ts'

function setUp(ms = 1_000) {
  const clock = testClock()
  const late: string[] = []
  return { clock, late, deadlines: new Deadlines<string>(clock, ms, (item) => void late.push(item)) }
}

test('whoever is not deleted in time is late, each after its own time, with one timer for all', async () => {
  const { clock, late, deadlines } = setUp()
  for (const item of ['a', 'b', 'c', 'd']) {
    deadlines.add(item)
    await clock.advance(100)
  }
  expect(clock.pending).toBe(1)
  deadlines.delete('c')
  await clock.advance(599)
  expect(late).toEqual([])
  await clock.advance(1)
  expect(late).toEqual(['a'])
  await clock.advance(100)
  expect(late).toEqual(['a', 'b'])
  await clock.advance(10_000)
  expect(late).toEqual(['a', 'b', 'd'])
  expect(clock.pending).toBe(0)
})

test('who comes after all others are gone is late in time, too', async () => {
  const { clock, late, deadlines } = setUp()
  deadlines.add('a')
  deadlines.delete('a')
  await clock.advance(900)
  deadlines.add('b')
  await clock.advance(999)
  expect(late).toEqual([])
  await clock.advance(1)
  expect(late).toEqual(['b'])
})

test('closed, nobody is late any more', async () => {
  const { clock, late, deadlines } = setUp()
  deadlines.add('a')
  deadlines.close()
  await clock.advance(10_000)
  expect(late).toEqual([])
})
