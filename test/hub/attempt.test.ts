import { beforeEach, describe, expect, test } from 'vitest'
import { attempt, type AttemptOptions } from '../../server/hub/attempt.ts'
import { createSettle } from '../../server/hub/settle.ts'
import type { Claimed } from '../../server/store/store.ts'
import {
  ALICE,
  DELIVERED,
  pending,
  RETRY,
  type Rig,
  scripted,
  type Scripted,
  startRig,
  step,
  watched,
} from '../helpers/runner.ts'

const STEP = step([])
let rig: Rig
let options: AttemptOptions
beforeEach(async () => {
  rig = await startRig()
  options = { ...rig.options, persist: (write) => write() }
})

/** A push, claimed as the runner would. */
async function claim(endpoint: Scripted): Promise<Claimed> {
  rig.plans.set(ALICE, [step([endpoint])])
  await rig.push()
  const [work] = await rig.store.claim(rig.clock.now(), 1, 1_000)
  if (!work) throw new Error('nothing was due')
  return work
}

describe('one try', () => {
  test('is on record before the call, and whole after it', async () => {
    const { outcome, say } = pending()
    const endpoint = scripted('1', [outcome])
    const work = await claim(endpoint)
    const { mid } = work.delivery
    const startedAt = rig.clock.now()
    const ended = attempt(options, work, STEP, endpoint, 7)
    await rig.calm()

    const begun = { n: 7, step: 0, endpoint: 'test:1', channel: 'test', startedAt, endedAt: null, outcome: null }
    expect(endpoint.sent).toHaveLength(1)
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([begun])

    await rig.clock.advance(250)
    say(RETRY)
    const whole = {
      ...begun,
      endedAt: startedAt + 250,
      outcome: 'retry',
      detail: 'HTTP 500',
      retryAt: startedAt + 1_250,
    }
    expect(await ended).toMatchObject(whole)
    expect(await rig.store.attempts(mid, ALICE)).toMatchObject([whole])
  })

  test('is not made when it cannot be written down', async () => {
    const endpoint = scripted('1')
    const work = await claim(endpoint)
    const broken = watched(rig.store, () => {
      throw new Error('the disk is gone')
    })
    const settle = createSettle({ ...rig, store: broken, log: rig.options.log })
    await expect(attempt({ ...options, store: broken, settle }, work, STEP, endpoint, 1)).rejects.toThrow(
      'the disk is gone',
    )
    expect(endpoint.sent).toEqual([])
  })

  test('records its begin and that it was sent in one write, its outcome and the state that means in another', async () => {
    const endpoint = scripted('1')
    const work = await claim(endpoint)
    const writes: string[][] = []
    const store = watched(rig.store, (ops) => void writes.push(ops.map(({ op }) => op)))
    const settle = createSettle({ ...rig, store, log: rig.options.log })
    await attempt({ ...options, store, settle }, work, STEP, endpoint, 1)
    expect(writes).toEqual([
      ['raise', 'attempt'],
      ['raise', 'attempt'],
    ])
  })

  test('after one whose outcome nobody knows may be a duplicate, and says so', async () => {
    const endpoint = scripted('1', [DELIVERED])
    const work = await claim(endpoint)
    const crashed = {
      step: 0,
      endpoint: endpoint.id,
      channel: 'test',
      startedAt: 1,
      detail: null,
      maybeDuplicate: false,
    }
    const lost = { ...crashed, n: 1, endedAt: null, outcome: null }
    expect(await attempt(options, { ...work, attempts: [lost] }, STEP, endpoint, 2)).toMatchObject({
      maybeDuplicate: true,
    })
    const timedOut = { ...crashed, n: 1, endedAt: 2, outcome: 'unknown' }
    expect(await attempt(options, { ...work, attempts: [timedOut] }, STEP, endpoint, 2)).toMatchObject({
      maybeDuplicate: true,
    })
    const refused = { ...crashed, n: 1, endedAt: 2, outcome: 'retry' }
    expect(await attempt(options, { ...work, attempts: [refused] }, STEP, endpoint, 2)).toMatchObject({
      maybeDuplicate: false,
    })
  })

  test('on a channel that throws, against its contract, ends as unknown without its words', async () => {
    const endpoint = scripted('1', [])
    const work = await claim(endpoint)
    endpoint.send = () => Promise.reject(new TypeError('canary-url'))
    expect(await attempt(options, work, STEP, endpoint, 1)).toMatchObject({ outcome: 'unknown', detail: 'TypeError' })
    expect(rig.lines.join('')).toContain('a channel threw')
    expect(rig.lines.join('')).not.toContain('canary')
  })

  test('is logged in the documented words', async () => {
    const endpoint = scripted('1', [RETRY, DELIVERED])
    const work = await claim(endpoint)
    await attempt(options, work, STEP, endpoint, 1)
    await attempt(options, work, STEP, endpoint, 2)
    const lines = rig.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const facts = { mid: work.delivery.mid, recipient: 'alice', platform: 'test', endpoint: 'test:1', ms: 0 }
    expect(lines).toMatchObject([
      { ...facts, level: 'error', msg: '消息推送失败', outcome: 'retry', error: 'HTTP 500' },
      { ...facts, level: 'info', msg: '消息推送成功', outcome: 'delivered' },
    ])
  })
})
