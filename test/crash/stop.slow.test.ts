import { expect, test } from 'vitest'
import { crashLoop } from './loop.ts'
import { outboundLoop } from './outbound/loop.ts'

/** Another seed each day would find more and explain less: `npm run crash -- --stop` is for that. */
const SEED = 20_260
const TIMEOUT = { timeout: 120_000 }

test('a hub that is stopped under load says so to all, forgets nothing and repeats nothing', TIMEOUT, async () => {
  const { violations, figures, kept } = await crashLoop({
    rounds: 1,
    seed: SEED,
    secondsPerRound: 0.5,
    ending: 'stop',
  })
  expect(violations.slice(0, 20), `config, data and history: ${kept}`).toEqual([])
  expect(figures.accepted).toBeGreaterThan(50)
  // one round, and the end
  expect(figures.stops.count).toBeGreaterThanOrEqual(2)
  expect(figures.stops.goodbyes).toBeGreaterThan(10)
})

test('a hub that is stopped while it sends lets nothing go twice that a vendor has answered', TIMEOUT, async () => {
  const { violations, figures, kept } = await outboundLoop({
    rounds: 2,
    seed: SEED,
    secondsPerRound: 0.3,
    ending: 'stop',
  })
  expect(violations.slice(0, 20), `config, data and history: ${kept}`).toEqual([])
  expect(figures.accepted).toBeGreaterThan(10)
  expect(figures.requests).toBeGreaterThan(20)
})
