import { existsSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createLog } from '../../../server/ground/log.ts'
import { type Store, StoreFull } from '../../../server/store/store.ts'
import {
  ALICE,
  accept,
  acceptMany,
  acceptOf,
  ackOf,
  attemptOf,
  BOB,
  deliveryOf,
  midOf,
  openMids,
  raiseOf,
  write,
  writeLazy,
} from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { diskError } from './disk.ts'
import { contentOf, journalsOf, until } from './rig.ts'

/** A disk of which less than 62,500 bytes are little, and twice as many are enough. */
const TOTAL = 1_000_000
const LITTLE = 62_499
const ENOUGH = 125_000
const RESERVE = 4_096
const LARGE = 'x'.repeat(ENOUGH)
const FAR = 1_000_000_000
const bench = startBench()

const reserve = () => join(bench.dir, 'RESERVE')

async function* some() {
  yield Buffer.from('some')
}

/** Lets the system say that so much is left, and the store look. */
async function left(free: number): Promise<void> {
  bench.disk.space = { free, total: TOTAL }
  await bench.clock.advance(1_000)
  if (free <= LITTLE) await until(() => !bench.store.health().writable)
  if (free >= ENOUGH) await until(() => bench.store.health().writable)
}

/** What is written finds no space as long as the reserve is held. */
function fillUp(isAffected: (path: string) => boolean): void {
  bench.disk.onStep = ({ name, path }) => {
    if (name === 'write' && isAffected(path) && existsSync(reserve())) throw diskError('ENOSPC')
  }
}

const refused = (store: Store) => expect(accept(store, bench.clock, [ALICE])).rejects.toBeInstanceOf(StoreFull)

describe('when little space is left', () => {
  test('what is new is refused, and all else goes to the disk', async () => {
    const { store, clock } = bench
    const mids = await acceptMany(store, clock, [ALICE, BOB], 4)
    const [one = '', two = '', three = '', four = ''] = mids
    await left(LITTLE)
    await refused(store)
    await expect(store.putBlob(some(), 10)).rejects.toBeInstanceOf(StoreFull)
    expect(store.health()).toMatchObject({ writable: false, fault: 'disk-low', reason: 'the disk is nearly full' })
    await writeLazy(store, [ackOf(one, ALICE), { op: 'attempt', mid: two, recipient: BOB, attempt: attemptOf(1) }])
    await write(store, [raiseOf(two, ALICE, 'confirmed', { open: false })])
    await write(store, [raiseOf(three, ALICE, 'removed', { open: false })])
    await write(store, [{ op: 'put', kind: 'setting', id: 'a', value: 1 }])
    await write(store, [{ op: 'count', meter: 'meter', by: 2 }])
    // the news of a failure comes with it, and takes no more than the failure
    await write(store, [raiseOf(four, BOB, 'failed', { open: false }), acceptOf(clock, ['system@user'])])
    await until(() => store.health().queued === 0)
    const expected = await contentOf(store)
    expect(expected.deliveries).toHaveLength(9)
    expect(await bench.afterCrash('copyAfterPowerCut')).toEqual(expected)
    await bench.rig.checkpoint()
    expect(await bench.afterCrash('copyAfterPowerCut')).toEqual(expected)
  })

  test('retention makes room', async () => {
    const { store, clock } = bench
    const mids = await acceptMany(store, clock, [ALICE], 9)
    await left(LITTLE)
    await writeLazy(
      store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    expect(await store.prune({ count: 1 }, FAR)).toEqual({ dropped: 8, more: false })
    expect((await bench.afterCrash()).deliveries.map(({ mid }) => mid)).toEqual(mids.slice(8))
  })

  test('retention makes room also where there is none for a checkpoint', async () => {
    const { store, clock } = bench
    const ack = (of: readonly string[]) =>
      writeLazy(
        store,
        of.map((mid) => ackOf(mid, ALICE)),
      )
    await ack(await acceptMany(store, clock, [ALICE], 9))
    await bench.rig.checkpoint()
    // a segment that is settled, and that no file has yet
    await ack([...(await acceptMany(store, clock, [ALICE], 2)), await accept(store, clock, [ALICE], { text: LARGE })])
    await accept(store, clock, [ALICE])
    await left(LITTLE)
    expect((await store.prune({ count: 0 }, FAR)).dropped).toBe(8)
    expect((await bench.afterCrash()).deliveries).toHaveLength(5)
  })

  test('a repeated push is answered as it was: its message was accepted', async () => {
    const once = { key: 'a', print: 'a', ttlMs: FAR }
    const mid = await accept(bench.store, bench.clock, [ALICE], { once })
    await left(LITTLE)
    expect(await accept(bench.store, bench.clock, [ALICE], { once })).toBe(mid)
    await refused(bench.store)
  })

  test('refused pushes use up no mids', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    await left(LITTLE)
    const since = bench.clock.elapsed()
    await Promise.all(Array.from({ length: 5_000 }, () => refused(bench.store)))
    await left(ENOUGH)
    const next = await accept(bench.store, bench.clock, [ALICE])
    expect(Number(next) - Number(mid)).toBeLessThanOrEqual(1_000 + bench.clock.elapsed() - since)
  })

  test('it goes on by itself once there is enough, and not at the first byte', async () => {
    await left(LITTLE)
    await left(ENOUGH - 1)
    await refused(bench.store)
    bench.disk.space = { free: ENOUGH, total: TOTAL }
    expect(await bench.rig.recovered()).toBeLessThanOrEqual(5_000)
    await accept(bench.store, bench.clock, [ALICE])
  })

  test('a hub that writes fast looks by itself', async () => {
    bench.disk.space = { free: ENOUGH - 1, total: TOTAL }
    await bench.clock.advance(1_000)
    await accept(bench.store, bench.clock, [ALICE])
    bench.disk.space = { free: LITTLE, total: TOTAL }
    await refused(bench.store)
  })

  test('where the system does not tell, only a write that fails does', async () => {
    bench.disk.space = { free: Infinity, total: 0 }
    await bench.reopen()
    await bench.clock.advance(3_000)
    const mid = await accept(bench.store, bench.clock, [ALICE])
    bench.disk.onStep = ({ name }) => {
      if (name === 'write') throw diskError('ENOSPC')
    }
    await refused(bench.store)
    bench.disk.onStep = () => {}
    await bench.rig.recovered()
    const next = await accept(bench.store, bench.clock, [ALICE])
    expect(await openMids(bench.store, ALICE)).toEqual([mid, next])
  })

  test('each change is said once', async () => {
    const lines: { level: string; msg: string }[] = []
    const stream = new Writable({
      write(line: Buffer, _, done) {
        lines.push(JSON.parse(line.toString()))
        done()
      },
    })
    await bench.reopen({ log: createLog('info', stream) })
    const said = () => lines.splice(0).map(({ level, msg }) => `${level} ${msg}`)
    for (let n = 0; n < 3; n += 1) await left(LITTLE)
    for (let n = 0; n < 3; n += 1) await refused(bench.store)
    expect(said()).toEqual(['warn the disk is nearly full: nothing new is accepted until there is space'])
    bench.disk.onStep = ({ name, path }) => {
      if (name === 'write' && path.startsWith('journal-')) throw diskError('ENOSPC')
    }
    const count = () => write(bench.store, [{ op: 'count', meter: 'meter', by: 1 }])
    for (let n = 0; n < 3; n += 1) await expect(count()).rejects.toBeInstanceOf(StoreFull)
    expect(said()).toEqual([
      'warn there was no space on the disk: the reserve was given back',
      'error the disk is full: what happens is kept in memory until there is space',
    ])
    bench.disk.onStep = () => {}
    for (let n = 0; n < 3; n += 1) await count()
    await left(ENOUGH + RESERVE)
    for (let n = 0; n < 3; n += 1) await left(ENOUGH + RESERVE)
    expect(said()).toEqual([
      'warn the disk takes writes again; nothing new is accepted yet',
      'info there is space on the disk again',
    ])
  })
})

describe('the reserve', () => {
  test('is held from the first start on, and made again where it is not whole', async () => {
    expect(statSync(reserve()).size).toBe(RESERVE)
    await bench.store.close()
    truncateSync(reserve(), 100)
    await bench.open()
    expect(statSync(reserve()).size).toBe(RESERVE)
  })

  test('is a sixteenth of a small disk', async () => {
    bench.disk.space = { free: TOTAL, total: TOTAL }
    await bench.reopen({ reserveBytes: FAR })
    expect(statSync(reserve()).size).toBe(TOTAL / 16)
  })

  test('is given back when a write finds no space: acks and the like go through, what is new is refused', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    fillUp((path) => path.startsWith('journal-'))
    const both = [
      bench.store.write([raiseOf(mid, ALICE, 'confirmed', { open: false })], 'sync'),
      bench.store.write([acceptOf(bench.clock, [ALICE])], 'sync').catch((error: unknown) => error),
      bench.store.write([{ op: 'put', kind: 'setting', id: 'a', value: 1 }], 'sync'),
    ]
    expect(await Promise.all(both)).toEqual([{ ok: true, mids: [] }, expect.any(StoreFull), { ok: true, mids: [] }])
    expect(existsSync(reserve())).toBe(false)
    expect(bench.store.health()).toMatchObject({ writable: false, reason: 'the disk is nearly full' })
    const found = await bench.afterCrash('copyAfterPowerCut')
    expect(found.deliveries).toMatchObject([{ mid, state: 'confirmed' }])
    expect(found.settings).toMatchObject([{ id: 'a' }])
    bench.disk.onStep = () => {}
    expect(await bench.rig.recovered()).toBeLessThanOrEqual(5_000)
    expect(statSync(reserve()).size).toBe(RESERVE)
  })

  test.each(['journal-', 'messages/', 'documents/', 'manifest'])(
    'is given back when a checkpoint finds no space for %s, which goes through then',
    async (path) => {
      const mids = await acceptMany(bench.store, bench.clock, [ALICE], 6)
      await write(bench.store, [{ op: 'put', kind: 'setting', id: 'a', value: 1 }])
      fillUp((of) => of.startsWith(path))
      await bench.rig.checkpoint()
      expect(existsSync(reserve())).toBe(false)
      expect((await bench.afterCrash('copyAfterPowerCut')).deliveries).toHaveLength(mids.length)
    },
  )

  test('is given back when a prune finds no space for its manifest, and the prune goes through', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 9)
    await writeLazy(
      bench.store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    await bench.rig.checkpoint()
    fillUp((path) => path.startsWith('manifest'))
    expect(await bench.store.prune({ count: 1 }, FAR)).toEqual({ dropped: 8, more: false })
    expect((await bench.afterCrash()).deliveries.map(({ mid }) => mid)).toEqual(mids.slice(8))
  })

  test('is given back at a start that finds nothing left, and so the hub starts', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    await bench.store.close()
    // what a crash cut off needs space before anything else
    writeFileSync(journalsOf(bench.dir).at(-1) ?? '', 'torn', { flag: 'a' })
    bench.disk.space = { free: RESERVE - 1, total: TOTAL }
    fillUp(() => true)
    await bench.open()
    expect(bench.rig.torn).toHaveLength(1)
    expect(existsSync(reserve())).toBe(false)
    expect(bench.store.health()).toMatchObject({ writable: false, reason: 'the disk is nearly full' })
    await refused(bench.store)
    await writeLazy(bench.store, [ackOf(mid, ALICE)])
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('delivered')
    bench.disk.onStep = () => {}
    bench.disk.space = null
    await bench.rig.recovered()
    expect(midOf(await bench.store.write([acceptOf(bench.clock, [ALICE])], 'sync')) > mid).toBe(true)
  })

  test('is not taken where that would leave too little, and then nothing new is accepted', async () => {
    bench.disk.space = { free: LITTLE + RESERVE, total: TOTAL }
    const disk = bench.disk
    await bench.store.close()
    truncateSync(reserve(), 0)
    await bench.open()
    await refused(bench.store)
    disk.space = { free: ENOUGH + RESERVE, total: TOTAL }
    await bench.rig.recovered()
    expect(statSync(reserve()).size).toBe(RESERVE)
  })
})
