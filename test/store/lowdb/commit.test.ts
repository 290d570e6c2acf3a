import { join } from 'node:path'
import { mkdir, rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Store, StoreBusy, StoreFailed, StoreFull } from '../../../server/store/store.ts'
import { ALICE, accept, acceptedIn, acceptMany, acceptOf, ackOf, attemptOf, BOB, CAROL, deliveryOf, midOf, openMids, raiseOf, turn, write, writeLazy } from '../../contract/store/words.ts'
import { type Disk, diskError, type Step, watchDisk } from './disk.ts'
import { contentOf, openRig, quickFolder, type Rig, until } from './rig.ts'

const MAX_QUEUED = 50_000
const isFlush = ({ name, path }: Step) => name === 'flush' && path.startsWith('journal-')
const isJournalWrite = ({ name, path }: Step) => name === 'write' && path.startsWith('journal-')

let folder: Awaited<ReturnType<typeof quickFolder>>
let dir = ''
let disk: Disk
let rig: Rig
let store: Store
let clock: Rig['clock']

beforeEach(async () => {
  folder = await quickFolder()
  dir = join(folder.dir, 'data')
  await mkdir(dir)
  disk = await watchDisk(dir)
  await open()
})
afterEach(async () => {
  disk.onStep = () => {}
  if (store.health().reason !== 'the store is not open') await store.close().catch(() => {})
  disk.restore()
  await folder.remove()
})

async function open(): Promise<void> {
  rig = await openRig(dir, clock ? { clock } : {})
  store = rig.store
  clock = rig.clock
}

async function reopen(): Promise<void> {
  await store.close()
  await open()
}

/** What is there after `kill -9`, or after a power cut. */
async function afterCrash(how: 'copyAfterKill' | 'copyAfterPowerCut' = 'copyAfterKill') {
  const copy = join(folder.dir, 'crashed')
  await rm(copy, { recursive: true, force: true })
  disk[how](copy)
  const crashed = await openRig(copy, { clock })
  const content = await contentOf(crashed.store)
  await crashed.store.close()
  return content
}

/** Messages that are in files alone, and settled. */
async function archived(count = 8): Promise<string[]> {
  const mids = await acceptMany(store, clock, [ALICE, BOB], count)
  await write(store, mids.flatMap((mid) => [ackOf(mid, ALICE), ackOf(mid, BOB)]))
  await acceptMany(store, clock, [CAROL], 5)
  await rig.checkpoint()
  return mids
}

describe('a batch', () => {
  test('is one flush, however many writes come together', async () => {
    let flushes = 0
    disk.onStep = (step) => void (flushes += Number(isFlush(step)))
    await Promise.all(Array.from({ length: 300 }, () => accept(store, clock, [ALICE])))
    expect(flushes).toBe(1)
    await Promise.all(Array.from({ length: 2_500 }, () => accept(store, clock, [ALICE])))
    expect(flushes).toBe(4)
  })

  test('that changes nothing is none', async () => {
    await accept(store, clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: 1_000 } })
    let flushes = 0
    disk.onStep = (step) => void (flushes += Number(isFlush(step)))
    await accept(store, clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: 1_000 } })
    await write(store, [])
    expect(flushes).toBe(0)
  })

  test('resolves in the order of the mids, which is the order they were written in', async () => {
    const order: string[] = []
    const writes = Array.from({ length: 1_500 }, async () => void order.push(await accept(store, clock, [ALICE])))
    await Promise.all(writes)
    expect(order).toEqual(order.toSorted())
    expect(await openMids(store, ALICE)).toEqual(order)
  })

  test('is on disk when it resolves, and not readable before', async () => {
    let readable: boolean | null = null
    disk.onStep = (step) => {
      if (isFlush(step)) void store.inbox(ALICE, { limit: 1 }).then(({ items }) => (readable = items.length > 0))
    }
    const mid = await accept(store, clock, [ALICE])
    expect(readable).toBe(false)
    expect((await afterCrash('copyAfterPowerCut')).deliveries.map((delivery) => delivery.mid)).toEqual([mid])
  })

  test('under way does not hold up what is lazy, which rides with the next', async () => {
    const mid = await accept(store, clock, [ALICE])
    let flushes = 0
    let state = ''
    disk.onStep = (step) => {
      if (!isFlush(step)) return
      flushes += 1
      if (flushes > 1) return
      void store.write([ackOf(mid, ALICE)], 'lazy')
      void store.delivery(mid, ALICE).then((delivery) => (state = delivery?.state ?? ''))
    }
    await accept(store, clock, [BOB])
    expect(state).toBe('delivered')
    await until(() => store.health().queued === 0 && flushes === 2)
    expect((await afterCrash()).deliveries.find((delivery) => delivery.mid === mid)?.state).toBe('delivered')
  })

  test('holds no more than what JSON can: the write that cannot be written is refused alone', async () => {
    const bad = store.write([{ op: 'put', kind: 'setting', id: 'bad', value: 1n }], 'sync')
    const others = [accept(store, clock, [ALICE]), accept(store, clock, [BOB])]
    await expect(bad).rejects.toThrow(TypeError)
    expect(await Promise.all(others)).toHaveLength(2)
    const lazy = store.write([{ op: 'put', kind: 'setting', id: 'bad', value: 1n }], 'lazy')
    await expect(lazy).rejects.toThrow(TypeError)
    expect(await store.get('setting', 'bad')).toBeNull()
    expect(store.health().writable).toBe(true)
  })
})

describe('what is lazy', () => {
  test('is durable soon, by itself', async () => {
    const mid = await accept(store, clock, [ALICE])
    await writeLazy(store, [ackOf(mid, ALICE), { op: 'put', kind: 'setting', id: 'a', value: 1 }])
    expect(store.health().queued).toBe(1)
    await until(() => store.health().queued === 0)
    await accept(store, clock, [BOB])
    const found = await afterCrash('copyAfterPowerCut')
    expect(found.deliveries.find((delivery) => delivery.mid === mid)?.state).toBe('delivered')
    expect(found.settings).toMatchObject([{ id: 'a', value: 1 }])
  })

  test('is not journalled where it only says that a frame went out', async () => {
    const mid = await accept(store, clock, [ALICE])
    await writeLazy(store, [raiseOf(mid, ALICE, 'sent', { via: 'websocket' })])
    expect(store.health().queued).toBe(0)
    expect((await deliveryOf(store, mid, ALICE)).state).toBe('sent')
    expect((await afterCrash()).deliveries[0]?.state).toBe('queued')
    await reopen()
    expect((await deliveryOf(store, mid, ALICE)).state).toBe('sent')
  })

  test('sees with a condition what is being written', async () => {
    await write(store, [{ op: 'put', kind: 'setting', id: 'a', value: 0 }])
    const rev = (await store.get('setting', 'a'))?.rev ?? 0
    let lazy: ReturnType<Store['write']> | null = null
    disk.onStep = (step) => {
      if (isFlush(step)) lazy ??= store.write([{ op: 'put', kind: 'setting', id: 'a', value: 'lazy', rev }], 'lazy')
    }
    await write(store, [{ op: 'put', kind: 'setting', id: 'a', value: 'sync', rev }])
    expect(await lazy).toEqual({ ok: false, why: 'conflict', op: 0 })
    expect((await store.get('setting', 'a'))?.value).toBe('sync')
  })
})

describe('messages that are in files alone', () => {
  test('are confirmed, with attempts noted, and the files know it later', async () => {
    const [one = '', two = ''] = await archived()
    await write(store, [raiseOf(one, ALICE, 'confirmed', { by: 'Alice', open: false })])
    await writeLazy(store, [raiseOf(two, BOB, 'confirmed', { open: false }), { op: 'attempt', mid: two, recipient: BOB, attempt: attemptOf(1) }])
    const check = async () => {
      expect(await deliveryOf(store, one, ALICE)).toMatchObject({ state: 'confirmed', by: 'Alice' })
      expect(await deliveryOf(store, one, BOB)).toMatchObject({ state: 'delivered' })
      expect(await deliveryOf(store, two, BOB)).toMatchObject({ state: 'confirmed' })
      expect(await store.attempts(two, BOB)).toEqual([attemptOf(1)])
    }
    await check()
    const crashed = await afterCrash()
    expect(crashed.deliveries.filter(({ state }) => state === 'confirmed')).toHaveLength(2)
    await rig.checkpoint()
    await check()
    await reopen()
    await check()
  })

  test('and messages that are not, in one lazy write: the latter do not wait', async () => {
    const [old = ''] = await archived()
    const mid = await accept(store, clock, [ALICE])
    const of = [[old, [ALICE]], [mid, [ALICE]]] as const
    const late = store.write([{ op: 'raise', state: 'confirmed', via: null, at: 1, open: false, of }], 'lazy')
    expect(await deliveryOf(store, mid, ALICE)).toMatchObject({ state: 'confirmed' })
    acceptedIn(await late)
    expect(await deliveryOf(store, old, ALICE)).toMatchObject({ state: 'confirmed' })
  })

  test('a mid that never was, between two that were, is nothing', async () => {
    await clock.advance(1_000)
    const [one = ''] = await acceptMany(store, clock, [ALICE], 1)
    await clock.advance(1_000)
    const [two = ''] = await acceptMany(store, clock, [ALICE], 1)
    const between = String(Number(one) + 1)
    await write(store, [ackOf(between, ALICE), ackOf(one, ALICE), ackOf(two, ALICE)])
    await acceptMany(store, clock, [CAROL], 5)
    await rig.checkpoint()
    await write(store, [raiseOf(between, ALICE, 'confirmed')])
    await writeLazy(store, [raiseOf(between, ALICE, 'confirmed')])
    expect(await store.message(between)).toBeNull()
    await reopen()
    expect(await store.message(between)).toBeNull()
  })
})

describe('when writes come faster than the disk', () => {
  test('too many are refused at once, and a checkpoint still goes through', async () => {
    const writes = Array.from({ length: MAX_QUEUED + 10 }, () => store.write([{ op: 'count', meter: 'meter', by: 1 }], 'sync'))
    const done = Promise.allSettled(writes)
    const checkpointed = rig.checkpoint()
    const refused = (await done).filter((one) => one.status === 'rejected')
    expect(refused).toHaveLength(10)
    for (const { reason } of refused) expect(reason).toBeInstanceOf(StoreBusy)
    expect(await store.count('meter')).toBe(MAX_QUEUED)
    await checkpointed
  })

  test('a checkpoint is not put off by writes without end', async () => {
    let ended = false
    const writers = Array.from({ length: 20 }, async () => {
      while (!ended) await accept(store, clock, [ALICE])
    })
    await rig.checkpoint()
    ended = true
    await Promise.all(writers)
    expect((await afterCrash()).deliveries).toHaveLength((await openMids(store, ALICE)).length)
  })
})

describe('a full disk', () => {
  const fill = () => {
    disk.onStep = (step) => {
      if (isJournalWrite(step)) throw diskError('ENOSPC')
    }
  }

  test('refuses, keeps nothing of what it refused, and keeps what is lazy', async () => {
    const mid = await accept(store, clock, [ALICE])
    fill()
    const writes = [accept(store, clock, [ALICE]), write(store, [{ op: 'put', kind: 'setting', id: 'a', value: 1 }])]
    for (const one of writes) await expect(one).rejects.toBeInstanceOf(StoreFull)
    await writeLazy(store, [ackOf(mid, ALICE)])
    expect(store.health()).toEqual({ writable: false, durable: true, reason: 'the disk is full', queued: 1 })
    expect((await deliveryOf(store, mid, ALICE)).state).toBe('delivered')
    expect((await contentOf(store)).deliveries).toHaveLength(1)
    expect(await store.get('setting', 'a')).toBeNull()
    disk.onStep = () => {}
    await until(() => store.health().writable && store.health().queued === 0)
    const found = await afterCrash('copyAfterPowerCut')
    expect(found.deliveries).toMatchObject([{ mid, state: 'delivered' }])
    expect(found.settings).toEqual([])
  })

  test('is found to have space again without a write, and takes writes then', async () => {
    fill()
    await expect(accept(store, clock, [ALICE])).rejects.toBeInstanceOf(StoreFull)
    disk.onStep = () => {}
    await until(() => store.health().writable)
    const mid = await accept(store, clock, [ALICE])
    expect((await afterCrash()).deliveries).toMatchObject([{ mid }])
    expect(rig.failures).toEqual([])
  })

  test('gives the key of a refused push to the next', async () => {
    fill()
    const push = () => accept(store, clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: 1_000_000 } })
    await expect(push()).rejects.toBeInstanceOf(StoreFull)
    disk.onStep = () => {}
    const mid = await push()
    expect(await openMids(store, ALICE)).toEqual([mid])
    expect(await push()).toBe(mid)
  })

  test('is told to who closes the store while something lazy waits; the rest is there', async () => {
    const mid = await accept(store, clock, [ALICE])
    fill()
    await writeLazy(store, [ackOf(mid, ALICE)])
    await expect(store.close()).rejects.toBeInstanceOf(StoreFull)
    disk.onStep = () => {}
    await open()
    expect((await deliveryOf(store, mid, ALICE)).state).toBe('queued')
  })
})

describe('a flush that failed', () => {
  const breakDown = () => {
    disk.onStep = (step) => {
      if (isFlush(step)) throw diskError('EIO')
    }
  }

  test('fails its writes and all later ones, is told once, and changes nothing in memory', async () => {
    const mid = await accept(store, clock, [ALICE])
    const before = await contentOf(store)
    breakDown()
    const unknown = [accept(store, clock, [ALICE]), write(store, [{ op: 'put', kind: 'setting', id: 'a', value: 1 }])]
    for (const one of unknown) await expect(one).rejects.toBeInstanceOf(StoreFailed)
    disk.onStep = () => {}
    await expect(accept(store, clock, [ALICE])).rejects.toBeInstanceOf(StoreFailed)
    await expect(store.write([ackOf(mid, ALICE)], 'lazy')).rejects.toBeInstanceOf(StoreFailed)
    expect(rig.failures).toHaveLength(1)
    expect(rig.failures[0]).toBeInstanceOf(StoreFailed)
    expect(store.health()).toMatchObject({ writable: false, reason: expect.stringMatching(/the disk failed/) })
    expect(await contentOf(store)).toEqual(before)
    await expect(store.close()).rejects.toBeInstanceOf(StoreFailed)
    await open()
    expect((await openMids(store, ALICE))[0]).toBe(mid)
  })

  test('leaves no prune and no checkpoint waiting', async () => {
    const mids = await acceptMany(store, clock, [ALICE], 9)
    await write(store, mids.map((mid) => ackOf(mid, ALICE)))
    breakDown()
    const waiting = [accept(store, clock, [ALICE]), store.prune({ count: 0 }, 1_000_000)]
    for (const one of waiting) await expect(one).rejects.toBeInstanceOf(StoreFailed)
    disk.onStep = () => {}
    await expect(store.prune({ count: 0 }, 1_000_000)).rejects.toBeInstanceOf(StoreFailed)
  })

  test('of a new journal fails the store: its name may be there or not', async () => {
    await accept(store, clock, [ALICE])
    disk.onStep = ({ name, path }) => {
      if (name === 'flush folder' && path === '') throw diskError('EIO')
    }
    await clock.advance(1_000)
    await until(() => rig.failures.length === 1)
    disk.onStep = () => {}
    await expect(accept(store, clock, [ALICE])).rejects.toBeInstanceOf(StoreFailed)
  })
})

describe('a write that found no space', () => {
  test('is cut back and flushed before anything else: a power cut brings nothing of it back', async () => {
    await accept(store, clock, [ALICE])
    let truncated = false
    const steps: string[] = []
    disk.onStep = (step) => {
      if (isJournalWrite(step) && !truncated) throw diskError('ENOSPC')
      if (!step.path.startsWith('journal-')) return
      truncated ||= step.name === 'truncate'
      steps.push(step.name)
    }
    await expect(accept(store, clock, [ALICE])).rejects.toBeInstanceOf(StoreFull)
    expect(steps.slice(0, 2)).toEqual(['truncate', 'flush'])
  })
})

describe('after close', () => {
  test('nothing is written, read of health says so, and no timer is left', async () => {
    const mid = await accept(store, clock, [ALICE])
    await writeLazy(store, [ackOf(mid, ALICE)])
    await store.close()
    await expect(store.write([acceptOf(clock, [ALICE])], 'sync')).rejects.toThrow('the store is not open')
    await expect(store.write([ackOf(mid, ALICE)], 'lazy')).rejects.toThrow('the store is not open')
    expect(store.health()).toMatchObject({ writable: false, reason: 'the store is not open' })
    expect(clock.pending).toBe(0)
    await open()
    expect((await deliveryOf(store, mid, ALICE)).state).toBe('delivered')
  })

  test('what was written before it is there, and what came too late was refused', async () => {
    const before = Array.from({ length: 50 }, () => accept(store, clock, [ALICE]))
    const closed = store.close()
    const late = store.write([acceptOf(clock, [ALICE])], 'sync')
    await expect(late).rejects.toThrow('the store is not open')
    const mids = await Promise.all(before)
    await closed
    await open()
    expect(await openMids(store, ALICE)).toEqual(mids)
  })

  test('during a checkpoint waits for its end', async () => {
    await acceptMany(store, clock, [ALICE], 20)
    await clock.advance(1_000)
    await turn()
    const written = midOf(await store.write([acceptOf(clock, [BOB])], 'sync'))
    await store.close()
    const { deliveries } = await afterCrash()
    expect(deliveries).toHaveLength(21)
    expect(deliveries[0]?.mid).toBe(written)
  })
})
