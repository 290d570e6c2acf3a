/** A ladder that somebody has to stop. */
import { beforeEach, describe, expect, test } from 'vitest'
import { event } from '../../server/hub/settle.ts'
import { ALICE, FAILED, type Rig, robot, running } from '../helpers/runner.ts'
import { counts, notifications, plan } from '../helpers/strategies.ts'

let rig: Rig
beforeEach(async () => {
  rig = await running()
})

describe('escalate', () => {
  const MINUTES_5 = 300_000

  test('goes on when nobody confirmed in time, and stops when somebody did', async () => {
    rig.confirming.add(ALICE)
    const [a, b, c] = [robot('a'), robot('b'), robot('c')]
    plan(rig, 'escalate', [a], [b], [c])
    const mid = await rig.push()
    await rig.clock.advance(MINUTES_5 - 1)
    expect(counts(a, b, c)).toEqual([1, 0, 0])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', open: true })
    await rig.clock.advance(1)
    expect(counts(a, b, c)).toEqual([1, 1, 0])
    await rig.settle.now([event(mid, ALICE, 'confirmed', { via: 'test', by: 'b', closes: true })], [])
    await rig.clock.advance(3 * MINUTES_5)
    expect(counts(a, b, c)).toEqual([1, 1, 0])
    expect(await notifications(rig)).toEqual([])
  })

  test('every rendering carries the link to confirm; other strategies carry none', async () => {
    rig.confirming.add(ALICE)
    const [a, b] = [robot('a'), robot('b')]
    plan(rig, 'escalate', [a])
    const mid = await rig.push()
    await rig.calm()
    expect(a.sent[0]?.confirmUrl).toBe(`https://hub.test/confirm/${mid}-${ALICE}-test`)
    plan(rig, 'failover', [b])
    await rig.push()
    await rig.calm()
    expect(b.sent[0]?.confirmUrl).toBeNull()
  })

  test('a platform that failed costs no wait', async () => {
    rig.confirming.add(ALICE)
    const [a, b] = [robot('a', [FAILED]), robot('b')]
    plan(rig, 'escalate', [a], [b])
    await rig.push()
    await rig.calm()
    expect(counts(a, b)).toEqual([1, 1])
  })

  test('when the last wait is over and nobody confirmed, the notification says so', async () => {
    rig.confirming.add(ALICE)
    plan(rig, 'escalate', [robot('a')])
    const mid = await rig.push()
    await rig.clock.advance(MINUTES_5)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', open: false, dueAt: null })
    const [notification] = await notifications(rig)
    expect(notification?.message.body).toMatchObject({ extra: { reason: '无人确认', of: mid } })
    await rig.clock.advance(10 * MINUTES_5)
    expect(await notifications(rig)).toHaveLength(1)
  })

  test('a last rung that fails ends the ladder, and that is told though an earlier one was taken', async () => {
    rig.confirming.add(ALICE)
    plan(rig, 'escalate', [robot('a')], [robot('b', [FAILED])])
    const mid = await rig.push()
    await rig.clock.advance(MINUTES_5)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', dueAt: null })
    expect((await notifications(rig)).map(({ message }) => message.body)).toMatchObject([
      { extra: { reason: '无人确认', of: mid } },
    ])
  })

  test('an ack is enough where nobody can confirm, and not where somebody can', async () => {
    const [a, b] = [robot('a'), robot('b')]
    plan(rig, 'escalate', [a], [b])
    for (const confirms of [false, true]) {
      if (confirms) rig.confirming.add(ALICE)
      const mid = await rig.push()
      await rig.calm()
      await rig.settle.now([event(mid, ALICE, 'delivered', { via: 'websocket', closes: false })], [])
      await rig.clock.advance(MINUTES_5)
      expect(b.sent).toHaveLength(confirms ? 1 : 0)
    }
  })
})
