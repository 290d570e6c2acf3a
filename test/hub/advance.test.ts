import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { event } from '../../server/hub/settle.ts'
import type { State } from '../../server/protocol/states.ts'
import {
  ACCEPTED,
  ALICE,
  DELIVERED,
  FAILED,
  pending,
  RETRY,
  rigOver,
  type Rig,
  scripted,
  startRig,
  step,
} from '../helpers/runner.ts'

let rig: Rig
beforeEach(async () => {
  rig = await startRig()
  await rig.runner.start()
})
afterEach(() => rig.close())

/** What a session or a person did meanwhile. */
function reach(mid: string, state: State, closes = false): Promise<void> {
  return rig.settle.now([event(mid, ALICE, state, { via: 'websocket', closes })], [])
}

describe('mode all', () => {
  test('every endpoint gets the message once, side by side', async () => {
    const [one, two] = [pending(), scripted('2')]
    rig.plans.set(ALICE, [step([scripted('1', [one.outcome]), two])])
    const mid = await rig.push()
    await rig.calm()
    expect(two.sent).toMatchObject([{ mid }])
    one.say(DELIVERED)
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', via: 'test', dueAt: null, step: 1 })
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([
      { n: 1, endpoint: 'test:1', outcome: 'delivered', maybeDuplicate: false },
      { n: 2, endpoint: 'test:2', outcome: 'delivered', maybeDuplicate: false },
    ])
  })

  test('each is retried in its own time; one that has it is left alone, one that refused for good too', async () => {
    const has = scripted('has', [DELIVERED])
    const never = scripted('never', [FAILED])
    const slow = scripted('slow', [{ kind: 'retry', detail: 'HTTP 429', retryAfterMs: 10_000 }, DELIVERED])
    const quick = scripted('quick', [RETRY, RETRY, DELIVERED])
    rig.plans.set(ALICE, [step([has, never, slow, quick])])
    const mid = await rig.push()
    const counts = () => [has, never, slow, quick].map(({ sent }) => sent.length)

    await rig.clock.advance(999)
    expect(counts()).toEqual([1, 1, 1, 1])
    await rig.clock.advance(1)
    expect(counts()).toEqual([1, 1, 1, 2])
    await rig.clock.advance(2_000)
    expect(counts()).toEqual([1, 1, 1, 3])
    await rig.clock.advance(6_999)
    expect(counts()).toEqual([1, 1, 1, 3])
    await rig.clock.advance(1)
    expect(counts()).toEqual([1, 1, 2, 3])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null })
  })

  test('goes on for the others when the delivery arrived elsewhere, and stops at its end', async () => {
    const endpoint = scripted('1', [RETRY])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    await reach(mid, 'delivered')
    await rig.clock.advance(1_000)
    expect(endpoint.sent).toHaveLength(2)
    await reach(mid, 'confirmed')
    await rig.clock.advance(60_000)
    expect(endpoint.sent).toHaveLength(2)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'confirmed', dueAt: null, holds: false })
  })
})

describe('mode first', () => {
  test('one at a time, the next at once, until one works', async () => {
    const endpoints = [scripted('1', [RETRY]), scripted('2', [ACCEPTED]), scripted('3')]
    rig.plans.set(ALICE, [step(endpoints, { mode: 'first', until: 'accepted' })])
    const mid = await rig.push()
    await rig.clock.advance(3_600_000)
    expect(endpoints.map(({ sent }) => sent.length)).toEqual([1, 1, 0])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', dueAt: null })
  })

  test('rounds over what is left: what failed for good is not tried again', async () => {
    const endpoints = [scripted('1', [FAILED]), scripted('2', [RETRY, RETRY, DELIVERED])]
    rig.plans.set(ALICE, [step(endpoints, { mode: 'first' })])
    const mid = await rig.push()
    await rig.clock.advance(3_000)
    expect(endpoints.map(({ sent }) => sent.length)).toEqual([1, 3])
    expect((await rig.store.attempts(mid, ALICE)).map(({ n }) => n)).toEqual([1, 2, 3, 4])
  })

  test('an ack between rounds is success enough', async () => {
    const endpoint = scripted('1', [RETRY])
    rig.plans.set(ALICE, [step([endpoint], { mode: 'first' })])
    const mid = await rig.push()
    await rig.calm()
    await reach(mid, 'delivered')
    await rig.clock.advance(60_000)
    expect(endpoint.sent).toHaveLength(1)
    expect(await rig.delivery(mid)).toMatchObject({ dueAt: null, holds: false })
  })

  test('an ack before the first round is not: the strategy concerns endpoints', async () => {
    await rig.runner.stop()
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint], { mode: 'first' })])
    const mid = await rig.push()
    await reach(mid, 'delivered')
    await runLater()
    expect(endpoint.sent).toHaveLength(1)
  })
})

describe('steps', () => {
  test.each([
    ['accepted', ['accepted', 'delivered', 'confirmed']],
    ['delivered', ['delivered', 'confirmed']],
    ['confirmed', ['confirmed']],
  ] as const)('until %s ends the plan where it is reached within the wait', async (until, enough) => {
    for (const state of ['sent', 'accepted', 'delivered', 'confirmed'] as const) {
      const [first, second] = [scripted('1', [FAILED]), scripted('2', [FAILED])]
      rig.plans.set(ALICE, [step([first], { until, wait: 60_000 }), step([second])])
      const mid = await rig.push()
      await rig.clock.advance(59_999)
      await reach(mid, state)
      await rig.clock.advance(1)
      const stops = enough.some((word) => word === state)
      expect([state, second.sent.length]).toEqual([state, stops ? 0 : 1])
      const { step: at, dueAt } = await rig.delivery(mid)
      expect([at, dueAt]).toEqual(state === 'confirmed' ? [1, null] : [2, null])
    }
  })

  test('what an endpoint did counts at once', async () => {
    const second = scripted('2')
    rig.plans.set(ALICE, [step([scripted('1')], { wait: 60_000 }), step([second])])
    const mid = await rig.push()
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', step: 2, dueAt: null })
    await rig.clock.advance(60_000)
    expect(second.sent).toEqual([])
  })

  test('taken by a provider is not delivered: the next step follows after the wait', async () => {
    const [first, second] = [scripted('1', [ACCEPTED]), scripted('2', [DELIVERED])]
    rig.plans.set(ALICE, [step([first], { mode: 'first', until: 'delivered', wait: 5_000 }), step([second])])
    const mid = await rig.push()
    await rig.clock.advance(4_999)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', step: 1 })
    expect(second.sent).toEqual([])
    await rig.clock.advance(1)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null })
    expect(first.sent).toHaveLength(1)
  })

  test('a step without endpoints is only a wait', async () => {
    const second = scripted('2')
    rig.plans.set(ALICE, [step([], { until: 'confirmed', wait: 30_000 }), step([second])])
    const mid = await rig.push()
    await rig.clock.advance(29_999)
    expect(second.sent).toEqual([])
    await rig.clock.advance(1)
    expect(second.sent).toMatchObject([{ mid }])
  })

  test('a waiting step holds nobody back', async () => {
    rig.plans.set(ALICE, [step([scripted('1', [FAILED])], { wait: 30_000 }), step([scripted('2')])])
    await rig.push()
    const quick = scripted('q')
    rig.plans.set(ALICE, [step([quick])])
    const later = await rig.push()
    await rig.calm()
    expect(quick.sent).toMatchObject([{ mid: later }])
  })

  test('an ack while the last endpoint of a step is tried stops the plan', async () => {
    const [slow, second] = [pending(), scripted('2')]
    rig.plans.set(ALICE, [step([scripted('1', [slow.outcome])]), step([second])])
    const mid = await rig.push()
    await rig.calm()
    await reach(mid, 'delivered')
    slow.say(FAILED)
    await rig.clock.advance(60_000)
    expect(second.sent).toEqual([])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', step: 2, dueAt: null })
  })
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
    expect(await rig.delivery(mid)).toMatchObject({ state: 'queued', open: true, dueAt: null, step: 1, holds: false })
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
    expect(await rig.delivery(mid)).toMatchObject({ state: 'queued', open: true })
    await rig.clock.advance(1)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'expired', reason: 'expired', open: false, dueAt: null })
    expect(endpoint.sent.map((sent) => sent.mid)).toEqual([mid, later])
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
    await rig.clock.advance(20_000)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null })
  })

  test('an endpoint that the config no longer names leaves the delivery at rest', async () => {
    rig.plans.set(ALICE, [step([scripted('1', [RETRY])])])
    const mid = await rig.push()
    await rig.calm()
    rig.plans.set(ALICE, [])
    await rig.clock.advance(1_000)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'queued', open: true, dueAt: null, holds: false })
  })
})

describe('after a crash', () => {
  test('a success that was recorded is not repeated on the next endpoint', async () => {
    await rig.runner.stop()
    const [one, two] = [scripted('1'), scripted('2')]
    rig.plans.set(ALICE, [step([one, two], { mode: 'first', until: 'confirmed' })])
    const mid = await rig.push()
    const attempt = { n: 1, step: 0, endpoint: one.id, channel: 'test', startedAt: 1, endedAt: 2, detail: null }
    const worked = { ...attempt, outcome: 'accepted', maybeDuplicate: false }
    await rig.store.write([{ op: 'attempt', mid, recipient: ALICE, attempt: worked }], 'sync')
    await reach(mid, 'accepted')
    await runLater()
    expect([one.sent, two.sent]).toEqual([[], []])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', step: 1, dueAt: null })
  })
})

/** Starts a runner on the store of one that was stopped. */
async function runLater(): Promise<void> {
  const next = rigOver(rig.store, rig.clock)
  for (const [recipient, plan] of rig.plans) next.plans.set(recipient, plan)
  await rig.close()
  rig = next
  await rig.runner.start()
  await rig.clock.advance(5_000)
}
