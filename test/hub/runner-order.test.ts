import { describe, expect, test } from 'vitest'
import { StoreBusy } from '../../server/store/store.ts'
import { random } from '../crash/random.ts'
import {
  ALICE,
  DELIVERED,
  FAILED,
  pending,
  restart,
  RETRY,
  type Rig,
  running,
  scripted,
  step,
  watched,
} from '../helpers/runner.ts'
import { slowStore } from '../helpers/slow-store.ts'

describe('order', () => {
  test('a first message that fails holds back later ones, which follow in order', async () => {
    const rig = await running()
    const endpoint = scripted('1', [RETRY, RETRY, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const mids = [await rig.push(), await rig.push(), await rig.push()]
    await rig.calm()
    expect(endpoint.sent.map(({ frame }) => frame.mid)).toEqual([mids[0]])
    await rig.clock.advance(3_000)
    expect(endpoint.sent.map(({ frame }) => frame.mid)).toEqual([mids[0], mids[0], ...mids])
  })

  test('holds over a restart', async () => {
    const rig = await running()
    const endpoint = scripted('1', [RETRY, DELIVERED])
    rig.plans.set(ALICE, [step([endpoint])])
    const first = await rig.push()
    await rig.calm()
    const next = await restart(rig)
    const second = await next.push()
    await next.clock.advance(6_000)
    expect(endpoint.sent.map(({ frame }) => frame.mid)).toEqual([first, first, second])
  })

  test('does not bind channels without it: a retry may come after a newer message', async () => {
    const rig = await running()
    const endpoint = scripted('1', [RETRY, DELIVERED], { ordered: false })
    rig.plans.set(ALICE, [step([endpoint])])
    const [first, second] = [await rig.push(), await rig.push()]
    await rig.clock.advance(1_000)
    expect(endpoint.sent.map(({ frame }) => frame.mid)).toEqual([first, second, first])
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
    expect(theirs.sent).toMatchObject([{ frame: { mid: other } }])
    slow.say(DELIVERED)
    await rig.calm()
    expect(mine.sent).toHaveLength(2)
  })
})

test('over a slow store everything arrives once, in order, through failures', async () => {
  for (const seed of [1, 2, 3]) {
    const chance = random(seed, 'outcomes')
    const rig = await running((store) => slowStore(store, { seed }))
    const endpoint = scripted('1', [])
    const arrived: string[] = []
    endpoint.send = async ({ frame: { mid } }) => {
      if (chance.chance(0.4)) return RETRY
      arrived.push(mid)
      return DELIVERED
    }
    rig.plans.set(ALICE, [step([endpoint])])
    const mids: string[] = []
    for (let i = 0; i < 30; i++) mids.push(await rig.push())
    for (let i = 0; i < 3_000 && arrived.length < mids.length; i++) await rig.clock.advance(1_000)
    expect(arrived).toEqual(mids)
  }
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
    expect(endpoint.sent).toMatchObject([{ frame: { mid } }])
    never.say(DELIVERED)
  })
})

/** What the sender is told, and whether it waited. */
async function answerOf(rig: Rig, mid: string): Promise<string | undefined> {
  const answer = rig.replies.settled(mid, 5_000, () => {})
  await rig.calm()
  const standings = await Promise.race([answer, Promise.resolve(null)])
  return standings === null ? 'waits' : standings.get(ALICE)?.state
}

describe('the reply', () => {
  test('waits for an attempt in flight and not longer', async () => {
    const rig = await running()
    const first = pending()
    rig.plans.set(ALICE, [step([scripted('1', [first.outcome])])])
    const mid = await rig.push()
    const answer = rig.replies.settled(mid, 5_000, () => {})
    await rig.calm()
    expect(await Promise.race([answer, Promise.resolve('waits')])).toBe('waits')
    first.say(RETRY)
    await rig.calm()
    expect((await answer).get(ALICE)).toMatchObject({ state: 'sent' })
  })

  test('does not wait behind a message that is backing off', async () => {
    const rig = await running()
    const first = pending()
    rig.plans.set(ALICE, [step([scripted('1', [first.outcome])])])
    const failing = await rig.push()
    const behind = await rig.push()
    expect(await answerOf(rig, behind)).toBe('waits')
    const [one, two] = [
      rig.replies.settled(failing, 5_000, () => {}),
      rig.replies.settled(await rig.push(), 5_000, () => {}),
    ]
    first.say(RETRY)
    await rig.calm()
    expect((await one).get(ALICE)?.state).toBe('sent')
    expect((await two).get(ALICE)?.state).toBe('queued')
    expect(await answerOf(rig, await rig.push())).toBe('queued')
  })

  test('tells of the message in front and of its own', async () => {
    const rig = await running()
    const first = pending()
    rig.plans.set(ALICE, [step([scripted('1', [first.outcome, DELIVERED])])])
    const answers = [await rig.push(), await rig.push()].map((mid) => rig.replies.settled(mid, 5_000, () => {}))
    first.say(DELIVERED)
    await rig.calm()
    for (const answer of answers) expect((await answer).get(ALICE)).toMatchObject({ state: 'delivered', via: 'test' })
  })

  test('does not wait for a store that gives no more work', async () => {
    let broken = false
    const rig = await running((store) => ({
      ...store,
      claim: (now, limit, leaseMs) =>
        broken ? Promise.reject(new StoreBusy('busy')) : store.claim(now, limit, leaseMs),
    }))
    const first = pending()
    rig.plans.set(ALICE, [step([scripted('1', [first.outcome])])])
    const answer = rig.replies.settled(await rig.push(), 5_000, () => {})
    await rig.calm()
    broken = true
    first.say(RETRY)
    await rig.calm()
    expect((await answer).get(ALICE)?.state).toBe('sent')
  })

  test('says failed when nothing can work', async () => {
    const rig = await running()
    rig.plans.set(ALICE, [step([scripted('1', [FAILED])])])
    expect(await answerOf(rig, await rig.push())).toBe('failed')
  })
})
