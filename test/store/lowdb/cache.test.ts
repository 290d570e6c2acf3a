import { expect, test } from 'vitest'
import { Cache } from '../../../server/store/lowdb/cache.ts'

test('keeps the ones that were used last', () => {
  const cache = new Cache<string, number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.get('a')
  cache.set('c', 3)
  expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([1, undefined, 3])
  cache.set('a', 4)
  cache.delete('c')
  cache.set('d', 5)
  expect(['a', 'c', 'd'].map((key) => cache.get(key))).toEqual([4, undefined, 5])
})

test('keeps what weighs no more than the limit together', () => {
  const cache = new Cache<string, string>(6, ({ length }) => length)
  cache.set('a', 'xxx')
  cache.set('b', 'xx')
  cache.set('c', 'xx')
  expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([undefined, 'xx', 'xx'])
  cache.set('b', 'x')
  cache.set('d', 'xxx')
  expect(['b', 'c', 'd'].map((key) => cache.get(key))).toEqual(['x', 'xx', 'xxx'])
  cache.set('e', 'x'.repeat(7))
  expect(['b', 'c', 'd', 'e'].map((key) => cache.get(key))).toEqual(Array(4).fill(undefined))
})
