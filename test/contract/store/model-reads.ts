import { expect } from 'vitest'
import { type Model, type Real, scheduledOf } from './model-state.ts'
import { after, allPages, before, LAST_MID } from './words.ts'

/** Every read of the store says what the model says. */
export async function compare(model: Model, { store, clock }: Real): Promise<void> {
  await Promise.all([compareMessages(model, store), compareInboxes(model, store), compareDocuments(model, store)])
  const due = scheduledOf(model).map(({ dueAt }) => dueAt)
  const nextDue = await store.nextDue()
  // since when something is due already does not matter
  const notBefore = (at: number) => Math.max(at, clock.now())
  expect(nextDue === null ? null : notBefore(nextDue)).toBe(due.length === 0 ? null : notBefore(Math.min(...due)))
}

async function compareMessages(model: Model, store: Real['store']): Promise<void> {
  for (const [mid, message] of model.messages) {
    const expected = [...model.deliveries.values()].filter((delivery) => delivery.mid === mid)
    expect(await store.message(mid)).toEqual(message)
    expect(await allPages((cursor) => store.deliveries(mid, { ...after(cursor), limit: 2 }))).toEqual(expected)
    for (const delivery of expected) {
      expect(await store.delivery(mid, delivery.recipient)).toEqual(delivery)
      const attempts = await store.attempts(mid, delivery.recipient)
      expect(attempts).toEqual(model.attempts.get(`${mid} ${delivery.recipient}`) ?? [])
    }
  }
  const listed = await allPages((cursor) => store.list({}, { ...before(cursor), limit: 5 }))
  const everything = [...model.deliveries.values()]
  expect(sorted(listed)).toEqual(sorted(everything))
}

async function compareInboxes(model: Model, store: Real['store']): Promise<void> {
  const recipients = new Set([...model.deliveries.values()].map(({ recipient }) => recipient))
  for (const recipient of recipients) {
    const mine = [...model.deliveries.values()].filter((delivery) => delivery.recipient === recipient)
    for (const filter of [{ open: true }, {}]) {
      const held = mine
        .filter(({ open }) => open || !('open' in filter))
        .map((delivery) => ({ ...delivery, message: model.messages.get(delivery.mid) }))
      const upwards = await store.inbox(recipient, { ...filter, limit: 1_000 })
      expect(upwards).toEqual({ items: held, next: null, total: held.length })
      const downwards = await allPages((cursor) =>
        store.inbox(recipient, { ...filter, before: cursor ?? LAST_MID, limit: 3 }),
      )
      expect(downwards).toEqual(held.toReversed())
    }
  }
}

async function compareDocuments(model: Model, store: Real['store']): Promise<void> {
  const scanned = await store.scan('setting', { limit: 100 })
  const expected = [...model.documents].toSorted(([a], [b]) => (a < b ? -1 : 1))
  expect(scanned.items.map(({ id, value }) => [id, value])).toEqual(expected)
  for (const document of scanned.items) expect(await store.get('setting', document.id)).toEqual(document)
  for (const [meter, value] of model.meters) expect(await store.count(meter)).toBe(value)
}

function sorted(deliveries: readonly { mid: string; recipient: string }[]) {
  return deliveries.toSorted((a, b) => (`${a.mid} ${a.recipient}` < `${b.mid} ${b.recipient}` ? -1 : 1))
}
