import { expect, test } from 'vitest'
import { count, Tally } from '../../server/ground/tally.ts'

test.each([
  [0, 0],
  [1, 0],
  [1.01, 1],
  [5, 1],
  [5.5, 2],
  [1e9, 2],
])('%d is counted up to the bound that it does not pass: place %d', (value, place) => {
  const tally = new Tally([1, 5])
  tally.add(value)
  expect(tally.counts.indexOf(1)).toBe(place)
  expect(tally.counts).toHaveLength(3)
  expect(tally.sum).toBe(value)
})

test('counters of a few words', () => {
  const counts = new Map<string, number>()
  count(counts, 'a')
  count(counts, 'a', 2)
  count(counts, 'b')
  expect([...counts]).toEqual([
    ['a', 3],
    ['b', 1],
  ])
})
