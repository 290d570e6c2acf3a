/** A store with everything in it that it can hold, and what is left of it after a crash. */
import { rm } from 'node:fs/promises'
import { expect } from 'vitest'
import type { Mid } from '../../../server/protocol/states.ts'
import type { Store } from '../../../server/store/store.ts'
import {
  ALICE,
  acceptMany,
  acceptOf,
  ackOf,
  attemptOf,
  BOB,
  CAROL,
  midOf,
  raiseOf,
  write,
  writeLazy,
} from '../../contract/store/words.ts'
import type { TestClock } from '../../helpers/clock.ts'
import { contentOf, openRig, type Rig } from './rig.ts'

const FAR = 1_000_000_000

/** Fills a store with everything that it can hold, in segments old and new; returns the mids. */
export async function fill({ store, clock, checkpoint }: Rig): Promise<Mid[]> {
  const mids = await acceptMany(store, clock, [ALICE, BOB], 9)
  await write(
    store,
    mids.slice(0, 4).flatMap((mid) => [ackOf(mid, ALICE), ackOf(mid, BOB)]),
  )
  await write(store, [
    { op: 'put', kind: 'setting', id: 'gone', value: 1 },
    { op: 'put', kind: 'setting', id: 'kept', value: 1 },
  ])
  await checkpoint()
  mids.push(...(await acceptMany(store, clock, [CAROL], 9)))
  mids.push(
    midOf(
      await store.write(
        [acceptOf(clock, [BOB], { planned: [BOB], once: { key: 'key', print: 'a', ttlMs: FAR } })],
        'sync',
      ),
    ),
  )
  await write(store, [
    ...mids.slice(4, 12).map((mid) => ackOf(mid, ALICE)),
    raiseOf(mids[1] ?? '', BOB, 'confirmed', { open: false }),
    { op: 'attempt', mid: mids[2] ?? '', recipient: ALICE, attempt: attemptOf(1) },
    { op: 'put', kind: 'setting', id: 'kept', value: 2 },
    { op: 'delete', kind: 'setting', id: 'gone' },
    { op: 'count', meter: 'meter', by: 7 },
  ])
  await writeLazy(store, [ackOf(mids[6] ?? '', BOB), ackOf(mids[13] ?? '', CAROL)])
  await write(store, [])
  return mids
}

/** Opens a copy, twice with a checkpoint between, and says what it holds. */
export async function revive(copy: string, clock: TestClock): Promise<unknown[]> {
  const found = []
  for (let n = 0; n < 2; n += 1) {
    const revived = await openRig(copy, { clock })
    expect(revived.torn).toEqual([])
    found.push({ ...(await contentOf(revived.store)), repeated: await repeatOf(revived.store, clock) })
    await revived.store.close()
  }
  await rm(copy, { recursive: true })
  return found
}

/** The mid that a repeat of the idempotent push is told. */
export async function repeatOf(store: Store, clock: TestClock) {
  const repeat = acceptOf(clock, [BOB], { planned: [BOB], once: { key: 'key', print: 'a', ttlMs: FAR } })
  return store.write([repeat], 'sync')
}
