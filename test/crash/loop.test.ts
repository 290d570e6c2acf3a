import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { hubs } from './hubs/index.ts'
import { crashLoop, type LoopOptions, type LoopResult } from './loop.ts'

/** Another seed each day would find more and explain less: `npm run crash` is for that. */
const SEED = 20_260

test('a hub that is killed under load keeps every promise', { timeout: 120_000 }, async () => {
  const { violations, figures, kept } = await crashLoop({ rounds: 5, seed: SEED, secondsPerRound: 0.7 })
  expect(violations.slice(0, 20), `config, data and history: ${kept}`).toEqual([])
  expect(figures.kills).toBeGreaterThanOrEqual(5)
  expect(figures.accepted).toBeGreaterThan(100)
  expect(figures.forgedAcks).toBeGreaterThan(20)
})

test('a hub that is killed in the middle of checkpoints does too', { timeout: 120_000 }, async () => {
  const { violations, kept } = await other('restless', { rounds: 3, seed: SEED, secondsPerRound: 0.4 })
  expect(violations.slice(0, 20), `config, data and history: ${kept}`).toEqual([])
})

test('the loop finds what a hub loses that answers a moment too early', { timeout: 120_000 }, async () => {
  const { violations, kept } = await other('hasty', { rounds: 2, seed: SEED, secondsPerRound: 0.4 })
  if (kept !== null) await rm(kept, { recursive: true })
  expect(violations.map(({ kind }) => kind)).toContain('lost')
})

function other(hub: string, options: Omit<LoopOptions, 'program'>): Promise<LoopResult> {
  const program = hubs.get(hub)
  if (!program) throw new Error(`there is no hub ${hub}`)
  return crashLoop({ ...options, program })
}
