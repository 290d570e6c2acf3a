import { afterEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../server/channels/channel.ts'
import webhook from '../../server/channels/webhook.ts'
import { event } from '../../server/hub/settle.ts'
import { type Store, StoreBusy, StoreFailed, StoreFull } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import { startReceiver, status } from '../helpers/receiver.ts'
import {
  ALICE,
  DELIVERED,
  FAILED,
  HUB_TOKEN,
  pending,
  RETRY,
  type Rig,
  rigOver,
  scripted,
  startRig,
  step,
  watched,
} from '../helpers/runner.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

function keep<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}

/** A rig whose runner runs. */
async function running(wrap?: (store: Store) => Store): Promise<Rig> {
  const rig = keep(await startRig(wrap))
  await rig.runner.start()
  return rig
}

/** The next life of a hub on the same store. */
async function restart(rig: Rig): Promise<Rig> {
  const next = keep(rigOver(rig.store, rig.clock))
  for (const [recipient, plan] of rig.plans) next.plans.set(recipient, plan)
  await next.runner.start()
  return next
}

/** What the sender is told, and whether it waited. */
async function answerOf(rig: Rig, mid: string): Promise<string | undefined> {
  const answer = rig.replies.settled(mid, 5_000)
  await rig.calm()
  const standings = await Promise.race([answer, Promise.resolve(null)])
  return standings === null ? 'waits' : standings.get(ALICE)?.state
}

describe('order', () => {
  test('a first message that fails holds back later ones, which follow in order', async () => {
    const rig = await running()
    const endpoint = scripted('1', [RETRY, RETRY, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const mids = [await rig.push(), await rig.push(), await rig.push()]
    await rig.calm()
    expect(endpoint.sent.map(({ mid }) => mid)).toEqual([mids[0]])
    await rig.clock.advance(3_000)
    expect(endpoint.sent.map(({ mid }) => mid)).toEqual([mids[0], mids[0], ...mids])
  })

  test('holds over a restart', async () => {
    const rig = await running()
    const endpoint = scripted('1', [RETRY, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const first = await rig.push()
    await rig.calm()
    await rig.close()
    const next = await restart(rig)
    const second = await next.push()
    await next.clock.advance(6_000)
    expect(endpoint.sent.map(({ mid }) => mid)).toEqual([first, first, second])
  })

  test('does not bind channels without it: a retry may come after a newer message', async () => {
    const rig = await running()
    const endpoint = scripted('1', [RETRY, DELIVERED], { ordered: false })
    rig.plans.set(ALICE, [step([endpoint])])
    const [first, second] = [await rig.push(), await rig.push()]
    await rig.clock.advance(1_000)
    expect(endpoint.sent.map(({ mid }) => mid)).toEqual([first, second, first])
  })

  test('one recipient has one message in flight, another does not wait for it', async () => {
    const rig = await running()
    const slow = pending()
    const [mine, theirs] = [scripted('1', [slow.outcome]), scripted('2')]
    rig.plans.set(ALICE, [step([mine])]).set('bob@user', [step([theirs])])
    await rig.push()
    await rig.push()
    const other = await rig.push('bob@user')
    await rig.calm()
    expect(mine.sent).toHaveLength(1)
    expect(theirs.sent).toMatchObject([{ mid: other }])
    slow.say(DELIVERED)
    await rig.calm()
    expect(mine.sent).toHaveLength(2)
  })
})

describe('a dead endpoint', () => {
  test('costs the same for 10,000 waiting messages as for one', async () => {
    const work = { claimed: 0, steps: 0 }
    const rig = await running((store) => ({
      ...watched(store, (ops) => void (work.steps += ops.filter(({ op }) => op === 'step').length)),
      async claim(now, limit, leaseMs) {
        const claimed = await store.claim(now, limit, leaseMs)
        work.claimed += claimed.length
        return claimed
      },
    }))
    const endpoint = scripted('1', [RETRY])
    rig.plans.set(ALICE, [step([endpoint])])
    for (let i = 0; i < 10_000; i++) await rig.push()
    await rig.clock.advance(600_000)
    expect(endpoint.sent.length).toBeGreaterThan(10)
    expect(work).toEqual({ claimed: endpoint.sent.length, steps: endpoint.sent.length })
  })

  test('does not keep others from their turn, however many hang', async () => {
    const rig = await running()
    const never = pending()
    const hanging = Array.from({ length: 200 }, (_, i) => `h${i}@user`)
    for (const name of hanging) rig.plans.set(name, [step([scripted(name, [never.outcome])])])
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    await rig.push(hanging)
    const mid = await rig.push()
    await rig.calm()
    expect(endpoint.sent).toMatchObject([{ mid }])
    never.say(DELIVERED)
  })
})

describe('the reply', () => {
  test('waits for an attempt in flight and not longer', async () => {
    const rig = await running()
    const first = pending()
    rig.plans.set(ALICE, [step([scripted('1', [first.outcome])])])
    const mid = await rig.push()
    const answer = rig.replies.settled(mid, 5_000)
    await rig.calm()
    expect(await Promise.race([answer, Promise.resolve('waits')])).toBe('waits')
    first.say(RETRY)
    await rig.calm()
    expect((await answer).get(ALICE)).toMatchObject({ state: 'queued' })
  })

  test('does not wait behind a message that is backing off', async () => {
    const rig = await running()
    const first = pending()
    rig.plans.set(ALICE, [step([scripted('1', [first.outcome])])])
    const failing = await rig.push()
    const behind = await rig.push()
    expect(await answerOf(rig, behind)).toBe('waits')
    const [one, two] = [rig.replies.settled(failing, 5_000), rig.replies.settled(await rig.push(), 5_000)]
    first.say(RETRY)
    await rig.calm()
    expect((await one).get(ALICE)?.state).toBe('queued')
    expect((await two).get(ALICE)?.state).toBe('queued')
    expect(await answerOf(rig, await rig.push())).toBe('queued')
  })

  test('tells of the message in front and of its own', async () => {
    const rig = await running()
    const first = pending()
    rig.plans.set(ALICE, [step([scripted('1', [first.outcome, DELIVERED])])])
    const answers = [await rig.push(), await rig.push()].map((mid) => rig.replies.settled(mid, 5_000))
    first.say(DELIVERED)
    await rig.calm()
    for (const answer of answers) expect((await answer).get(ALICE)).toMatchObject({ state: 'delivered', via: 'test' })
  })

  test('says failed when nothing can work', async () => {
    const rig = await running()
    rig.plans.set(ALICE, [step([scripted('1', [FAILED])])])
    expect(await answerOf(rig, await rig.push())).toBe('failed')
  })
})

describe('leases', () => {
  test('a crash in mid-attempt: tried again after the start, as a possible duplicate', async () => {
    const rig = await running()
    const endpoint = scripted('1', [new Promise(() => {}), DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    void rig.runner.stop()
    const next = await restart(rig)
    await next.clock.advance(120_000)
    expect(await next.store.attempts(mid, ALICE)).toMatchObject([
      { n: 1, endedAt: null, maybeDuplicate: false },
      { n: 2, outcome: 'delivered', maybeDuplicate: true },
    ])
    open.splice(open.indexOf(rig), 1)
    await rig.outbound.close()
  })

  test('and on a channel that would rather not repeat: given up', async () => {
    const rig = await running()
    const endpoint = scripted('1', [new Promise(() => {})], { onUnknown: 'skip' })
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    void rig.runner.stop()
    const next = await restart(rig)
    await next.clock.advance(120_000)
    expect(endpoint.sent).toHaveLength(1)
    expect(await next.delivery(mid)).toMatchObject({ state: 'failed', dueAt: null })
    open.splice(open.indexOf(rig), 1)
    await rig.outbound.close()
  })

  test('one that runs out in our own hands is renewed: nothing is sent twice', async () => {
    const rig = await running()
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.clock.advance(500_000)
    expect(endpoint.sent).toHaveLength(1)
    slow.say(DELIVERED)
    await rig.calm()
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null, step: 1 })
  })

  test('one that another took over: the outcome is kept, the schedule is theirs', async () => {
    const rig = await running()
    const slow = pending()
    rig.plans.set(ALICE, [step([scripted('1', [slow.outcome])])])
    const mid = await rig.push()
    await rig.calm()
    rig.clock.jump(200_000)
    const [theirs] = await rig.store.claim(rig.clock.now(), 1, 60_000)
    expect(theirs?.delivery.mid).toBe(mid)
    slow.say(RETRY)
    await rig.calm()
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([{ outcome: 'retry' }])
    const before = theirs?.delivery.dueAt
    expect(await rig.delivery(mid)).toMatchObject({ dueAt: before, holds: false })
  })
})

describe('start and stop', () => {
  test('overdue work waits 5 s, so that sessions can come back', async () => {
    const rig = keep(await startRig())
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.runner.start()
    rig.runner.wake()
    await rig.clock.advance(4_999)
    await rig.push('bob@user')
    expect(endpoint.sent).toEqual([])
    await rig.clock.advance(1)
    expect(endpoint.sent).toMatchObject([{ mid }])
  })

  test('without overdue work there is nothing to wait for', async () => {
    const rig = await running()
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    await rig.push()
    await rig.calm()
    expect(endpoint.sent).toHaveLength(1)
  })

  test('stop waits for what is in flight and starts nothing more', async () => {
    const rig = await running()
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.push()
    await rig.calm()
    const stopped = rig.runner.stop()
    await rig.calm()
    expect(await Promise.race([stopped, Promise.resolve('waits')])).toBe('waits')
    slow.say(DELIVERED)
    await stopped
    await rig.clock.advance(600_000)
    expect(endpoint.sent).toHaveLength(1)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered' })
    expect(rig.clock.pending).toBe(0)
  })

  test('far-off work does not spin the clock, which runs no further than a minute at a time', async () => {
    const clock = testClock()
    const delays: number[] = []
    const { after } = clock
    clock.after = (ms, fn) => {
      delays.push(ms)
      return after(ms, fn)
    }
    const rig = keep(await startRig((store) => store, clock))
    await rig.push(ALICE, { expiresAt: clock.now() + 3_000_000_000 })
    await rig.runner.start()
    await clock.advance(600_000)
    expect(delays.length).toBeLessThan(20)
    expect(Math.max(...delays)).toBeLessThanOrEqual(60_000)
  })
})

describe('a store without room', () => {
  /** Refuses writes of a new state while `error` is set. */
  function refusing(refused: { error: Error | null }): (store: Store) => Store {
    return (store) =>
      watched(store, (ops) => {
        if (refused.error && ops.some(({ op }) => op === 'raise')) throw refused.error
      })
  }

  test.each([new StoreBusy('busy'), new StoreFull('full')])('%s: the outcome is written when there is', async (error) => {
    const refused: { error: Error | null } = { error: null }
    const rig = await running(refusing(refused))
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    refused.error = error
    slow.say(DELIVERED)
    await rig.clock.advance(30_000)
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([{ endedAt: null }])
    refused.error = null
    await rig.clock.advance(1_000)
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([{ outcome: 'delivered' }])
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', dueAt: null })
    expect(endpoint.sent).toHaveLength(1)
  })

  test('for good: the attempt stays one without an outcome, and is repeated as that', async () => {
    const refused: { error: Error | null } = { error: null }
    const rig = await running(refusing(refused))
    const slow = pending()
    const endpoint = scripted('1', [slow.outcome, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const mid = await rig.push()
    await rig.calm()
    refused.error = new StoreFailed('EIO')
    slow.say(DELIVERED)
    await rig.calm()
    expect(rig.lines.join('')).toContain('a delivery could not be moved on')
    refused.error = null
    await rig.clock.advance(120_000)
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([
      { endedAt: null },
      { outcome: 'delivered', maybeDuplicate: true },
    ])
  })

  test('does not keep the hub from stopping', async () => {
    const refused: { error: Error | null } = { error: null }
    const rig = await running(refusing(refused))
    const slow = pending()
    rig.plans.set(ALICE, [step([scripted('1', [slow.outcome])])])
    await rig.push()
    await rig.calm()
    refused.error = new StoreBusy('busy')
    slow.say(DELIVERED)
    await rig.calm()
    await rig.runner.stop()
    expect(rig.clock.pending).toBe(0)
  })

  test('to claim from: claimed again soon', async () => {
    let broken = true
    const rig = await running((store) => ({
      ...store,
      claim: (now, limit, leaseMs) =>
        broken ? Promise.reject(new StoreBusy('busy')) : store.claim(now, limit, leaseMs),
    }))
    const endpoint = scripted('1')
    rig.plans.set(ALICE, [step([endpoint])])
    await rig.push()
    await rig.clock.advance(3_000)
    expect(endpoint.sent).toEqual([])
    broken = false
    await rig.clock.advance(1_000)
    expect(endpoint.sent).toHaveLength(1)
  })
})

describe('real webhooks', () => {
  function endpointOf(client: Record<string, unknown>): Endpoint {
    const [configured] = webhook.configured({ retryTimeout: 3000, clients: [{ name: 'alice', ...client }] })
    if (!configured) throw new Error('the webhook was not configured')
    return configured.endpoint
  }

  test('are retried from retryTimeout on, never before Retry-After, and end with 2xx', async () => {
    const rig = await running()
    const receiver = keep(await startReceiver(status(500)))
    rig.plans.set(ALICE, [step([endpointOf({ url: receiver.url })])])
    const mid = await rig.push()
    const tried = (count: number) =>
      rig.until(async () => (await rig.store.attempts(mid, ALICE))[count - 1]?.endedAt != null)

    await tried(1)
    await rig.clock.advance(2_999)
    expect(receiver.requests).toHaveLength(1)
    receiver.answer = status(429, { 'retry-after': '60' })
    await rig.clock.advance(1)
    await tried(2)
    await rig.clock.advance(59_999)
    expect(receiver.requests).toHaveLength(2)
    receiver.answer = status(204)
    await rig.clock.advance(1)
    await tried(3)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', via: 'webhook', open: false })
    expect((await rig.store.attempts(mid, ALICE)).map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['retry', 'HTTP 500'],
      ['retry', 'HTTP 429'],
      ['delivered', null],
    ])
  })

  test('beside a live session: whoever has it first, the other still gets it', async () => {
    const rig = await running()
    rig.connecting.add(ALICE)
    const receiver = keep(await startReceiver())
    rig.plans.set(ALICE, [step([endpointOf({ url: receiver.url })])])
    const byHook = await rig.push()
    await rig.until(async () => (await rig.delivery(byHook)).dueAt === null)
    expect(await rig.delivery(byHook)).toMatchObject({ state: 'delivered', open: true })

    const bySession = await rig.push()
    await rig.settle.now([event(bySession, ALICE, 'delivered', { via: 'websocket', closes: true })], [])
    await rig.until(async () => (await rig.delivery(bySession)).dueAt === null)
    expect(receiver.requests).toHaveLength(2)
    expect(await rig.delivery(bySession)).toMatchObject({ state: 'delivered', via: 'websocket', open: false })
  })

  test('a dead one tells no secret, in no line and no record', async () => {
    const rig = await running()
    const proxy = { host: '127.0.0.1', port: 1, auth: { username: 'canary-user', password: 'canary-password' } }
    const secret = 'canary-secret'
    const ways: Record<string, unknown>[] = [
      { url: 'http://canary-me:canary-pw@127.0.0.1:1/canary-path?canary=1' },
      { url: 'http://127.0.0.1:1/canary-path', secret, method: 'GET' },
      { url: 'http://a.test/canary-path', proxy },
      { url: 'https://a.test/canary-path', proxy, secret },
    ]
    rig.plans.set(ALICE, [step(ways.map(endpointOf))])
    const mid = await rig.push()
    await rig.until(async () => (await rig.delivery(mid)).holds)
    const told = JSON.stringify([await rig.store.attempts(mid, ALICE), await rig.delivery(mid)]) + rig.lines.join('')
    expect(told.match(/ECONNREFUSED/g)?.length).toBeGreaterThanOrEqual(8)
    expect(told).not.toMatch(/canary/)
    expect(HUB_TOKEN).toMatch(/canary/)
  })
})
