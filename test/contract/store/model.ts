/** The store beside a model too small to be wrong: random commands on both, and equal reads whatever happened. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testClock } from '../../helpers/clock.ts'
import type { MakeStore } from './bench.ts'
import { commandsOf } from './model-commands.ts'
import { compare } from './model-reads.ts'
import { emptyModel, type Real } from './model-state.ts'

const RUNS = 40
const MAX_COMMANDS = 60
const TIMEOUT_MS = 60_000

export function testModel(make: MakeStore): void {
  test('reads are equal after any commands', { timeout: TIMEOUT_MS }, async () => {
    expect.hasAssertions()
    await fc.assert(
      fc.asyncProperty(commandsOf(MAX_COMMANDS), async (commands) => {
        const clock = testClock()
        const made = await make({ clock })
        await made.store.open()
        const real: Real = { store: made.store, clock, reopen: async () => made.reopen?.() }
        try {
          const model = emptyModel()
          await fc.asyncModelRun(() => ({ model, real }), commands)
          await compare(model, real)
        } finally {
          await real.store.close()
          await made.cleanup()
        }
      }),
      { numRuns: RUNS, seed: 31 },
    )
  })
}
