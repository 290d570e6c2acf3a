import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DiskFault, prepare, SHORT, tryDisk, whyNoDiskErrors } from './disk-errors.ts'

/** `npm run crash -- --disk-errors` tries many more. */
const FAULTS: readonly [string, DiskFault][] = [
  ['flushes that fail at the start', { call: 'fdatasync', error: 'EIO', after: 0, times: 1 }],
  ['a flush that fails under load', { call: 'fdatasync', error: 'EIO', after: 24, times: 1 }],
  ['a write that fails under load', { call: 'pwrite64', error: 'EIO', after: 12, times: 1 }],
]
const FULL: DiskFault = { call: 'pwrite64', error: 'ENOSPC', after: 10, times: 2 }

const whyNot = whyNoDiskErrors()
const unless = whyNot === null ? '' : ` (left out: ${whyNot})`

let ready: Awaited<ReturnType<typeof prepare>>
beforeAll(async () => void (ready = await prepare()))
afterAll(() => ready.scene.remove())

test.skipIf(whyNot !== null).for(FAULTS)(
  `%s: the hub says so and ends, and a restart has all it took${unless}`,
  async ([, fault]) => {
    const { happened, told, ended, violations } = await tryDisk(ready, fault)
    expect(violations).toEqual([])
    expect({ happened, ended }).toEqual({ happened: true, ended: 1 })
    // under load, whoever waits is told
    if (fault.after > 0) expect(told.map(({ status }) => status)).toContain(503)
  },
)

test.skipIf(whyNot !== null)(`writes that find no space are refused, and soon there is some${unless}`, async () => {
  const { happened, told, ended, violations } = await tryDisk(ready, FULL)
  expect(violations).toEqual([])
  expect({ happened, ended }).toEqual({ happened: true, ended: null })
  expect(told.map(({ status }) => status)).toContain(507)
})

test.skipIf(whyNot !== null)(`short writes harm nothing${unless}`, async () => {
  const { told, violations } = await tryDisk(ready, SHORT)
  expect(violations).toEqual([])
  expect(told.length).toBeGreaterThan(40)
})
