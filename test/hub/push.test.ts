import { describe, expect, test } from 'vitest'
import type { Standing } from '../../server/protocol/states.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import { refusalOf } from '../../server/store/refusal.ts'
import { type Store, StoreBusy, StoreFailed, StoreFull } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import { laneRig, WAIT_MS } from '../helpers/lane.ts'

const ALICE = 'alice@user'

function states(standings: ReadonlyMap<string, Standing | null>): Record<string, string | null> {
  return Object.fromEntries([...standings].map(([id, standing]) => [id, standing?.state ?? null]))
}

describe('resolve', () => {
  test('a name that nobody has is told so at once, and nothing is accepted', async () => {
    const rig = await laneRig()
    const { mid, standings } = await rig.push('nobody', 'hello')
    expect(mid).toBeNull()
    expect(states(standings)).toEqual({ 'nobody@user': null })
    expect((await rig.store.list({}, { limit: 1 })).items).toEqual([])
  })

  test('a group that nobody is in reaches nobody', async () => {
    const rig = await laneRig()
    expect((await rig.push('empty@group', 'hello')).standings.size).toBe(0)
  })

  test('recipients are fixed when the message is accepted', async () => {
    const rig = await laneRig()
    const { mid } = await rig.push('all@group', 'hello')
    await rig.directory.join('dave@user', 'all@group')
    const { items } = await rig.store.deliveries(mid ?? '')
    expect(items.map(({ recipient }) => recipient)).toEqual(['alice@user', 'bob@user', 'carol@user'])
  })

  test('what belongs to the system is refused to all but the admin', async () => {
    const rig = await laneRig()
    await expect(rig.push('system', 'hello')).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(rig.push('system', 'hello', { caller: { kind: 'admin' } })).resolves.toMatchObject({ mid: null })
  })
})

describe('answer', () => {
  test('comes at once when nobody is there', async () => {
    const rig = await laneRig()
    expect(states((await rig.push('alice', 'hello')).standings)).toEqual({ [ALICE]: 'queued' })
  })

  test('waits for the ack of a live session, at most the time that was given', async () => {
    const rig = await laneRig()
    await rig.open('alice')
    let answered = false
    const answer = rig.push('alice', 'hello').finally(() => (answered = true))
    await rig.clock.advance(WAIT_MS - 1)
    expect(answered).toBe(false)
    await rig.clock.advance(1)
    expect(states((await answer).standings)).toEqual({ [ALICE]: 'sent' })
  })

  test('of a group comes when the last of its live sessions acked', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice')
    const bob = await rig.open('bob')
    let answered = false
    const answer = rig.push('all@group', 'hello').finally(() => (answered = true))
    await rig.calm()
    alice.ackLast()
    await rig.calm()
    expect(answered).toBe(false)
    bob.ackLast()
    expect(states((await answer).standings)).toEqual({
      [ALICE]: 'delivered',
      'bob@user': 'delivered',
      'carol@user': 'queued',
    })
  })

  test('comes when the session that owes the ack is gone', async () => {
    const rig = await laneRig()
    const alice = await rig.open('alice')
    const answer = rig.push('alice', 'hello')
    await rig.calm()
    rig.hub.sessions.disconnect(alice.session)
    expect(states((await answer).standings)).toEqual({ [ALICE]: 'sent' })
  })

  test('comes when the recipient is removed, and when the hub stops', async () => {
    const rig = await laneRig()
    await rig.open('alice')
    await rig.open('bob')
    const toAlice = rig.push('alice', 'hello')
    const toBob = rig.push('bob', 'hello')
    await rig.calm()
    await rig.hub.remove(ALICE)
    expect(states((await toAlice).standings)).toEqual({ [ALICE]: 'removed' })
    await rig.hub.stop()
    expect(states((await toBob).standings)).toEqual({ 'bob@user': 'sent' })
    await expect(rig.push('bob', 'late')).rejects.toMatchObject({ code: 'stopping' })
  })
})

describe('an idempotency key', () => {
  test('gives a repeat the first mid and the states as they are now', async () => {
    const rig = await laneRig()
    const first = await rig.push('alice', 'hello', { idempotencyKey: 'k' })
    const alice = await rig.open('alice')
    alice.ackLast()
    const again = await rig.push('alice', 'hello', { idempotencyKey: 'k' })
    expect(again.mid).toBe(first.mid)
    expect(states(again.standings)).toEqual({ [ALICE]: 'delivered' })
    expect(alice.texts).toEqual(['hello'])
  })

  test('gives the first mid again when nobody of those that were meant is left', async () => {
    const rig = await laneRig()
    await rig.directory.join('dave@user', 'crew@group')
    const first = await rig.push('crew@group', 'hello', { idempotencyKey: 'k' })
    await rig.hub.remove('dave@user')
    const again = await rig.push('crew@group', 'hello', { idempotencyKey: 'k' })
    expect(again.mid).toBe(first.mid)
    expect(states(again.standings)).toEqual({ 'dave@user': 'removed' })
    expect(await rig.push('crew@group', 'hello', { idempotencyKey: 'new' })).toMatchObject({ mid: null })
    await rig.directory.join('erin@user', 'crew@group')
    expect((await rig.push('crew@group', 'other', { idempotencyKey: 'new' })).mid).not.toBeNull()
  })

  test('is refused with another message, and is each caller’s own', async () => {
    const rig = await laneRig()
    const { mid } = await rig.push('alice', 'hello', { idempotencyKey: 'k' })
    await expect(rig.push('alice', 'other', { idempotencyKey: 'k' })).rejects.toMatchObject({ status: 422 })
    await expect(rig.push('bob', 'hello', { idempotencyKey: 'k' })).rejects.toMatchObject({ status: 422 })
    const caller = { kind: 'client', id: 'bob@user' } as const
    expect((await rig.push('alice', 'other', { idempotencyKey: 'k', caller })).mid).not.toBe(mid)
  })
})

describe('an inbox without room', () => {
  test('is told of in a group; nobody with room is 429 and accepts nothing', async () => {
    const clock = testClock()
    const rig = await laneRig(null, clock, { count: 1, bytes: 1_000 })
    await rig.push('alice', 'one')
    const { standings } = await rig.push('all@group', 'two')
    expect(standings.get(ALICE)).toMatchObject({ state: 'failed', reason: 'full' })
    expect(standings.get('bob@user')).toMatchObject({ state: 'queued' })
    await expect(rig.push('alice', 'three')).rejects.toMatchObject({ status: 429 })
    const alice = await rig.open('alice')
    expect(alice.texts).toEqual(['one'])
  })
})

test.each([
  [new StoreFull('full'), 507],
  [new StoreBusy('busy'), 503],
  [new StoreFailed('failed'), 503],
])('a store that says %s makes a push fail with %i', async (error, status) => {
  const clock = testClock()
  const memory = createMemoryStore({ clock })
  await memory.open()
  async function write(): Promise<never> {
    throw error
  }
  const store: Store = { ...memory, write }
  const rig = await laneRig(store, clock)
  await expect(rig.push('alice', 'hello')).rejects.toBe(error)
  expect(refusalOf(error)).toMatchObject({ status })
  const alice = await rig.open('alice')
  expect(alice.texts).toEqual([])
})

test('a recipient that was removed and comes back starts empty', async () => {
  const rig = await laneRig()
  await rig.directory.join('dave@user', 'all@group')
  const { mid } = await rig.push('dave', 'old')
  await rig.hub.remove('dave@user')
  expect((await rig.push('dave', 'nobody there')).mid).toBeNull()
  await rig.directory.join('dave@user', null)
  const dave = await rig.open('dave')
  expect(dave.texts).toEqual([])
  expect(await rig.store.delivery(mid ?? '', 'dave@user')).toMatchObject({ state: 'removed', open: false })
  expect(await rig.hub.sessions.confirm('dave@user', mid ?? '', 'dave')).toBeNull()
})
