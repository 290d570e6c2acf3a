/** What strategies do with robots that work, fail and hang. */
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
  robot,
  running,
  scripted,
} from '../helpers/runner.ts'
import { counts, notifications, outcomes, plan } from '../helpers/strategies.ts'

let rig: Rig
beforeEach(async () => {
  rig = await running()
})

describe('failover', () => {
  test('stops at the first platform that took it', async () => {
    const [a, b, c] = [robot('a', [FAILED]), robot('b'), robot('c')]
    plan(rig, 'failover', [a], [b], [c])
    const mid = await rig.push()
    await rig.calm()
    expect(await outcomes(rig, mid)).toEqual(['a failed', 'b accepted'])
    expect(counts(a, b, c)).toEqual([1, 1, 0])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', via: 'test', open: false, dueAt: null })
    expect(await notifications(rig)).toEqual([])
  })

  test('inside a platform goes to the next robot at once', async () => {
    const [a, b] = [robot('a', [RETRY]), robot('b')]
    plan(rig, 'failover', [a, b])
    const mid = await rig.push()
    await rig.calm()
    expect(await outcomes(rig, mid)).toEqual(['a retry', 'b accepted'])
  })

  test('gives what may work later its rounds before the next platform', async () => {
    const [a, b] = [robot('a', [RETRY]), robot('b')]
    plan(rig, 'failover', [a], [b])
    const mid = await rig.push()
    await rig.clock.advance(1_999)
    expect(counts(a, b)).toEqual([2, 0])
    await rig.clock.advance(1)
    expect(await outcomes(rig, mid)).toEqual(['a retry', 'a retry', 'a retry', 'b accepted'])
  })

  test('does not wait longer than half a minute where there is another platform', async () => {
    const busy = { kind: 'retry', detail: 'HTTP 429', retryAfterMs: 60_000 } as const
    const [a, b] = [robot('a', [busy, ACCEPTED]), robot('b')]
    plan(rig, 'failover', [a], [b])
    const mid = await rig.push()
    await rig.calm()
    expect(await outcomes(rig, mid)).toEqual(['a retry', 'b accepted'])

    plan(rig, 'failover', [robot('c', [busy, ACCEPTED])])
    const alone = await rig.push()
    await rig.clock.advance(60_000)
    expect(await outcomes(rig, alone)).toEqual(['c retry', 'c accepted'])
  })

  test('whoever waits for the answer hears of the platform that took it, not of the first that did not', async () => {
    plan(rig, 'failover', [robot('a', [FAILED])], [robot('b', [FAILED])], [robot('c')])
    const mid = await rig.push()
    const answer = rig.replies.settled(mid, 5_000, () => {})
    await rig.calm()
    expect((await answer).get(ALICE)).toMatchObject({ state: 'accepted' })
  })

  test('a webhook among the platforms has its rounds like the others, and no more', async () => {
    const [hook, b] = [scripted('hook', [RETRY]), robot('b')]
    plan(rig, 'failover', [hook], [b])
    await rig.push()
    await rig.clock.advance(2_000)
    expect(counts(hook, b)).toEqual([3, 1])
  })

  test('an ack of a live session ends it, but the first platform rings in any case', async () => {
    rig.connecting.add(ALICE)
    const [a, b] = [robot('a', [FAILED]), robot('b')]
    plan(rig, 'failover', [a], [b])
    const slow = pending()
    a.script = [slow.outcome]
    const mid = await rig.push()
    await rig.calm()
    await rig.settle.now([event(mid, ALICE, 'delivered', { via: 'websocket', closes: true })], [])
    slow.say(FAILED)
    await rig.calm()
    expect(counts(a, b)).toEqual([1, 0])
    expect(await notifications(rig)).toEqual([])
  })
})

describe('the other corners', () => {
  test('all: every robot of every platform, and success as soon as one took it', async () => {
    const robots = [robot('a'), robot('b', [FAILED]), robot('c')]
    plan(rig, 'all', robots.slice(0, 2), robots.slice(2))
    const mid = await rig.push()
    await rig.calm()
    expect((await outcomes(rig, mid)).toSorted()).toEqual(['a accepted', 'b failed', 'c accepted'])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'accepted', dueAt: null })
  })

  test('webhook_failover: all platforms side by side, one robot of each', async () => {
    const [a1, a2, b1, b2] = [robot('a1', [RETRY]), robot('a2'), robot('b1'), robot('b2')]
    plan(rig, 'webhook_failover', [a1, a2], [b1, b2])
    await rig.push()
    await rig.calm()
    expect(counts(a1, a2, b1, b2)).toEqual([1, 1, 1, 0])
  })

  test('webhook_failover: a platform that failed has its rounds, whatever another took', async () => {
    const [a, b] = [robot('a', [RETRY, ACCEPTED]), robot('b')]
    plan(rig, 'webhook_failover', [a], [b])
    const mid = await rig.push()
    await rig.clock.advance(1_000)
    expect(await outcomes(rig, mid)).toEqual(['a retry', 'b accepted', 'a accepted'])
    expect(b.sent).toHaveLength(1)
  })

  test('mixed: platform after platform, all robots inside', async () => {
    const [a1, a2, b1, b2, c] = [robot('a1', [FAILED]), robot('a2', [FAILED]), robot('b1'), robot('b2'), robot('c')]
    plan(rig, 'mixed', [a1, a2], [b1, b2], [c])
    await rig.push()
    await rig.calm()
    expect(counts(a1, a2, b1, b2, c)).toEqual([1, 1, 1, 1, 0])
  })

  test('no strategy: a webhook beside, and a dead one does not keep platforms from following each other', async () => {
    const [hook, a, b] = [scripted('hook', [RETRY]), robot('a', [FAILED]), robot('b')]
    plan(rig, 'usual', [hook], [a], [b])
    await rig.push()
    await rig.clock.advance(30_000)
    expect(counts(a, b)).toEqual([1, 1])
    expect(hook.sent).toHaveLength(3)
  })
})

describe('a place in a rate', () => {
  const rates = [{ count: 2, perMs: 60_000 }]

  test('a robot without one is passed over, without a try', async () => {
    const [a, b] = [robot('a', [ACCEPTED], { rates }), robot('b')]
    plan(rig, 'failover', [a, b])
    const mids = [await rig.push(), await rig.push(), await rig.push()]
    await rig.calm()
    expect(counts(a, b)).toEqual([2, 1])
    expect(await outcomes(rig, mids[2] ?? '')).toEqual(['b accepted'])
  })

  test('what finds none waits for one, however many there are; nothing fails and nothing is lost', async () => {
    const a = robot('a', [ACCEPTED], { rates })
    plan(rig, 'failover', [a])
    for (let n = 0; n < 10; n += 1) await rig.push()
    await rig.calm()
    expect(a.sent).toHaveLength(2)
    await rig.clock.advance(60_000)
    expect(a.sent.length).toBeLessThanOrEqual(4)
    await rig.clock.advance(600_000)
    expect(a.sent).toHaveLength(10)
    expect(await notifications(rig)).toEqual([])
  })
})

test('one that rests after too many failures is a try that failed, and nothing goes out', async () => {
  const a = robot('a', [RETRY])
  plan(rig, 'failover', [a])
  await rig.push()
  await rig.clock.advance(2_000)
  await rig.push()
  await rig.clock.advance(2_000)
  expect(a.sent).toHaveLength(5)
  const mid = await rig.push()
  await rig.clock.advance(2_000)
  expect(a.sent).toHaveLength(5)
  expect(await rig.store.attempts(mid, ALICE)).toMatchObject(
    [1, 2, 3].map((n) => ({ n, outcome: 'retry', detail: 'it failed too often and rests for a while' })),
  )
  expect(await notifications(rig)).toHaveLength(3)
})

test('a long message goes on behind the parts that went out', async () => {
  const a = robot('a', [{ ...RETRY, parts: 2 }, ACCEPTED])
  plan(rig, 'failover', [a])
  await rig.push()
  await rig.clock.advance(1_000)
  expect(a.skipped).toEqual([0, 2])
})

describe('messages of one recipient', () => {
  test('go out side by side through robots', async () => {
    const slow = pending()
    const a = robot('a', [slow.outcome])
    plan(rig, 'failover', [a])
    for (let n = 0; n < 5; n += 1) await rig.push()
    await rig.calm()
    expect(a.sent).toHaveLength(5)
    slow.say(ACCEPTED)
    await rig.calm()
  })

  test('go out one after another where a webhook is among them', async () => {
    const slow = pending()
    const hook = scripted('hook', [slow.outcome, DELIVERED])
    plan(rig, 'usual', [hook])
    for (let n = 0; n < 5; n += 1) await rig.push()
    await rig.calm()
    expect(hook.sent).toHaveLength(1)
    slow.say(DELIVERED)
    await rig.calm()
    expect(hook.sent).toHaveLength(5)
  })
})
