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
