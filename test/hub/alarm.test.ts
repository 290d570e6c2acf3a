/** The last line of defence: what nobody took becomes a notification. */
import { beforeEach, describe, expect, test } from 'vitest'
import { compilePlans } from '../../server/hub/plan.ts'
import { ALICE, FAILED, RETRY, restart, type Rig, robot, running, watched } from '../helpers/runner.ts'
import { notifications, plan, SYSTEM } from '../helpers/strategies.ts'

let rig: Rig
beforeEach(async () => {
  rig = await running()
})

describe('the last line of defence', () => {
  test('what nobody took is failed, and a notification in the same write', async () => {
    const writes: string[][] = []
    rig = await running((store) => watched(store, (ops) => void writes.push(ops.map(({ op }) => op))))
    plan(rig, 'all', [robot('a', [FAILED]), robot('b', [RETRY])])
    const mid = await rig.push(ALICE, { text: 'disk full', strategy: 'all' })
    await rig.clock.advance(2_000)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'failed', reason: 'exhausted', open: false, dueAt: null })
    expect(writes.filter((ops) => ops.includes('accept')).slice(1)).toEqual([['raise', 'step', 'accept']])

    const [notification, ...others] = await notifications(rig)
    expect(others).toEqual([])
    expect(notification).toMatchObject({ recipient: SYSTEM, open: true })
    expect(notification?.message).toMatchObject({
      from: { method: 'hub', name: '' },
      to: [SYSTEM],
      body: {
        text: 'disk full',
        extra: { strategy: 'all', of: mid, recipient: 'alice', reason: '所有推送渠道都失败' },
      },
    })
    expect(rig.announced).toEqual([notification?.mid])
  })

  test('fires at once when all is permanent, and not before the last round otherwise', async () => {
    plan(rig, 'failover', [robot('a', [RETRY])])
    await rig.push()
    await rig.clock.advance(1_999)
    expect(await notifications(rig)).toEqual([])
    await rig.clock.advance(1)
    expect(await notifications(rig)).toHaveLength(1)
    plan(rig, 'failover', [robot('b', [FAILED])], [robot('c', [FAILED])])
    await rig.push()
    await rig.calm()
    expect(await notifications(rig)).toHaveLength(2)
  })

  test('also where sessions may still get it: then the delivery stays open', async () => {
    rig.connecting.add(ALICE)
    plan(rig, 'failover', [robot('a', [FAILED])])
    const mid = await rig.push()
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'sent', open: true, dueAt: null })
    expect(await notifications(rig)).toHaveLength(1)
  })

  test('its own endpoints get the notification; one that fails begets no other', async () => {
    const console = robot('console', [FAILED])
    rig.plans.set(SYSTEM, compilePlans([]).of(ALICE, null))
    plan(rig, 'failover', [robot('a', [FAILED])])
    rig.plans.set(SYSTEM, [{ tracks: [{ endpoints: [console], mode: 'all' }], until: 'accepted', wait: 0 }])
    rig.connecting.add(SYSTEM)
    await rig.push()
    await rig.calm()
    rig.runner.wake()
    await rig.calm()
    expect(console.sent).toMatchObject([{ title: 'hello', level: 'error' }])
    expect(await notifications(rig)).toHaveLength(1)
  })

  test('does not fire twice when the hub dies in between', async () => {
    plan(rig, 'failover', [robot('a', [FAILED])])
    await rig.push()
    await rig.calm()
    rig = await restart(rig)
    await rig.clock.advance(600_000)
    expect(await notifications(rig)).toHaveLength(1)
  })
})
