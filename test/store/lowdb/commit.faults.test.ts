import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { StoreFailed, StoreFull } from '../../../server/store/store.ts'
import { ALICE, accept, acceptMany, ackOf, deliveryOf, openMids, write, writeLazy } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { diskError, type Step } from './disk.ts'
import { contentOf, journalsOf, until } from './rig.ts'

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
    expect(bench.store.health()).toMatchObject({
      writable: false,
      fault: 'disk-full',
      reason: 'the disk is full',
      queued: 1,
    })
    expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('delivered')
    expect((await contentOf(bench.store)).deliveries).toHaveLength(1)
    expect(await bench.store.get('setting', 'a')).toBeNull()
    bench.disk.onStep = () => {}
    await bench.rig.recovered()
    await until(() => bench.store.health().queued === 0)
    const found = await bench.afterCrash('copyAfterPowerCut')
    expect(found.deliveries).toMatchObject([{ mid, state: 'delivered' }])
    expect(found.settings).toEqual([])
  })

  test('is not tried again and again for what is lazy: once a second, and with each write that waits', async () => {
    const mid = await accept(bench.store, bench.clock, [ALICE])
    await until(() => readFileSync(journalsOf(bench.dir).at(-1) ?? '', 'utf8').endsWith(' []\n'))
    let tried = 0
    bench.disk.onStep = (step) => {
      if (!isJournalWrite(step)) return
      tried += 1
      throw diskError('ENOSPC')
    }
    await expect(write(bench.store, [{ op: 'count', meter: 'meter', by: 1 }])).rejects.toBeInstanceOf(StoreFull)
    expect(tried).toBe(2)
    for (let n = 0; n < 20; n += 1) {
      await writeLazy(bench.store, [ackOf(mid, ALICE), { op: 'put', kind: 'setting', id: 'a', value: n }])
      await new Promise((resolve) => setTimeout(resolve, 6))
    }
    expect(tried).toBe(2)
    bench.disk.space = { free: 0, total: 1_000_000 }
    await bench.clock.advance(1_000)
    await until(() => tried === 3)
    await expect(write(bench.store, [{ op: 'count', meter: 'meter', by: 1 }])).rejects.toBeInstanceOf(StoreFull)
    expect(tried).toBe(4)
  })

  test('is found to have space again without a write, and takes writes then', async () => {
    fill()
    await expect(accept(bench.store, bench.clock, [ALICE])).rejects.toBeInstanceOf(StoreFull)
    bench.disk.onStep = () => {}
    expect(await bench.rig.recovered()).toBeLessThanOrEqual(5_000)
    const mid = await accept(bench.store, bench.clock, [ALICE])
    expect((await bench.afterCrash()).deliveries).toMatchObject([{ mid }])
    expect(bench.rig.failures).toEqual([])
  })

  test('gives the key of a refused push to the next', async () => {
    fill()
    const push = () => accept(bench.store, bench.clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: 1_000_000 } })
    await expect(push()).rejects.toBeInstanceOf(StoreFull)
    bench.disk.onStep = () => {}
    await bench.rig.recovered()
    const mid = await push()
    expect(await openMids(bench.store, ALICE)).toEqual([mid])
    expect(await push()).toBe(mid)
  })

  test('costs no memory without end: what is lazy is let go, and a checkpoint brings it to the disk', async () => {
    await bench.reopen({ checkpointBytes: Number.MAX_SAFE_INTEGER })
    const mids = await acceptMany(bench.store, bench.clock, [ALICE], 9)
    fill()
    await expect(write(bench.store, [{ op: 'count', meter: 'meter', by: 1 }])).rejects.toBeInstanceOf(StoreFull)
    const value = 'x'.repeat(100_000)
    for (let n = 0; n < 100; n += 1) {
      await writeLazy(bench.store, [{ op: 'put', kind: 'setting', id: 'large', value: `${value} ${n}` }])
      if (n < mids.length) await writeLazy(bench.store, [ackOf(mids[n] ?? '', ALICE)])
    }
    expect(bench.store.health().queued).toBeLessThan(50)
    const expected = await contentOf(bench.store)
    expect(expected.deliveries.every(({ state }) => state === 'delivered')).toBe(true)
    let isWritten = false
    bench.disk.onStep = ({ name, path }) => void (isWritten ||= name === 'unlink' && path.startsWith('journal-'))
    await bench.rig.recovered()
    await bench.clock.advance(1_000)
    await until(() => isWritten)
    expect(await bench.afterCrash('copyAfterPowerCut')).toEqual(expected)
  })

  test('is told to who closes the store while something lazy waits, or was let go; the rest is there', async () => {
    for (const isLetGo of [false, true]) {
      const mid = await accept(bench.store, bench.clock, [ALICE])
      bench.disk.onStep = ({ name }) => {
        if (name === 'write') throw diskError('ENOSPC')
      }
      await expect(write(bench.store, [{ op: 'count', meter: 'meter', by: 1 }])).rejects.toBeInstanceOf(StoreFull)
      await writeLazy(bench.store, [ackOf(mid, ALICE)])
      const value = 'x'.repeat(1_000_000)
      while (isLetGo && bench.store.health().queued > 0) {
        await writeLazy(bench.store, [{ op: 'put', kind: 'setting', id: 'a', value }])
      }
      await expect(bench.store.close()).rejects.toBeInstanceOf(StoreFull)
      bench.disk.onStep = () => {}
      await bench.open()
      expect((await deliveryOf(bench.store, mid, ALICE)).state).toBe('queued')
    }
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
      fault: 'disk-failed',
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
