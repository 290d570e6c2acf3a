import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Mistake } from '../../../../server/ground/mistake.ts'
import type { Mid } from '../../../../server/protocol/states.ts'
import { backup, restore } from '../../../../server/store/lowdb/care/backup.ts'
import { examine } from '../../../../server/store/lowdb/care/examine.ts'
import { isDamage } from '../../../../server/store/lowdb/care/finding.ts'
import { lockFolder } from '../../../../server/store/lowdb/lock.ts'
import { StoreCorrupt, StoreLocked } from '../../../../server/store/store.ts'
import { accept, acceptMany, ackOf, ALICE, BOB, deliveryOf, write } from '../../../contract/store/words.ts'
import { type Disk, watchDisk } from '../disk.ts'
import { contentOf, journalsOf, openRig, quickFolder, refusal, type Rig } from '../rig.ts'
import { digestOf, filesOf, startFolders } from './folders.ts'

const NOW = 1_800_000_100_000

describe('a backup of a hub that runs', () => {
  let folder: Awaited<ReturnType<typeof quickFolder>>
  let disk: Disk
  let rig: Rig
  let dir = ''
  let copy = ''

  beforeEach(async () => {
    folder = await quickFolder()
    dir = join(folder.dir, 'data')
    copy = join(folder.dir, 'copy')
    mkdirSync(dir)
    disk = await watchDisk(folder.dir)
    rig = await openRig(dir)
  })
  afterEach(async () => {
    disk.pause = async () => {}
    await rig.store.close()
    disk.restore()
    await folder.remove()
  })

  async function* some() {
    yield Buffer.from('some')
  }

  /** Lets this happen before each file that is copied, or each of these, so often. */
  function between(times: number, happen: (n: number) => Promise<unknown>, which = /./): void {
    let n = 0
    disk.pause = async (name, path) => {
      if (name !== 'copy' || n >= times || !which.test(path)) return
      n += 1
      await happen(n)
    }
  }

  /** Some of everything, in files and in the journal. */
  async function fillStore(): Promise<Mid[]> {
    const mids = await acceptMany(rig.store, rig.clock, [ALICE, BOB], 10)
    await write(
      rig.store,
      mids.slice(0, 6).flatMap((mid) => [ackOf(mid, ALICE), ackOf(mid, BOB)]),
    )
    await rig.checkpoint()
    const { id } = await rig.store.putBlob(some(), 10)
    mids.push(await accept(rig.store, rig.clock, [ALICE], { message: { blobs: [id] } }))
    mids.push(await accept(rig.store, rig.clock, [BOB]))
    await write(rig.store, [ackOf(mids.at(-1) ?? '', BOB), { op: 'put', kind: 'setting', id: 'a', value: 1 }])
    return mids
  }

  test('takes again what a checkpoint wrote anew, also segments that it has already', async () => {
    await fillStore()
    const happen = async () => {
      await accept(rig.store, rig.clock, [ALICE])
      await rig.checkpoint()
    }
    between(4, happen, /journal-/)
    expect(await backup(dir, copy)).toMatchObject({ isSound: true, findings: [] })
  })

  test.each([
    ['pushes', async (n: number) => accept(rig.store, rig.clock, [ALICE], { text: `meanwhile ${n}` })],
    [
      'checkpoints',
      async (n: number) => {
        await accept(rig.store, rig.clock, [ALICE, BOB], { text: `meanwhile ${n}` })
        await rig.checkpoint()
      },
    ],
    [
      'checkpoints and prunes',
      async (n: number) => {
        const mid = await accept(rig.store, rig.clock, [BOB], { text: `meanwhile ${n}` })
        await write(rig.store, [ackOf(mid, BOB), { op: 'put', kind: 'setting', id: `${n}`, value: n }])
        await rig.checkpoint()
        await rig.store.prune({ count: 9 }, 1_000_000)
      },
    ],
  ])('with %s in between holds all that was accepted before it began', async (what, happen) => {
    const mids = await fillStore()
    const before = await contentOf(rig.store)
    between(25, happen)
    const copied = await backup(dir, copy)
    disk.pause = async () => {}
    expect(copied).toMatchObject({ isSound: true, findings: [] })
    const now = await contentOf(rig.store)
    const { store } = await openRig(copy, { clock: rig.clock })
    const found = await contentOf(store)
    expect(found.deliveries).toEqual(expect.arrayContaining(before.deliveries.filter(({ open }) => open)))
    if (!what.includes('prunes')) expect(found.deliveries).toEqual(expect.arrayContaining(before.deliveries))
    // no message that the hub does not have, or had
    const known = new Set([...mids, ...now.deliveries.map(({ mid }) => mid)])
    if (!what.includes('prunes')) expect([...found.messages.keys()].filter((mid) => !known.has(mid))).toEqual([])
    expect(found.settings).toContainEqual(expect.objectContaining({ id: 'a', value: 1 }))
    await store.close()
  })

  test('is checked meanwhile: what a checkpoint or a prune takes away while it is read is no damage', async () => {
    await fillStore()
    let busy = false
    let reads = 0
    disk.pause = async (name) => {
      if (busy || name !== 'read') return
      reads += 1
      // between reading the manifest and the journals, and among the segments
      if (reads !== 3 && reads !== 6) return
      busy = true
      const mid = await accept(rig.store, rig.clock, [BOB])
      await write(rig.store, [ackOf(mid, BOB)])
      await rig.checkpoint()
      await rig.store.prune({ count: 5 }, 1_000_000)
      busy = false
    }
    const found = await examine(dir)
    disk.pause = async () => {}
    expect(reads).toBeGreaterThan(10)
    expect(found.findings.filter(isDamage)).toEqual([])
    expect(found.isSound).toBe(true)
  })

  test('is given up when the hub never lets it end, and is no backup then', async () => {
    await fillStore()
    between(Infinity, () => rig.checkpoint())
    await expect(backup(dir, copy)).rejects.toThrow('changes faster than it can be copied')
    await expect(restore(copy, join(folder.dir, 'new'), { force: false, now: NOW })).rejects.toThrow(Mistake)
  })

  test('is the same hub again: repeated keys are known, mids go on, and no line is torn', async () => {
    const once = { key: 'key', print: 'a', ttlMs: 1_000_000 }
    const first = await accept(rig.store, rig.clock, [ALICE], { once })
    // what is being written while it is copied
    writeFileSync(journalsOf(dir).at(-1) ?? '', 'half a li', { flag: 'a' })
    expect(await backup(dir, copy)).toMatchObject({ isSound: true, findings: [] })
    const again = await openRig(copy, { clock: rig.clock })
    expect(again.torn).toEqual([])
    expect(await accept(again.store, rig.clock, [ALICE], { once })).toBe(first)
    expect((await accept(again.store, rig.clock, [ALICE])) > first).toBe(true)
    await again.store.close()
  })
})

describe('a backup', () => {
  const folders = startFolders()
  const copyOf = async () => {
    const copy = join(folders.folder, 'backup')
    await backup(folders.crashed, copy)
    return copy
  }

  test('holds every file and the token, readable for its owner alone, and neither lock nor reserve', async () => {
    writeFileSync(join(folders.crashed, 'token'), 'secret', { mode: 0o644 })
    const copy = await copyOf()
    expect(filesOf(copy)).toEqual(filesOf(folders.crashed))
    expect(digestOf(copy)).toBe(digestOf(folders.crashed))
    const all = readdirSync(copy, { recursive: true, withFileTypes: true })
    expect(all.map(({ name }) => name)).not.toContain('LOCK')
    for (const entry of all) {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777
      expect(mode, entry.name).toBe(entry.isDirectory() ? 0o700 : 0o600)
    }
    expect(statSync(copy).mode & 0o777).toBe(0o700)
  })

  test('goes to an empty folder of its own, and changes nothing in any other', async () => {
    const taken = join(folders.folder, 'taken')
    mkdirSync(taken)
    writeFileSync(join(taken, 'mine'), '')
    await expect(backup(folders.crashed, taken)).rejects.toThrow('is not empty')
    await expect(backup(folders.crashed, join(folders.crashed, 'inside'))).rejects.toThrow('lie in each other')
    await expect(backup(taken, join(folders.folder, 'new'))).rejects.toThrow('there is no manifest')
    expect(readdirSync(taken)).toEqual(['mine'])
  })

  test('says so when what it copied is damaged', async () => {
    const dir = folders.again()
    truncateSync(join(dir, 'messages', 'segment-00000002.json'), 60)
    const copied = await backup(dir, join(folders.folder, 'backup'))
    expect(copied.isSound).toBe(false)
  })

  test('becomes a data folder that a hub starts on', async () => {
    const copy = await copyOf()
    const dir = join(folders.folder, 'new', 'data')
    const done = await restore(copy, dir, { force: false, now: NOW })
    expect(done).toMatchObject({ aside: null, after: { isSound: true, findings: [] } })
    expect(await folders.open(dir)).toEqual(folders.content)
  })

  test('replaces nothing, unless told so; then what was there is put aside', async () => {
    const copy = await copyOf()
    const dir = folders.again()
    const { store } = await openRig(dir, { clock: folders.clock })
    const mid = await accept(store, folders.clock, [ALICE])
    await store.close()
    const before = digestOf(dir)
    await expect(restore(copy, dir, { force: false, now: NOW })).rejects.toThrow('is not empty')
    expect(digestOf(dir)).toBe(before)
    const { aside } = await restore(copy, dir, { force: true, now: NOW })
    expect(await folders.open(dir)).toEqual(folders.content)
    const old = await openRig(aside ?? '', { clock: folders.clock })
    expect((await deliveryOf(old.store, mid, ALICE)).mid).toBe(mid)
    await old.store.close()
    // once more: what was put aside before stays where it is
    const again = await restore(copy, dir, { force: true, now: NOW + 1 })
    expect(readdirSync(dir).filter((name) => name.startsWith('replaced-'))).toHaveLength(2)
    expect(again.after.isSound).toBe(true)
  })

  test('is left alone while a hub holds the folder, and when it is damaged itself', async () => {
    const copy = await copyOf()
    const dir = folders.again()
    const unlock = lockFolder(dir)
    await expect(restore(copy, dir, { force: true, now: NOW })).rejects.toBeInstanceOf(StoreLocked)
    unlock()
    truncateSync(join(copy, 'messages', 'segment-00000002.json'), 60)
    const before = digestOf(dir)
    await expect(restore(copy, dir, { force: true, now: NOW })).rejects.toThrow('is damaged')
    rmSync(join(copy, 'manifest.json'))
    await expect(restore(copy, dir, { force: true, now: NOW })).rejects.toThrow(Mistake)
    expect(digestOf(dir)).toBe(before)
  })

  test('that was restored by half starts no hub, and is restored again', async () => {
    const copy = await copyOf()
    const place = join(folders.folder, 'place')
    const dir = join(place, 'data')
    mkdirSync(dir, { recursive: true })
    const disk = await watchDisk(place)
    const copies: string[] = []
    disk.onStep = ({ name }) => {
      if (name !== 'copy' && name !== 'rename') return
      copies.push(join(folders.folder, `half ${copies.length}`))
      cpSync(dir, copies.at(-1) ?? '', { recursive: true })
    }
    await restore(copy, dir, { force: false, now: NOW })
    disk.restore()
    expect(copies.length).toBeGreaterThan(10)
    for (const half of copies) {
      expect(await refusal(half, folders.clock)).toBeInstanceOf(StoreCorrupt)
      await restore(copy, half, { force: true, now: NOW })
      expect(await examine(half)).toMatchObject({ isSound: true, findings: [] })
    }
    expect(await folders.open(copies.at(-1) ?? '')).toEqual(folders.content)
    expect(readFileSync(join(dir, 'manifest.json'))).toEqual(readFileSync(join(copy, 'manifest.json')))
  })
})
