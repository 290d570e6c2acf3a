import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Mid } from '../../../server/protocol/states.ts'
import type { Store } from '../../../server/store/store.ts'
import {
  ALICE,
  accept,
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
import { type Disk, diskError, watchDisk } from './disk.ts'
import { contentOf, journalsOf, openRig, quickFolder, type Rig, until } from './rig.ts'

const FAR = 1_000_000_000

let folder: Awaited<ReturnType<typeof quickFolder>>
let dir = ''
let disk: Disk | null = null
let rig: Rig | null = null

beforeEach(async () => {
  folder = await quickFolder()
  dir = join(folder.dir, 'data')
})
afterEach(async () => {
  if (rig?.store.health().reason !== 'the store is not open') await rig?.store.close()
  rig = null
  disk?.restore()
  disk = null
  await folder.remove()
})

async function open(clock?: TestClock): Promise<Rig> {
  rig = await openRig(dir, clock ? { clock } : {})
  return rig
}

/** Fills a store with everything that it can hold, in segments old and new; returns the mids. */
async function fill({ store, clock, checkpoint }: Rig): Promise<Mid[]> {
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

/** Does something, and leaves a copy of the folder from before each of its steps, and from after the last. */
async function copiesDuring(what: (rig: Rig) => Promise<void>, { store, ...more }: Rig) {
  if (!disk) throw new Error('nobody watches the disk')
  const watched = disk
  const copies: { readonly name: string; readonly dir: string }[] = []
  const copy = (step: string) => {
    for (const [how, to] of [
      ['killed', watched.copyAfterKill],
      ['cut', watched.copyAfterPowerCut],
    ] as const) {
      const at = join(folder.dir, `${copies.length}`)
      to(at)
      copies.push({ name: `${how} before ${step}`, dir: at })
    }
  }
  watched.onStep = ({ name, path }) => copy(`${name} ${path}`)
  await what({ store, ...more })
  watched.onStep = () => {}
  copy('anything else')
  return copies
}

/** Opens a copy, twice with a checkpoint between, and says what it holds. */
async function revive(copy: string, clock: TestClock): Promise<unknown[]> {
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
async function repeatOf(store: Store, clock: TestClock) {
  const repeat = acceptOf(clock, [BOB], { planned: [BOB], once: { key: 'key', print: 'a', ttlMs: FAR } })
  return store.write([repeat], 'sync')
}

describe('a crash at any step', () => {
  test('of a checkpoint loses nothing, brings nothing back and doubles nothing', async () => {
    await mkdir(dir)
    disk = await watchDisk(dir)
    const filled = await open()
    await fill(filled)
    const expected = { ...(await contentOf(filled.store)), repeated: await repeatOf(filled.store, filled.clock) }
    const copies = await copiesDuring((running) => running.checkpoint(), filled)
    expect(copies.length).toBeGreaterThan(60)
    for (const { name, dir: copy } of copies) {
      for (const found of await revive(copy, filled.clock)) expect(found, name).toEqual(expected)
    }
  })

  test('of closing loses nothing', async () => {
    await mkdir(dir)
    disk = await watchDisk(dir)
    const filled = await open()
    await fill(filled)
    const expected = { ...(await contentOf(filled.store)), repeated: await repeatOf(filled.store, filled.clock) }
    const copies = await copiesDuring((running) => running.store.close(), filled)
    for (const { name, dir: copy } of copies) {
      for (const found of await revive(copy, filled.clock)) expect(found, name).toEqual(expected)
    }
  })

  test('of the first start leaves a folder that opens', async () => {
    await mkdir(dir)
    disk = await watchDisk(dir)
    const copies = await copiesDuring(async () => void (await open()), {} as Rig)
    for (const { name, dir: copy } of copies) {
      const revived = await openRig(copy)
      const mid = await accept(revived.store, revived.clock, [ALICE])
      await revived.store.close()
      const again = await openRig(copy)
      expect((await again.store.message(mid))?.mid, name).toBe(mid)
      await again.store.close()
    }
  })

  test('of a start after a crash loses nothing', async () => {
    const filled = await open()
    await fill(filled)
    const expected = await contentOf(filled.store)
    const crashed = join(folder.dir, 'crashed')
    disk = await watchDisk(dir)
    disk.copyAfterKill(crashed)
    disk.restore()
    await filled.store.close()
    disk = await watchDisk(crashed)
    let revived: Rig | null = null
    const copies = await copiesDuring(async () => {
      revived = await openRig(crashed, { clock: filled.clock })
      await until(() => journalsOf(crashed).length === 1)
      await revived.store.close()
    }, filled)
    for (const { name, dir: copy } of copies) {
      const again = await openRig(copy, { clock: filled.clock })
      expect(await contentOf(again.store), name).toEqual(expected)
      await again.store.close()
    }
  })

  test('of a prune drops messages whole or not at all, and none twice', async () => {
    await mkdir(dir)
    disk = await watchDisk(dir)
    const filled = await open()
    const mids = await fill(filled)
    const before = await contentOf(filled.store)
    const copies = await copiesDuring(async ({ store }) => {
      expect((await store.prune({ count: 12 }, FAR)).dropped).toBe(4)
    }, filled)
    const after = await contentOf(filled.store)
    expect(after.deliveries.map(({ mid }) => mid)).not.toContain(mids[0])
    const dropped: boolean[] = []
    for (const { name, dir: copy } of copies) {
      const again = await openRig(copy, { clock: filled.clock })
      const found = await contentOf(again.store)
      await again.store.close()
      const isDropped = found.deliveries.length < before.deliveries.length
      expect(found, name).toEqual(isDropped ? after : before)
      if (name.startsWith('killed')) dropped.push(isDropped)
    }
    expect(dropped).toEqual(dropped.toSorted((a, b) => Number(a) - Number(b)))
    expect(dropped.at(-1)).toBe(true)
  })
})

describe('a checkpoint that finds no space', () => {
  test.each(['rotate', 'segment', 'table', 'manifest'])(
    'for the %s harms nothing, and the next one goes through',
    async (what) => {
      const part = { rotate: 'journal-', segment: 'messages/', table: 'documents/', manifest: 'manifest' }[what] ?? ''
      await mkdir(dir)
      disk = await watchDisk(dir)
      const filled = await open()
      await fill(filled)
      const expected = await contentOf(filled.store)
      let refused = 0
      disk.onStep = ({ name, path }) => {
        if (name !== 'write' || !path.startsWith(part)) return
        refused += 1
        throw diskError('ENOSPC')
      }
      await filled.clock.advance(1_000)
      await until(() => refused > 0)
      disk.onStep = () => {}
      const crashed = join(folder.dir, 'crashed')
      disk.copyAfterPowerCut(crashed)
      for (const found of await revive(crashed, filled.clock)) expect(found).toMatchObject(expected)
      expect(await contentOf(filled.store)).toEqual(expected)
      await acceptMany(filled.store, filled.clock, [ALICE], 5)
      await filled.checkpoint()
      const now = await contentOf(filled.store)
      disk.copyAfterPowerCut(crashed)
      for (const found of await revive(crashed, filled.clock)) expect(found).toMatchObject(now)
      expect(filled.failures).toEqual([])
    },
  )

  test('for one segment, then a prune, then a crash: what the segment holds is there', async () => {
    await mkdir(dir)
    disk = await watchDisk(dir)
    const { store, clock, checkpoint } = await open()
    const old = await acceptMany(store, clock, [ALICE], 5)
    await write(
      store,
      old.slice(0, 4).map((mid) => ackOf(mid, ALICE)),
    )
    await checkpoint()
    await acceptMany(store, clock, [BOB], 12)
    let refused = 0
    disk.onStep = ({ name, path }) => {
      if (name !== 'write' || !path.startsWith('messages/segment-00000003')) return
      refused += 1
      throw diskError('ENOSPC')
    }
    // twice: what was refused first comes last the next time
    await until(async () => {
      await clock.advance(1_000)
      return refused >= 2
    })
    await store.prune({ count: 13 }, FAR)
    const expected = await contentOf(store)
    const crashed = join(folder.dir, 'crashed')
    disk.copyAfterPowerCut(crashed)
    const revived = await openRig(crashed, { clock })
    expect(await contentOf(revived.store)).toEqual(expected)
    await revived.store.close()
    disk.onStep = () => {}
  })
})

test('a folder that is gone is an error that is told, not a crash', async () => {
  const { store, clock, failures } = await open()
  await accept(store, clock, [ALICE])
  await rm(dir, { recursive: true })
  await clock.advance(1_000)
  await accept(store, clock, [ALICE])
  expect(failures).toEqual([])
  await store.close()
})
