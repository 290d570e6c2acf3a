import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { faultyHubs } from './hubs.ts'
import { outboundLoop } from './loop.ts'

/** Another seed each day would find more and explain less: `npm run crash -- --outbound` is for that. */
const SEED = 20_260
const TIMEOUT = { timeout: 120_000 }

test('a hub that is killed while it sends loses nothing, and says what may have come twice', TIMEOUT, async () => {
  const { violations, figures, kept } = await outboundLoop({ rounds: 4, seed: SEED, secondsPerRound: 0.4 })
  expect(violations.slice(0, 20), `config, data and history: ${kept}`).toEqual([])
  expect(figures.kills).toBeGreaterThanOrEqual(4)
  expect(figures.accepted).toBeGreaterThan(80)
  expect(figures.cut).toBeGreaterThan(3)
  expect(figures.duplicates).toBeGreaterThan(3)
})

test('the loop finds a hub that forgets what came of its attempts', TIMEOUT, async () => {
  const program = faultyHubs.get('amnesic') ?? []
  const { violations, kept } = await outboundLoop({ rounds: 1, seed: SEED, secondsPerRound: 0.4, program })
  if (kept !== null) await rm(kept, { recursive: true })
  const kinds = violations.map(({ kind }) => kind)
  expect(kinds).toContain('lost')
  expect(kinds).toContain('unheard')
})
