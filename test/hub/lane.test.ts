import { describe, expect, test } from 'vitest'
import { TOO_SLOW_BYTES, SLOW_BYTES } from '../../server/hub/session.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import { testClock } from '../helpers/clock.ts'
import { laneRig, RETRY_MS, WAIT_MS } from '../helpers/lane.ts'

const ALICE = 'alice@user'

describe('a session with a window of one', () => {
  test('gets a frame at once, the next one after its ack, in the order of acceptance', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice')
    const answers = ['one', 'two', 'three'].map((text) => rig.push('alice', text))
    await rig.calm()
    expect(alice.texts).toEqual(['one'])
    for (const texts of [
      ['one', 'two'],
      ['one', 'two', 'three'],
    ]) {
      expect(alice.ackLast()).toBe(true)
      await rig.calm()
      expect(alice.texts).toEqual(texts)
    }
    alice.ackLast()
    const states = (await Promise.all(answers)).map(({ standings }) => standings.get(ALICE)?.state)
    expect(states).toEqual(['delivered', 'delivered', 'delivered'])
    expect(alice.mids).toEqual(alice.mids.toSorted())
  })

  test('gets what waited when it opens, oldest first, and nothing before it reads on', async () => {
    const rig = await laneRig()
    await rig.push('alice', 'one')
    await rig.push('alice', 'two')
    const alice = await rig.open('alice')
    expect(alice.texts).toEqual(['one'])
    alice.ackLast()
    await rig.calm()
    expect(alice.texts).toEqual(['one', 'two'])
  })
})

test('a wider window fills, and an ack out of order makes room for one more', async () => {
  const rig = await laneRig()
  const alice = await rig.open('alice', { window: 2 })
  for (const text of ['one', 'two', 'three', 'four']) void rig.push('alice', text)
  await rig.calm()
  expect(alice.texts).toEqual(['one', 'two'])
  rig.hub.sessions.ackInFlight(alice.session, alice.mids[1] ?? '')
  await rig.calm()
  expect(alice.texts).toEqual(['one', 'two', 'three'])
})

describe('an ack that is overdue', () => {
  test('brings the frame again after the retry time, slower after some tries, whatever the wall clock does', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice')
    void rig.push('alice', 'one')
    await rig.calm()
    rig.clock.jump(-24 * 3_600_000)
    await rig.clock.advance(RETRY_MS - 1)
    expect(alice.texts).toHaveLength(1)
    await rig.clock.advance(1)
    expect(alice.texts).toHaveLength(2)
    await rig.clock.advance(2 * RETRY_MS)
    const steady = alice.texts.length
    expect(steady).toBeGreaterThanOrEqual(3)
    await rig.clock.advance(600_000)
    expect(alice.texts.length - steady).toBeLessThan(20)
    expect(new Set(alice.mids).size).toBe(1)
  })

  test('brings nothing to a session that is gone', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice')
    void rig.push('alice', 'one')
    await rig.calm()
    rig.hub.sessions.disconnect(alice.session)
    await rig.clock.advance(60_000)
    expect(alice.texts).toEqual(['one'])
    expect(rig.clock.pending).toBe(0)
  })
})

describe('acks that do not count', () => {
  test('of a mid that is unknown, foreign, malformed or acked already change nothing', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice')
    const bob = await rig.open('bob')
    const answer = rig.push('alice', 'one')
    await rig.calm()
    const mid = alice.mids[0] ?? ''
    const { sessions } = rig.hub
    expect(sessions.ackInFlight(bob.session, mid)).toBe(false)
    expect(await sessions.ack('bob@user', mid, { session: bob.session })).toBe(false)
    for (const wrong of ['1', '0000000000001', '9999999999999', 'abc', `${mid}0`]) {
      expect(await sessions.ack(ALICE, wrong, { session: alice.session })).toBe(false)
    }
    expect((await rig.store.delivery(mid, ALICE))?.state).toBe('queued')
    await rig.clock.advance(RETRY_MS / 2)
    expect((await rig.store.delivery(mid, ALICE))?.state).toBe('sent')
    expect(alice.ackLast()).toBe(true)
    expect(await sessions.ack(ALICE, mid, { session: alice.session })).toBe(false)
    expect((await answer).standings.get(ALICE)?.state).toBe('delivered')
    expect(alice.texts).toEqual(['one'])
  })

  test('but one over another way than the session counts, and moves the session on', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice')
    void rig.push('alice', 'one')
    void rig.push('alice', 'two')
    await rig.calm()
    expect(await rig.hub.sessions.ack(ALICE, alice.mids[0] ?? '', {})).toBe(true)
    await rig.calm()
    expect(alice.texts).toEqual(['one', 'two'])
  })
})

describe('a session that reads slowly', () => {
  test('is left to the store, then closed, and costs others nothing', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice', { window: 100 })
    const bob = await rig.open('bob')
    alice.buffered = SLOW_BYTES
    void rig.push('all@group', 'one')
    await rig.calm()
    expect(alice.texts).toEqual([])
    expect(bob.texts).toEqual(['one'])
    alice.buffered = 0
    await rig.clock.advance(RETRY_MS)
    expect(alice.texts).toEqual(['one'])
    alice.buffered = TOO_SLOW_BYTES + 1
    await rig.clock.advance(RETRY_MS)
    expect(alice.closed).toEqual([1013])
    const again = await rig.open('alice')
    expect(again.texts).toEqual(['one'])
  })
})

describe('a second login', () => {
  test('of the same place closes the first with 4001 and takes over what is not acked; the sender waits on', async () => {
    const rig = await laneRig()
    const first = await rig.open('alice')
    const answer = rig.push('alice', 'one')
    await rig.calm()
    const second = await rig.open('alice')
    expect(first.closed).toEqual([4001])
    expect(second.texts).toEqual(['one'])
    second.ackLast()
    expect((await answer).standings.get(ALICE)?.state).toBe('delivered')
  })

  test('of another device stands beside it; an ack clears the others', async () => {
    const rig = await laneRig()
    const phone = await rig.open('alice', { device: 'phone' })
    const laptop = await rig.open('alice', { device: 'laptop' })
    void rig.push('alice', 'one')
    await rig.calm()
    expect([phone.texts, laptop.texts]).toEqual([['one'], ['one']])
    phone.ackLast()
    await rig.calm()
    expect(laptop.packets).toEqual([{ cmd: 'CLEAR', data: { mid: phone.mids[0], by: 'phone' } }])
    expect(phone.packets).toEqual([])
    expect(phone.closed).toEqual([])
  })
})

describe('where somebody can confirm', () => {
  test('an ack moves only its own device on, also over a restart; a confirm clears all', async () => {
    const clock = testClock()
    const store = createMemoryStore({ clock })
    await store.open()
    const rig = await laneRig(store, clock)
    const phone = await rig.open('alice', { device: 'phone', confirms: true })
    const answer = rig.push('alice', 'one')
    await rig.calm()
    phone.ackLast()
    expect((await answer).standings.get(ALICE)?.state).toBe('delivered')
    await rig.calm()
    const mid = phone.mids[0] ?? ''

    const next = await laneRig(store, clock)
    const phoneAgain = await next.open('alice', { device: 'phone', confirms: true })
    const laptop = await next.open('alice', { device: 'laptop', confirms: true })
    expect(phoneAgain.texts).toEqual([])
    expect(laptop.texts).toEqual(['one'])

    expect(await next.hub.sessions.confirm(ALICE, mid, 'laptop')).toEqual({ by: 'laptop', repeated: false })
    const cleared = [{ cmd: 'CLEAR', data: { mid, by: 'laptop' } }]
    expect([phoneAgain.packets, laptop.packets]).toEqual([cleared, cleared])
    expect(await store.delivery(mid, ALICE)).toMatchObject({ state: 'confirmed', by: 'laptop', open: false })
    expect(await next.hub.sessions.confirm(ALICE, mid, 'phone')).toEqual({ by: 'laptop', repeated: true })
    expect(await next.hub.sessions.confirm('bob@user', mid, 'bob')).toBeNull()
  })

  test('of two confirms at the same moment one is first', async () => {
    const rig = await laneRig()
    const { mid } = await rig.push('alice', 'one')
    const both = await Promise.all(['x', 'y'].map((by) => rig.hub.sessions.confirm(ALICE, mid ?? '', by)))
    const [first] = both
    expect(both.filter((said) => said?.repeated === false)).toHaveLength(1)
    expect(both.every((said) => said?.by === first?.by)).toBe(true)
  })
})

test('a push in slices is not overtaken by a later one', async () => {
  const rig = await laneRig()
  const names = Array.from({ length: 2_500 }, (_, n) => `member ${n}`)
  for (const name of names) await rig.directory.join(`${name}@user`, 'crowd@group')
  const last = await rig.open('member 2499', { window: 5 })
  const answers = [rig.push('crowd@group', 'big'), rig.push('member 2499', 'small')]
  for (let turn = 0; turn < 10; turn += 1) await rig.calm()
  expect(last.texts).toEqual(['big', 'small'])
  await rig.clock.advance(WAIT_MS)
  expect((await Promise.all(answers)).map(({ standings }) => standings.size)).toEqual([2_500, 1])
})

describe('reading on', () => {
  /** How often an inbox was read. */
  async function countingRig(room = 200) {
    const clock = testClock()
    const store = createMemoryStore({ clock })
    await store.open()
    const reads: string[] = []
    const inbox: typeof store.inbox = (recipient, page) => {
      reads.push(recipient)
      return store.inbox(recipient, page)
    }
    const rig = await laneRig({ ...store, inbox }, clock, { count: room, bytes: 10_000_000 })
    return { rig, reads }
  }

  test('a whole window of acks is answered by one page', async () => {
    const { rig, reads } = await countingRig()
    for (let n = 0; n < 120; n += 1) await rig.push('alice', String(n), { waitMs: 0 })
    const alice = await rig.open('alice', { window: 50 })
    for (const total of [50, 100, 120]) {
      expect(alice.texts).toHaveLength(total)
      for (const mid of alice.mids.slice(-50)) rig.hub.sessions.ackInFlight(alice.session, mid)
      await rig.calm()
    }
    expect(reads.length).toBeLessThanOrEqual(4)
  })

  test('after a storm all are served, some in each turn of the event loop', async () => {
    const { rig, reads } = await countingRig()
    const names = Array.from({ length: 1_000 }, (_, n) => `member ${n}`)
    for (const name of names) await rig.directory.join(`${name}@user`, 'crowd@group')
    await rig.push('crowd@group', 'x', { waitMs: 0 })
    const all = names.map((name) => rig.connect(name))
    for (const { session } of all) session.catchUp()
    await new Promise(setImmediate)
    expect(reads.length).toBeGreaterThan(0)
    expect(reads.length).toBeLessThan(200)
    while (reads.length < 1_000) await rig.calm()
    await rig.calm()
    expect(all.every(({ texts }) => texts.length === 1)).toBe(true)
  })

  test('a tick leaves those alone that a push in slices will reach', async () => {
    const { rig, reads } = await countingRig()
    const names = Array.from({ length: 2_000 }, (_, n) => `member ${n}`)
    for (const name of names) await rig.directory.join(`${name}@user`, 'crowd@group')
    const [first, last] = [await rig.open('member 0'), await rig.open('member 1999')]
    const before = reads.length
    void rig.push('crowd@group', 'x')
    while (first.texts.length === 0) await new Promise(setImmediate)
    await rig.clock.advance(RETRY_MS / 6)
    while (last.texts.length === 0) await rig.calm()
    expect(reads.length).toBe(before)
  })
})

test('what expired is not sent any more', async () => {
  const rig = await laneRig()
  await rig.push('alice', 'old', { expireMs: 1_000 })
  await rig.push('alice', 'new')
  await rig.clock.advance(1_000)
  const alice = await rig.open('alice')
  expect(alice.texts).toEqual(['new'])
})
