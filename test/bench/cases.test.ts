import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type CaseName, caseNames, cases } from './cases/cases.ts'
import { type Figure, faultFigures, type Figures } from './figures.ts'
import { carryOut } from './order.ts'
import type { Side } from './servers/start.ts'

const SCALE = 0.01

/** What a case is there for. A figure that is no number fails on its way. */
const yields: Record<CaseName, readonly Figure[]> = {
  personal: ['pushesPerS', 'usPerPush', 'p50', 'p99'],
  personal5000: ['usPerPush'],
  history: ['usPerPush', 'startMs'],
  checkpoint: ['pushesPerS', 'loopMax', 'loopCpu'],
  paced: ['p50', 'p99'],
  group: ['usPerDelivery', 'p50'],
  group10000: ['usPerDelivery', 'besideP99'],
  sessions: ['connectsPerS', 'kibPerSession'],
  sessions18000: ['connectsPerS', 'kibPerSession'],
  drain: ['deliveriesPerS', 'usPerDelivery'],
  restart: ['loggedInMs', 'clearedMs'],
}

const shared = mkdtempSync(join(tmpdir(), 'carillon-bench-'))
afterAll(() => rm(shared, { recursive: true }))

async function smallRun(name: CaseName, side: Side): Promise<Figures> {
  const dir = mkdtempSync(join(shared, `${name}-`))
  const order = { case: name, side, seconds: 0.3, scale: SCALE, dir, shared, profile: false, even: false }
  const { figures } = await carryOut(order)
  return figures
}

const runs = caseNames.flatMap((name) => {
  const sides = cases[name].sides.filter((side) => side === 'hub' || name === 'personal')
  return sides.map((side) => [name, side] as const)
})

describe('each case yields its figures, and nothing is lost in it', () => {
  it.concurrent.each(runs)('%s on %s', { timeout: 60_000 }, async (name, side) => {
    const figures = await smallRun(name, side)
    expect(Object.keys(figures)).toEqual(expect.arrayContaining([...yields[name], 'otherLoad']))
    if (name === 'sessions' || name === 'sessions18000') return
    expect(Object.keys(figures)).toEqual(expect.arrayContaining([...faultFigures]))
    // the others may come of a machine that stands still for seconds
    expect(figures).toMatchObject({ lost: 0, strays: 0 })
  })
})
