import { beforeEach, describe, expect, test } from 'vitest'
import { event } from '../../server/hub/settle.ts'
import {
  ACCEPTED,
  ALICE,
  DELIVERED,
  FAILED,
  pending,
  RETRY,
  type Rig,
  running,
  scripted,
  step,
} from '../helpers/runner.ts'

let rig: Rig
beforeEach(async () => {
  rig = await running()
})

describe('the end', () => {
  test('nothing worked and no session will come: failed', async () => {
    rig.plans.set(ALICE, [step([scripted('1', [FAILED])]), step([scripted('2', [FAILED])])])
    const mid = await rig.push()
    await rig.calm()
    const ended = { state: 'failed', reason: 'exhausted', open: false, dueAt: null, step: 2 }
    expect(await rig.delivery(mid)).toMatchObject(ended)
  })

  test('nothing worked, but the recipient opens sessions: still owed', async () => {
    rig.connecting.add(ALICE)
    rig.plans.set(ALICE, [step([scripted('1', [FAILED])])])
    const mid = await rig.push()
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'sent', open: true, dueAt: null, step: 1, holds: false })
  })

  test('a provider took it and the rest failed: accepted stays', async () => {
    rig.plans.set(ALICE, [step([scripted('1', [ACCEPTED])]), step([scripted('2', [FAILED])])])
    const mid = await rig.push()
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', dueAt: null, step: 2 })
  })

  test('delivered closes it, unless sessions are still owed it', async () => {
    rig.plans.set(ALICE, [step([scripted('1')])])
    const alone = await rig.push()
    await rig.calm()
    expect(await rig.delivery(alone)).toMatchObject({ state: 'delivered', open: false })
    rig.connecting.add(ALICE)
    const both = await rig.push()
    await rig.calm()
    expect(await rig.delivery(both)).toMatchObject({ state: 'delivered', open: true })
  })

  test('expiry ends retries at its time, and lets later messages through', async () => {
    const endpoint = scripted('1', [{ kind: 'retry', detail: 'HTTP 503', retryAfterMs: 3_600_000 }, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push(ALICE, { expiresAt: rig.clock.now() + 10_000 })
    const later = await rig.push()
    await rig.clock.advance(9_999)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'sent', open: true })
    await rig.clock.advance(1)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'expired', reason: 'expired', open: false, dueAt: null })
    expect(endpoint.sent.map(({ frame }) => frame.mid)).toEqual([mid, later])
  })

  test('expiry comes also where nothing goes out, or nothing any more', async () => {
    rig.connecting.add(ALICE)
    const none = await rig.push(ALICE, { expiresAt: rig.clock.now() + 10_000 })
    rig.plans.set(ALICE, [step([scripted('1', [FAILED])])])
    const refused = await rig.push(ALICE, { expiresAt: rig.clock.now() + 10_000 })
    await rig.clock.advance(10_000)
    expect(await rig.delivery(none)).toMatchObject({ state: 'expired', open: false })
    expect(await rig.delivery(refused)).toMatchObject({ state: 'expired', open: false })
  })

  test('what arrived does not expire', async () => {
    rig.plans.set(ALICE, [step([scripted('1')])])
    const mid = await rig.push(ALICE, { expiresAt: rig.clock.now() + 10_000 })
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ dueAt: null })
    await rig.clock.advance(20_000)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null })
  })

  test('an endpoint that the config no longer names leaves the delivery at rest', async () => {
    rig.plans.set(ALICE, [step([scripted('1', [RETRY])])])
    const mid = await rig.push()
    await rig.calm()
    rig.plans.set(ALICE, [])
    await rig.clock.advance(1_000)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'sent', open: true, dueAt: null, holds: false })
  })
})

describe('what ends while an attempt is in flight', () => {
  test('goes no further, and holds nobody back', async () => {
    for (const outcome of [FAILED, RETRY]) {
      const [slow, second] = [pending(), scripted('2')]
      const first = scripted('1', [slow.outcome, DELIVERED])
      rig.plans.set(ALICE, [step([first]), step([second])])
      const mid = await rig.push()
      const later = await rig.push()
      await rig.calm()
      await rig.settle.now([event(mid, ALICE, 'removed', { reason: 'removed', closes: true })], [])
      slow.say(outcome)
      await rig.calm()
      expect(second.sent).toEqual([])
      expect(first.sent.map(({ frame }) => frame.mid)).toEqual([mid, later])
      expect(await rig.delivery(mid)).toMatchObject({ state: 'removed', open: false, dueAt: null, holds: false })
    }
  })

  test('by an ack needs no further round in mode first', async () => {
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome])
    rig.plans.set(ALICE, [step([endpoint], { mode: 'first' })])
    const mid = await rig.push()
    await rig.calm()
    await rig.settle.now([event(mid, ALICE, 'delivered', { via: 'websocket', closes: true })], [])
    slow.say(RETRY)
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null, step: 1 })
  })
})
