import { expect, test } from 'vitest'
import { damage } from './damage.ts'

/** Others each day would find more and explain less: `npm run crash -- --damage` is for that. */
const SEED = 20_260
const ROUNDS = 20

test('a damaged data folder is started without loss, or refused by name and place', { timeout: 120_000 }, async () => {
  const { violations, figures, kept } = await damage({ rounds: ROUNDS, seed: SEED })
  expect(violations, `the folders: ${kept}`).toEqual([])
  expect(figures.refused).toBeGreaterThan(3)
  expect(figures.unharmed + figures.mended).toBeGreaterThan(3)
})
