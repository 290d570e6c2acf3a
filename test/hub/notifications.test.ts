import { describe, expect, test } from 'vitest'
import type { Accept, Op, Store } from '../../server/store/store.ts'
import { SYSTEM } from '../../server/protocol/address.ts'
import type { Mid } from '../../server/protocol/states.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import { testClock } from '../helpers/clock.ts'
import { type LaneRig, laneRig } from '../helpers/lane.ts'

const ALL = { limit: 1_000, offset: 0 }
const NOBODY: Mid = '1700000000000'

/** What the hub writes when nothing took a message. */
function alarm(title: string, extra: Record<string, unknown> = {}): Accept {
  return {
    op: 'accept',
    message: {
      at: 1_800_000_000_000,
      from: { method: 'hub', name: '' },
      to: [SYSTEM],
      body: { text: title, desp: `${title} failed`, extra: { type: 'error', style: 'card', ...extra } },
      blobs: [],
      strategy: 'notify:alice@user',
      expiresAt: null,
    },
    recipients: [SYSTEM],
    planned: [],
  }
}

async function write(store: Store, ops: readonly Op[]): Promise<readonly Mid[]> {
  const written = await store.write(ops, 'sync')
  if (!written.ok) throw new Error(written.why)
  return written.mids.map(({ mid }) => mid)
}

/** A hub with notifications of these titles, the oldest first. */
async function withAlarms(...titles: string[]): Promise<LaneRig & { readonly mids: readonly Mid[] }> {
  const rig = await laneRig()
  const mids = await write(
    rig.store,
    titles.map((title) => alarm(title)),
  )
  return { ...rig, mids }
}

const titles = async ({ hub }: LaneRig, state: 'unread' | 'read' | 'all', page = ALL) =>
  (await hub.notifications.list(state, page)).items.map(({ title }) => title)

describe('what is listed', () => {
  test('an alarm tells what it is about', async () => {
    const rig = await laneRig()
    const [mid = ''] = await write(rig.store, [
      alarm('disk', { type: 'warning', strategy: 'all', reason: 'nobody took it', of: NOBODY }),
    ])
    expect(await rig.hub.notifications.find(mid)).toEqual({
      mid,
      at: 1_800_000_000_000,
      title: 'disk',
      text: 'disk failed',
      type: 'warning',
      style: 'card',
      strategy: 'all',
      reason: 'nobody took it',
      about: NOBODY,
      isRead: false,
    })
  })

  test('what the admin sent to system is about itself, whatever its extra says', async () => {
    const rig = await laneRig()
    await rig.directory.join(SYSTEM, null)
    const extra = { strategy: 'all', reason: 'because', of: NOBODY, type: 'nonsense', style: 'nonsense' }
    const { mid } = await rig.push('system', 'hello', {
      caller: { kind: 'admin' },
      body: { text: 'hello', desp: '', extra },
      waitMs: 0,
    })
    const { items } = await rig.hub.notifications.list('all', ALL)
    expect(items).toMatchObject([{ mid, strategy: null, reason: null, about: mid, type: 'info', style: 'text' }])
  })

  test('newest first, in pages', async () => {
    const rig = await withAlarms('a', 'b', 'c', 'd')
    expect(await titles(rig, 'all')).toEqual(['d', 'c', 'b', 'a'])
    expect(await titles(rig, 'unread', { limit: 2, offset: 1 })).toEqual(['c', 'b'])
    expect(await titles(rig, 'all', { limit: 2, offset: 3 })).toEqual(['a'])
    for (const state of ['unread', 'all'] as const) {
      for (const page of [
        { limit: 0, offset: 0 },
        { limit: 5, offset: 4 },
        { limit: 5, offset: 400 },
      ]) {
        expect(await rig.hub.notifications.list(state, page)).toEqual({ items: [], total: 4 })
      }
    }
  })

  test('messages of others are not', async () => {
    const rig = await laneRig()
    await rig.push('alice', 'hello')
    expect(await titles(rig, 'all')).toEqual([])
    const { items } = await rig.store.inbox('alice@user', { limit: 1 })
    const mid = items[0]?.mid ?? ''
    expect(await rig.hub.notifications.find(mid)).toBeNull()
    expect(await rig.hub.notifications.read(mid)).toBeNull()
    expect(await rig.hub.notifications.remove(mid)).toBe(false)
    expect(await rig.store.delivery(mid, 'alice@user')).toMatchObject({ state: 'queued', open: true })
  })

  test.each([
    ['expired', 'expired', 'expired'],
    ['without room', 'failed', 'full'],
  ] as const)('what is %s is not', async (_, state, reason) => {
    const rig = await withAlarms('a', 'b')
    const [mid = ''] = rig.mids
    const of = [[mid, [SYSTEM]]] as const
    await rig.store.write([{ op: 'raise', state, via: null, at: 1, reason, open: false, of }], 'sync')
    expect(await titles(rig, 'all')).toEqual(['b'])
    expect(await rig.hub.notifications.find(mid)).toBeNull()
  })
})

describe('reading', () => {
  test('moves one from unread to read, once and for all', async () => {
    const rig = await withAlarms('a', 'b', 'c')
    const [, mid = ''] = rig.mids
    expect(await rig.hub.notifications.read(mid)).toMatchObject({ title: 'b', isRead: true })
    expect(await titles(rig, 'unread')).toEqual(['c', 'a'])
    expect(await titles(rig, 'read')).toEqual(['b'])
    expect(await rig.hub.notifications.list('read', { limit: 0, offset: 0 })).toEqual({ items: [], total: 1 })
    expect(await rig.store.delivery(mid, SYSTEM)).toMatchObject({ state: 'delivered', open: false })

    rig.clock.jump(1_000)
    expect(await rig.hub.notifications.read(mid)).toMatchObject({ isRead: true })
    expect((await rig.store.delivery(mid, SYSTEM))?.at).toBe(rig.clock.now() - 1_000)
  })

  test('all of them says how many were unread', async () => {
    const rig = await withAlarms('a', 'b', 'c')
    await rig.hub.notifications.read(rig.mids[0] ?? '')
    expect(await rig.hub.notifications.readAll()).toBe(2)
    expect(await rig.hub.notifications.readAll()).toBe(0)
    expect(await titles(rig, 'unread')).toEqual([])
    expect(await titles(rig, 'read')).toEqual(['c', 'b', 'a'])
  })

  test('is what a session of system does that acks', async () => {
    const rig = await withAlarms('a')
    const session = await rig.open('system')
    expect(session.texts).toEqual(['a'])
    session.ackLast()
    await rig.calm()
    expect(await titles(rig, 'read')).toEqual(['a'])
  })

  test('takes it from sessions of system: none gets it any more', async () => {
    const rig = await withAlarms('a', 'b')
    const desk = await rig.open('system', { device: 'desk' })
    await rig.hub.notifications.readAll()
    expect(desk.packets).toEqual(rig.mids.toReversed().map((mid) => ({ cmd: 'CLEAR', data: { mid, by: 'system' } })))
    expect((await rig.open('system', { device: 'phone' })).texts).toEqual([])
  })
})

describe('removing', () => {
  test.each([
    ['unread', async () => {}],
    ['read', async ({ hub, mids }) => void (await hub.notifications.readAll(), mids)],
    [
      'acked by a session',
      async (rig) => {
        const session = await rig.open('system')
        session.ackLast()
        await rig.calm()
      },
    ],
    ['confirmed by a person', async ({ hub, mids }) => void (await hub.sessions.confirm(SYSTEM, mids[0] ?? '', 'me'))],
  ] as readonly (readonly [string, (rig: Awaited<ReturnType<typeof withAlarms>>) => Promise<void>])[])(
    'takes away one that was %s, for good',
    async (_, before) => {
      const rig = await withAlarms('a', 'b')
      await before(rig)
      const [mid = ''] = rig.mids
      expect(await rig.hub.notifications.remove(mid)).toBe(true)
      expect(await titles(rig, 'all')).toEqual(['b'])
      expect(await rig.hub.notifications.remove(mid)).toBe(false)
      expect(await rig.hub.notifications.read(mid)).toBeNull()
      expect(await rig.hub.sessions.confirm(SYSTEM, mid, 'me')).toBeNull()
      expect(await rig.store.delivery(mid, SYSTEM)).toMatchObject({ state: 'removed', open: false })
    },
  )

  test('all of them says how many there were', async () => {
    const rig = await withAlarms('a', 'b', 'c')
    await rig.hub.notifications.read(rig.mids[0] ?? '')
    expect(await rig.hub.notifications.removeAll()).toBe(3)
    expect(await rig.hub.notifications.removeAll()).toBe(0)
    expect(await titles(rig, 'all')).toEqual([])
    await write(rig.store, [alarm('d')])
    expect(await titles(rig, 'all')).toEqual(['d'])
  })
})

test('they are counted by state and type', async () => {
  const rig = await laneRig()
  const types = ['error', 'error', 'warning', 'success', 'nonsense', undefined]
  const [first = '', second = ''] = await write(
    rig.store,
    types.map((type) => alarm('x', { type })),
  )
  await rig.hub.notifications.read(first)
  await rig.hub.notifications.remove(second)
  const { unread, read, byType } = await rig.hub.notifications.count()
  expect({ unread, read, byType: Object.fromEntries(byType) }).toEqual({
    unread: 4,
    read: 1,
    byType: { error: 1, warning: 1, success: 1, info: 2 },
  })
})

describe('thousands of them', () => {
  const COUNT = 3_000

  async function many(): Promise<LaneRig> {
    const clock = testClock()
    const store = createMemoryStore({ clock })
    await store.open()
    await write(
      store,
      Array.from({ length: COUNT }, (_, n) => alarm(String(n))),
    )
    return laneRig(store, clock)
  }

  /** How many turns others had while this ran. */
  async function turnsDuring(run: () => Promise<unknown>): Promise<number> {
    let turns = 0
    let running = true
    const turn = () => {
      turns += 1
      if (running) setImmediate(turn)
    }
    setImmediate(turn)
    await run()
    running = false
    return turns
  }

  test('are walked whole, and others get their turn', async () => {
    const rig = await many()
    const { notifications } = rig.hub
    expect(await turnsDuring(() => notifications.list('all', ALL))).toBeGreaterThanOrEqual(COUNT / 200 - 1)
    expect(await turnsDuring(() => notifications.count())).toBeGreaterThanOrEqual(COUNT / 200 - 1)
    expect(await titles(rig, 'all', { limit: 2, offset: 2_997 })).toEqual(['2', '1'])
    expect(await titles(rig, 'unread', { limit: 2, offset: 2_998 })).toEqual(['1', '0'])
    expect(await notifications.list('unread', { limit: 1, offset: 199 })).toMatchObject({
      items: [{ title: '2800' }],
      total: COUNT,
    })
    expect(await turnsDuring(() => notifications.readAll())).toBeGreaterThanOrEqual(COUNT / 200 - 1)
    expect(await notifications.list('read', { limit: 1, offset: 2_999 })).toMatchObject({
      items: [{ title: '0' }],
      total: COUNT,
    })
    expect(await notifications.removeAll()).toBe(COUNT)
    expect(await notifications.count()).toEqual({ unread: 0, read: 0, byType: new Map() })
  })

  test('are not read through to see the newest unread ones', async () => {
    const rig = await many()
    expect(await turnsDuring(() => rig.hub.notifications.list('unread', { limit: 10, offset: 0 }))).toBeLessThan(5)
  })
})
