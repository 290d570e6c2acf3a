import { expect, test } from 'vitest'
import type { Message } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { ALICE, accept, acceptedIn, acceptOf, BOB, CAROL, midOf, NO_MID, turn } from './words.ts'

const DAY = 24 * 3_600_000

export function testAccepts(bench: Bench): void {
  test('gives back the message as it was accepted, under its mid', async () => {
    const { store, clock } = bench
    const message: Omit<Message, 'mid'> = {
      at: clock.now(),
      from: { method: 'websocket', name: 'Zoë' },
      to: ['dev@group'],
      body: { text: '你好', desp: '', extra: { scheme: 'app://x', deep: [{ a: null, b: [1, 2.5, true] }] } },
      blobs: [],
      strategy: 'failover',
      expiresAt: clock.now() + 5,
    }
    const mid = midOf(await store.write([{ op: 'accept', message, recipients: [ALICE], planned: [] }], 'sync'))
    expect(await store.message(mid)).toEqual({ ...message, mid })
  })

  test('starts each delivery queued, open and at step 0, due at once with a plan, else when it expires', async () => {
    const { store, clock } = bench
    const at = clock.now()
    const expiresAt = at + 7
    const ops = [
      acceptOf(clock, [BOB, ALICE, CAROL], { planned: [ALICE] }),
      acceptOf(clock, [BOB, ALICE, CAROL], { planned: [CAROL, BOB], expiresAt }),
    ]
    const accepted = acceptedIn(await store.write(ops, 'sync'))
    const [first = '', second = ''] = accepted.map(({ mid }) => mid)
    expect(accepted).toEqual([first, second].map((mid) => ({ mid, repeated: false, full: [] })))
    const fresh = { state: 'queued', via: null, at, by: null, reason: null, open: true, step: 0, holds: false }
    const expected = (mid: string, recipient: string, dueAt: number | null) => ({ ...fresh, mid, recipient, dueAt })
    expect(await store.delivery(first, BOB)).toEqual(expected(first, BOB, null))
    expect(await store.delivery(first, ALICE)).toEqual(expected(first, ALICE, at))
    expect(await store.delivery(first, CAROL)).toEqual(expected(first, CAROL, null))
    expect(await store.delivery(second, BOB)).toEqual(expected(second, BOB, at))
    expect(await store.delivery(second, ALICE)).toEqual(expected(second, ALICE, expiresAt))
    expect(await store.delivery(second, CAROL)).toEqual(expected(second, CAROL, at))
  })

  test('knows nothing of another mid or another recipient', async () => {
    const { store, clock } = bench
    const mid = await accept(store, clock, [ALICE])
    expect(await store.message(NO_MID)).toBeNull()
    expect(await store.delivery(NO_MID, ALICE)).toBeNull()
    expect(await store.delivery(mid, BOB)).toBeNull()
    expect(await store.attempts(NO_MID, ALICE)).toEqual([])
    expect((await store.deliveries(NO_MID)).items).toEqual([])
  })

  test('gives 200 accepts at once 200 mids of 13 digits, near now, and resolves them in the order of their mids', async () => {
    const { store, clock } = bench
    const resolved: string[] = []
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        resolved.push(await accept(store, clock, [ALICE], { text: `${n}` }))
      }),
    )
    expect(resolved).toHaveLength(200)
    expect(new Set(resolved).size).toBe(200)
    expect(resolved).toEqual(resolved.toSorted())
    for (const mid of resolved) expect(mid).toMatch(/^\d{13}$/)
    expect(Number(resolved[0])).toBeGreaterThanOrEqual(clock.now())
    expect(Number(resolved.at(-1))).toBeLessThanOrEqual(clock.now() + 1_000)
  })

  test('keeps mids increasing over a clock that jumps, and back near now once time has caught up', async () => {
    const { store, clock } = bench
    const mids = [await accept(store, clock, [ALICE])]
    for (const jump of [-DAY, -3_600_000, -1, 0, 2 * DAY, -DAY]) {
      clock.jump(jump)
      mids.push(await accept(store, clock, [ALICE]))
    }
    expect(mids).toEqual([...new Set(mids)].toSorted())
    clock.jump(10 * DAY)
    const later = Number(await accept(store, clock, [ALICE]))
    expect(later).toBeGreaterThanOrEqual(clock.now())
    expect(later).toBeLessThan(clock.now() + 1_000)
  })

  test('gives several accepts of one write their mids in the order of the ops', async () => {
    const { store, clock } = bench
    const texts = ['first', 'second', 'third']
    const written = await store.write(
      texts.map((text) => acceptOf(clock, [ALICE], { text })),
      'sync',
    )
    const mids = acceptedIn(written).map(({ mid }) => mid)
    expect(mids).toEqual(mids.toSorted())
    const messages = await Promise.all(mids.map((mid) => store.message(mid)))
    expect(messages.map((message) => message?.body['text'])).toEqual(texts)
  })

  test('shows a sync accept no earlier than it resolves', async () => {
    const { store, clock } = bench
    let resolved = false
    const writing = store.write([acceptOf(clock, [CAROL])], 'sync').then(() => (resolved = true))
    const isThere = async () => (await store.inbox(CAROL, { limit: 1 })).total === 1
    while (!(await isThere())) await turn()
    await turn()
    expect(resolved).toBe(true)
    await writing
  })

  test('shows a sync accept to every read that begins after it resolved', async () => {
    const { store, clock } = bench
    for (let n = 0; n < 20; n += 1) {
      const mid = await accept(store, clock, [ALICE])
      const [message, delivery, { items, total }] = await Promise.all([
        store.message(mid),
        store.delivery(mid, ALICE),
        store.inbox(ALICE, { limit: 100 }),
      ])
      expect(message?.mid).toBe(mid)
      expect(delivery?.mid).toBe(mid)
      expect(items.at(-1)?.mid).toBe(mid)
      expect(total).toBe(n + 1)
    }
  })
}
