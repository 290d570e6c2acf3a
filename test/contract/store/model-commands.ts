/** What may happen to a store and to its model, one command each. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { LazyOp, Op, Raise } from '../../../server/store/store.ts'
import { compare } from './model-reads.ts'
import { admit, dueOf, fullOf, type Model, type Real } from './model-state.ts'
import { asked, raised } from './raises.ts'
import { acceptOf, ALICE, attemptOf, BOB, CAROL, LEASE, NO_MID, stepOf, writeAs } from './words.ts'

const RECIPIENTS = [ALICE, BOB, CAROL]
const ONCE_MS = 500

type Command = fc.AsyncCommand<Model, Real>

function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name }
}

const how = fc.constantFrom('sync' as const, 'lazy' as const)
const people = fc.shuffledSubarray(RECIPIENTS, { minLength: 1 })

const accepting = fc
  .record({
    recipients: people,
    planned: fc.subarray(RECIPIENTS),
    holding: fc.subarray(RECIPIENTS),
    text: fc.string({ maxLength: 5 }),
    expires: fc.option(fc.integer({ min: 1, max: 2_000 })),
    roomFor: fc.option(fc.integer({ min: 1, max: 3 })),
    once: fc.option(fc.record({ key: fc.constantFrom('k', 'l'), print: fc.constantFrom('p', 'q') })),
  })
  .map(({ recipients, planned, holding, text, expires, roomFor, once }) =>
    command(
      `accept ${JSON.stringify({ recipients, planned, holding, expires, roomFor, once })}`,
      async (model, real) => {
        const { store, clock } = real
        const op = acceptOf(clock, recipients, {
          text,
          planned: planned.filter((recipient) => recipients.includes(recipient)),
          holding: planned.filter((recipient) => recipients.includes(recipient) && holding.includes(recipient)),
          message: { expiresAt: expires === null ? null : clock.now() + expires },
          ...(roomFor === null ? {} : { room: { count: roomFor, bytes: 1_000_000 } }),
          ...(once === null ? {} : { once: { ...once, ttlMs: ONCE_MS } }),
        })
        const written = await store.write([op], 'sync')

        const known = once && model.once.get(once.key)
        if (once && known && known.expiresAt > clock.now()) {
          const repeat = { ok: true, mids: [{ mid: known.mid, repeated: true, full: [] }] }
          assert.deepEqual(written, known.print === once.print ? repeat : { ok: false, why: 'once-differs', op: 0 })
          return
        }
        const full = fullOf(model, op)
        if (full.length === recipients.length) {
          assert.deepEqual(written, { ok: false, why: 'full', op: 0 })
          return
        }
        const mid = written.ok ? (written.mids[0]?.mid ?? '') : ''
        assert.deepEqual(written, { ok: true, mids: [{ mid, repeated: false, full }] })
        assert.equal(mid > ([...model.messages.keys()].at(-1) ?? ''), true)
        admit(model, mid, op, full)
        if (once) model.once.set(once.key, { mid, print: once.print, expiresAt: clock.now() + ONCE_MS })
      },
    ),
  )

/** A mid of the run, or one that is unknown. */
const midAt = (model: Model, place: number) =>
  [...model.messages.keys(), NO_MID].at(place % (model.messages.size + 1)) ?? NO_MID

const raising = fc
  .record({ asked, of: fc.array(fc.tuple(fc.nat(30), people), { minLength: 1, maxLength: 3 }), how })
  .map(({ asked, of, how }) =>
    command(`raise ${JSON.stringify({ asked, of, how })}`, async (model, { store }) => {
      const places = of.map(([place, recipients]) => [midAt(model, place), recipients] as const)
      const raise: Raise = { op: 'raise', ...asked, of: places }
      assert.deepEqual(await writeAs(how, store, [raise]), { ok: true, mids: [] })
      for (const [mid, recipients] of places) {
        for (const recipient of recipients) {
          const delivery = model.deliveries.get(`${mid} ${recipient}`)
          if (delivery) model.deliveries.set(`${mid} ${recipient}`, raised(delivery, asked))
        }
      }
    }),
  )

const trying = fc
  .record({ place: fc.nat(30), recipient: fc.constantFrom(...RECIPIENTS), how })
  .map(({ place, recipient, how }) =>
    command(`attempt ${place} ${recipient} ${how}`, async (model, { store }) => {
      const mid = midAt(model, place)
      const id = `${mid} ${recipient}`
      if (!model.deliveries.has(id)) return
      const made = model.attempts.get(id) ?? []
      const last = made.at(-1)
      const attempt =
        last && last.endedAt === null ? { ...last, endedAt: 7, outcome: 'retry' } : attemptOf((last?.n ?? 0) + 1)
      await writeAs(how, store, [{ op: 'attempt', mid, recipient, attempt }])
      model.attempts.set(id, [...made.filter(({ n }) => n !== attempt.n), attempt])
    }),
  )

const pause = fc.option(fc.integer({ min: 0, max: 600 }))
const working = fc.record({ pause, holds: fc.boolean(), how }).map(({ pause, holds, how }) =>
  command(`work ${pause} ${holds} ${how}`, async (model, { store, clock }) => {
    const claimed = await store.claim(clock.now(), 100, LEASE)
    const expected = dueOf(model, clock.now())
    const ids = ({ mid, recipient }: { mid: string; recipient: string }) => `${mid} ${recipient}`
    assert.deepEqual(claimed.map(({ delivery }) => ids(delivery)).toSorted(), expected.map(ids).toSorted())
    const dueAt = pause === null ? null : clock.now() + pause
    const steps = claimed.map((work) => stepOf(work, work.delivery.step + 1, dueAt, holds && dueAt !== null))
    assert.deepEqual(await writeAs(how, store, steps), { ok: true, mids: [] })
    for (const delivery of expected) {
      model.deliveries.set(ids(delivery), {
        ...delivery,
        step: delivery.step + 1,
        dueAt,
        holds: holds && dueAt !== null,
      })
    }
  }),
)

const putting = fc
  .record({ id: fc.constantFrom('a', 'b', 'a/c'), value: fc.jsonValue({ maxDepth: 2 }), isNew: fc.boolean(), how })
  .map(({ id, value, isNew, how }) =>
    command(`put ${id} ${JSON.stringify(value)} ${isNew} ${how}`, async (model, { store }) => {
      const written = await writeAs(how, store, [
        { op: 'put', kind: 'setting', id, value, ...(isNew ? { rev: 0 } : {}) },
      ])
      assert.equal(written.ok, !isNew || !model.documents.has(id))
      if (written.ok) model.documents.set(id, value)
    }),
  )

const deleting = fc.constantFrom('a', 'b', 'a/c').map((id) =>
  command(`delete ${id}`, async (model, { store }) => {
    const rev = (await store.get('setting', id))?.rev
    const op: Op = { op: 'delete', kind: 'setting', id, ...(rev === undefined ? {} : { rev }) }
    assert.equal((await store.write([op], 'sync')).ok, true)
    model.documents.delete(id)
  }),
)

const counting = fc
  .record({ by: fc.integer({ min: -2, max: 4 }), limit: fc.option(fc.constant(6)) })
  .map(({ by, limit }) =>
    command(`count ${by} ${limit}`, async (model, { store }) => {
      const value = (model.meters.get('m') ?? 0) + by
      const written = await store.write([{ op: 'count', meter: 'm', by, ...(limit === null ? {} : { limit }) }], 'sync')
      assert.equal(written.ok, limit === null || value <= limit)
      if (written.ok) model.meters.set('m', value)
    }),
  )

/** A write whose last op fails, after ops that alone would do something. */
const refusing = fc.record({ asked, place: fc.nat(30), how }).map(({ asked, place, how }) =>
  command(`refused ${JSON.stringify(asked)} ${place} ${how}`, async (model, { store, clock }) => {
    const mid = midAt(model, place)
    const lazy: LazyOp[] = [
      { op: 'raise', ...asked, of: [[mid, RECIPIENTS]] },
      { op: 'put', kind: 'setting', id: 'refused', value: 1 },
      { op: 'put', kind: 'setting', id: 'nowhere', value: 1, rev: 12_345 },
    ]
    assert.deepEqual(await writeAs(how, store, lazy), { ok: false, why: 'conflict', op: 2 })
    const once = { key: 'refused', print: 'p', ttlMs: ONCE_MS }
    const ops: Op[] = [acceptOf(clock, RECIPIENTS, { once }), { op: 'count', meter: 'm', by: 1 }, ...lazy]
    assert.deepEqual(await store.write(ops, 'sync'), { ok: false, why: 'conflict', op: 4 })
  }),
)

const passing = fc.integer({ min: 1, max: 700 }).map((ms) =>
  command(`advance ${ms}`, async (_, { clock }) => {
    await clock.advance(ms)
  }),
)

const comparing = fc.constant(command('compare', compare))

const reopening = fc.constant(
  command('reopen', async (_, real) => {
    const store = await real.reopen()
    if (store) real.store = store
  }),
)

/** Any commands, in any order. */
export function commandsOf(maxCommands: number): fc.Arbitrary<Iterable<Command>> {
  const one = [
    accepting,
    accepting,
    raising,
    trying,
    working,
    putting,
    deleting,
    counting,
    refusing,
    passing,
    comparing,
    reopening,
  ]
  return fc.commands(one, { maxCommands, size: 'max' })
}
