import { expect, test } from 'vitest'
import { createLog } from '../../server/ground/log.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import { startRetention } from '../../server/store/retention.ts'
import type { Store } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'

const HOUR_MS = 3_600_000
const keep = { ageMs: HOUR_MS, count: 5 }
const log = createLog('silent')

/** A real store that tells when it was asked to prune, and how that ended for once. */
function watched(
  prunes: number[],
  clock = testClock(),
  first?: Awaited<ReturnType<Store['prune']>> | Error,
  everyMs = HOUR_MS,
) {
  const store = createMemoryStore({ clock })
  const start = clock.now()
  const spied: Store = {
    ...store,
    async prune(wanted, budgetMs) {
      expect(wanted).toEqual(keep)
      prunes.push(clock.now() - start)
      if (prunes.length > 1 || first === undefined) return store.prune(wanted, budgetMs)
      if (first instanceof Error) throw first
      return first
    },
  }
  return { clock, stop: startRetention({ store: spied, clock, log, keep, everyMs }) }
}

test('a minute after the start, then every hour', async () => {
  const prunes: number[] = []
  const { clock, stop } = watched(prunes)
  await clock.advance(2 * HOUR_MS)
  expect(prunes).toEqual([60_000, 60_000 + HOUR_MS])
  await stop()
  expect(clock.pending).toBe(0)
})

test.each([
  [10_000, [10_000, 20_000, 30_000]],
  [90_000, [60_000, 150_000, 240_000]],
])('every %i ms, the first time after a minute at most', async (everyMs, expected) => {
  const prunes: number[] = []
  const { clock, stop } = watched(prunes, testClock(), undefined, everyMs)
  await clock.advance(expected.at(-1) ?? 0)
  expect(prunes).toEqual(expected)
  await stop()
})

test('what is left over goes on soon', async () => {
  const prunes: number[] = []
  const { clock, stop } = watched(prunes, testClock(), { dropped: 3, more: true })
  await clock.advance(70_000)
  expect(prunes).toEqual([60_000, 60_200])
  await stop()
})

test('a fault does not end it', async () => {
  const prunes: number[] = []
  const { clock, stop } = watched(prunes, testClock(), new Error('disk'))
  await clock.advance(2 * HOUR_MS)
  expect(prunes).toHaveLength(2)
  await stop()
})
