import { describe, expect, test } from 'vitest'
import { StoreFailed, StoreFull } from '../../../server/store/store.ts'
import { ALICE, accept, acceptMany, ackOf, deliveryOf, openMids, write, writeLazy } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { diskError, type Step } from './disk.ts'
import { contentOf, until } from './rig.ts'

const isFlush = ({ name, path }: Step) => name === 'flush' && path.startsWith('journal-')
const isJournalWrite = ({ name, path }: Step) => name === 'write' && path.startsWith('journal-')
const bench = startBench()

describe('a full disk', () => {
  const fill = () => {
    bench.disk.onStep = (step) => {
      if (isJournalWrite(step)) throw diskError('ENOSPC')
    }
  }

  test('refuses, keeps nothing of what it refused, and keeps what is lazy', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    fill()
    const writes = [
      accept(bench.store, bench.clock, [ALICE]),
      write(bench.store, [{ op: 'put', kind: 'setting', id: 'a', value: 1 }]),
    ]
    for (const one of writes) await expect(one).rejects.toBeInstanceOf(StoreFull)
    await writeLazy(bench.store, [ackOf(mid, ALICE)])
    expect(bench.store.health()).toEqual({ writable: false, durable: true, reason: 'the disk is full', queued: 1 })
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('delivered')
    expect((await contentOf(bench.store)).deliveries).toHaveLength(1)
    expect(await bench.store.get('setting', 'a')).toBeNull()
    let tried = 0
    bench.disk.onStep = (step) => {
      if (!isJournalWrite(step)) return
      tried += 1
      throw diskError('ENOSPC')
    }
    await until(() => tried > 1)
    bench.disk.onStep = () => {}
    await until(() => bench.store.health().writable && bench.store.health().queued === 0)
    const found = await bench.afterCrash('copyAfterPowerCut')
    expect(found.deliveries).toMatchObject([{ mid, state: 'delivered' }])
    expect(found.settings).toEqual([])
  })

  test('is found to have space again without a write, and takes writes then', async () => {
    fill()
    await expect(accept(bench.store, bench.clock, [ALICE])).rejects.toBeInstanceOf(StoreFull)
    bench.disk.onStep = () => {}
    await until(() => bench.store.health().writable)
    const mid = await accept(bench.store, bench.clock, [ALICE])
    expect((await bench.afterCrash()).deliveries).toMatchObject([{ mid }])
    expect(bench.rig.failures).toEqual([])
  })

  test('gives the key of a refused push to the next', async () => {
    fill()
    const push = () => accept(bench.store, bench.clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: 1_000_000 } })
    await expect(push()).rejects.toBeInstanceOf(StoreFull)
    bench.disk.onStep = () => {}
    const mid = await push()
    expect(await openMids(bench.store, ALICE)).toEqual([mid])
    expect(await push()).toBe(mid)
  })

  test('is told to who closes the store while something lazy waits; the rest is there', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    fill()
    await writeLazy(bench.store, [ackOf(mid, ALICE)])
    await expect(bench.store.close()).rejects.toBeInstanceOf(StoreFull)
    bench.disk.onStep = () => {}
    await bench.open()
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('queued')
  })
})

describe('a flush that failed', () => {
  const breakDown = () => {
    bench.disk.onStep = (step) => {
      if (isFlush(step)) throw diskError('EIO')
    }
  }

  test('fails its writes and all later ones, is told once, and changes nothing in memory', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    const before = await contentOf(bench.store)
    breakDown()
    const unknown = [
      accept(bench.store, bench.clock, [ALICE]),
      write(bench.store, [{ op: 'put', kind: 'setting', id: 'a', value: 1 }]),
    ]
    for (const one of unknown) await expect(one).rejects.toBeInstanceOf(StoreFailed)
    bench.disk.onStep = () => {}
    await expect(accept(bench.store, bench.clock, [ALICE])).rejects.toBeInstanceOf(StoreFailed)
    await expect(bench.store.write([ackOf(mid, ALICE)], 'lazy')).rejects.toBeInstanceOf(StoreFailed)
    expect(bench.rig.failures).toHaveLength(1)
    expect(bench.rig.failures[0]).toBeInstanceOf(StoreFailed)
    expect(bench.store.health()).toMatchObject({
      writable: false,
      reason: expect.stringMatching(/the disk failed/),
    })
    expect(await contentOf(bench.store)).toEqual(before)
    await expect(bench.store.close()).rejects.toBeInstanceOf(StoreFailed)
    await bench.open()
    expect((await openMids(bench.store, ALICE))[0]).toBe(mid)
  })

  test('leaves no prune and no checkpoint waiting', async () => {
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 9)
    await write(
      bench.store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    breakDown()
    const waiting = [accept(bench.store, bench.clock, [ALICE]), bench.store.prune({ count: 0 }, 1_000_000)]
    for (const one of waiting) await expect(one).rejects.toBeInstanceOf(StoreFailed)
    bench.disk.onStep = () => {}
    await expect(bench.store.prune({ count: 0 }, 1_000_000)).rejects.toBeInstanceOf(StoreFailed)
  })

  test('of a new journal fails the store: its name may be there or not', async () => {
    await accept(bench.store, bench.clock, [ALICE])
    bench.disk.onStep = ({ name, path }) => {
      if (name === 'flush folder' && path === '') throw diskError('EIO')
    }
    await bench.clock.advance(1_000)
    await until(() => bench.rig.failures.length === 1)
    bench.disk.onStep = () => {}
    await expect(accept(bench.store, bench.clock, [ALICE])).rejects.toBeInstanceOf(StoreFailed)
  })
})

describe('a write that found no space', () => {
  test('is cut back and flushed before anything else: a power cut brings nothing of it back', async () => {
    await accept(bench.store, bench.clock, [ALICE])
    let truncated = false
    const steps: string[] = []
    bench.disk.onStep = (step) => {
      if (isJournalWrite(step) && !truncated) throw diskError('ENOSPC')
      if (!step.path.startsWith('journal-')) return
      truncated ||= step.name === 'truncate'
      steps.push(step.name)
    }
    await expect(accept(bench.store, bench.clock, [ALICE])).rejects.toBeInstanceOf(StoreFull)
    expect(steps.slice(0, 2)).toEqual(['truncate', 'flush'])
  })
})
