import { beforeEach, describe, expect, test } from 'vitest'
import { event } from '../../server/hub/settle.ts'
import type { State } from '../../server/protocol/states.ts'
import {
  ACCEPTED,
  ALICE,
  DELIVERED,
  FAILED,
  pending,
  restart,
  RETRY,
  type Rig,
  running,
  robot,
  scripted,
  step,
} from '../helpers/runner.ts'

let rig: Rig
beforeEach(async () => {
  rig = await running()
})

/** What a session or a person did meanwhile. */
async function reach(mid: string, state: State, closes = false): Promise<void> {
  await rig.settle.now([event(mid, ALICE, state, { via: 'websocket', closes })], [])
}

describe('mode all', () => {
  test('every endpoint gets the message once, side by side', async () => {
    const [one, two] = [pending(), scripted('2')]
    rig.plans.set(ALICE, [step([scripted('1', [one.outcome]), two])])
    const mid = await rig.push()
    await rig.calm()
    expect(two.sent).toMatchObject([{ frame: { mid } }])
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
    await rig.clock.advance(1_999)
    expect(counts()).toEqual([1, 1, 1, 2])
    await rig.clock.advance(1)
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
    ['delivered', ['delivered', 'confirmed']],
    ['confirmed', ['confirmed']],
  ] as const)('until %s ends the plan where it is reached within the wait', async (until, enough) => {
    rig.confirming.add(ALICE)
    for (const state of ['accepted', 'delivered', 'confirmed'] as const) {
      const [first, second] = [scripted('1', [ACCEPTED]), scripted('2', [FAILED])]
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

  test('one that failed for good is left at once, whatever its wait', async () => {
    const second = scripted('2')
    rig.plans.set(ALICE, [step([scripted('1', [FAILED])], { wait: 60_000 }), step([second])])
    await rig.push()
    await rig.calm()
    expect(second.sent).toHaveLength(1)
  })

  test('a step without endpoints waits for live sessions, where there are any', async () => {
    const second = scripted('2')
    rig.plans.set(ALICE, [{ tracks: [], until: 'confirmed', wait: 30_000 }, step([second])])
    await rig.push()
    await rig.calm()
    expect(second.sent).toHaveLength(1)
    second.sent.length = 0

    rig.live.add(ALICE)
    const mid = await rig.push()
    await rig.clock.advance(29_999)
    expect(second.sent).toEqual([])
    await rig.clock.advance(1)
    expect(second.sent).toMatchObject([{ frame: { mid } }])
  })

  test('a waiting step holds nobody back', async () => {
    rig.plans.set(ALICE, [step([robot('1')], { until: 'delivered', wait: 30_000 }), step([robot('2')])])
    await rig.push()
    const quick = scripted('q')
    rig.plans.set(ALICE, [step([quick])])
    const later = await rig.push()
    await rig.calm()
    expect(quick.sent).toMatchObject([{ frame: { mid: later } }])
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
  rig = await restart(rig)
  await rig.clock.advance(5_000)
}
