import { expect, test } from 'vitest'
import { outboundLoop } from './loop.ts'

/** Another seed each day would find more and explain less: `npm run crash -- --outbound` is for that. */
const SEED = 20_260

test(
  'a hub that is killed while it sends loses nothing, and says what may have come twice',
  { timeout: 120_000 },
  async () => {
    const { violations, figures, kept } = await outboundLoop({ rounds: 4, seed: SEED, secondsPerRound: 0.4 })
    expect(violations.slice(0, 20), `config, data and history: ${kept}`).toEqual([])
    expect(figures.kills).toBeGreaterThanOrEqual(4)
    expect(figures.accepted).toBeGreaterThan(80)
    expect(figures.cut).toBeGreaterThan(3)
    expect(figures.duplicates).toBeGreaterThan(3)
  },
)
