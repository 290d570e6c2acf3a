import { expect, test } from 'vitest'
import { JUMPS, jumpUnder } from './clock.ts'
import { whyNoWallClock } from './wall-clock.ts'

const whyNot = whyNoWallClock()
const unless = whyNot === null ? '' : ` (left out: ${whyNot})`

/** `npm run crash -- --clock` tries them all. */
test.skipIf(whyNot !== null).for(JUMPS.slice(0, 2))(
  `a wall clock that jumps $name holds up and ends nothing${unless}`,
  async (jump) => {
    expect(await jumpUnder(jump)).toEqual([])
  },
)
