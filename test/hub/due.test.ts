import { describe, expect, test } from 'vitest'
import { createDueClock } from '../../server/hub/due.ts'
import { testClock } from '../helpers/clock.ts'
import { ALICE, DELIVERED, restart, RETRY, robot, running, scripted, startRig, step } from '../helpers/runner.ts'

const DAY = 86_400_000

describe('the time by which work falls due', () => {
  test('is the wall clock, and jumps ahead with it', async () => {
    const clock = testClock(1_000_000)
    const due = createDueClock(clock)
    expect(due.now()).toBe(1_000_000)
    await clock.advance(5_000)
    clock.jump(DAY)
    expect(due.now()).toBe(1_005_000 + DAY)
    expect(due.of(7)).toBe(7)
  })

  test('goes on when the wall clock is set back, and follows it again from where it was', async () => {
    const clock = testClock(10 * DAY)
    const due = createDueClock(clock)
    due.now()
    clock.jump(-DAY)
    await clock.advance(5_000)
    expect(due.now()).toBe(10 * DAY + 5_000)
    expect(due.of(clock.now() + 1)).toBe(due.now() + 1)
    clock.jump(DAY + 1)
    expect(due.now()).toBe(clock.now())
  })

  test('does not mind a moment', () => {
    const clock = testClock(10 * DAY)
    const due = createDueClock(clock)
    due.now()
    clock.jump(-900)
    expect(due.now()).toBe(clock.now())
  })
})

describe('a wall clock that is set back by a day', () => {
  test('holds up no retry, no pause of a vendor, and no place in a rate', async () => {
    const rig = await running()
    const hook = scripted('hook', [RETRY, DELIVERED])
    const paused = robot('paused', [{ kind: 'retry', retryAfterMs: 2_000, detail: 'HTTP 429' }, DELIVERED])
    const slow = robot('slow', [DELIVERED], { rates: [{ count: 1, perMs: 2_000 }] })
    const names = [hook, paused, slow].map((endpoint) => {
      const name = `${endpoint.name}@user` as const
      rig.plans.set(name, [step([endpoint])])
      return name
    })
    for (const name of names) await rig.push(name)
    await rig.push(names[2])
    await rig.calm()
    rig.clock.jump(-DAY)
    await rig.clock.advance(5_000)
    expect([hook, paused, slow].map(({ sent }) => sent.length)).toEqual([2, 2, 2])
  })

  test('holds up nothing that was still to come when the hub is started again', async () => {
    const rig = await running()
    const hook = scripted('hook', [RETRY, DELIVERED])
    rig.plans.set(ALICE, [step([hook])])
    await rig.push()
    await rig.calm()
    rig.clock.jump(-DAY)
    const next = await restart(rig)
    await next.push()
    await next.clock.advance(10_000)
    expect(hook.sent).toHaveLength(3)
  })

  test('ends no message before its time, old or new, and ends it then', async () => {
    const rig = await startRig()
    await rig.runner.start()
    const hook = scripted('hook', [RETRY])
    rig.plans.set(ALICE, [step([hook])])
    rig.clock.jump(-DAY)
    const mid = await rig.push(ALICE, { expiresAt: rig.clock.now() + 60_000 })
    const unplanned = await rig.push('bob@user', { expiresAt: rig.clock.now() + 60_000 })
    await rig.clock.advance(59_000)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'sent' })
    expect(await rig.delivery(unplanned, 'bob@user')).toMatchObject({ state: 'queued' })
    await rig.clock.advance(62_000)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'expired' })
    expect(await rig.delivery(unplanned, 'bob@user')).toMatchObject({ state: 'expired' })
  })
})
