import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Mid } from '../../../../server/protocol/states.ts'
import { examine } from '../../../../server/store/lowdb/care/examine.ts'
import { type Repair, repair } from '../../../../server/store/lowdb/care/repair.ts'
import { lockFolder } from '../../../../server/store/lowdb/lock.ts'
import { readManifest } from '../../../../server/store/lowdb/manifest.ts'
import { StoreCorrupt, StoreLocked } from '../../../../server/store/store.ts'
import { accept, ALICE } from '../../../contract/store/words.ts'
import { watchDisk } from '../disk.ts'
import { flipBit, journalsOf, openRig, refusal } from '../rig.ts'
import { digestOf, filesOf, startFolders } from './folders.ts'

const NOW = 1_800_000_100_000
const folders = startFolders()
const SEGMENT = join('messages', 'segment-00000002.json')

const mend = (dir: string) => repair(dir, { acceptLoss: false, now: NOW })
const giveUp = (dir: string, now = NOW) => repair(dir, { acceptLoss: true, now })
const without = (mids: readonly (Mid | undefined)[]) =>
  folders.content.deliveries.filter(({ mid }) => !mids.includes(mid))

/** The folder is sound, and a hub starts on it; returns what it finds. */
async function openMended(dir: string, { after }: Repair) {
  expect(after).toMatchObject({ isSound: true, findings: [] })
  expect(await examine(dir)).toMatchObject({ isSound: true, findings: [] })
  return folders.open(dir)
}

/** Damages one line of the journal; returns the mid of its message. */
async function damageLine(dir: string): Promise<Mid | undefined> {
  const [journal = ''] = journalsOf(dir)
  await flipBit(journal, readFileSync(journal).indexOf('late alice'))
  return folders.mids.at(-3)
}

describe('without loss', () => {
  test('a sound folder is left as it is', async () => {
    const dir = folders.again()
    const before = digestOf(dir)
    expect(await mend(dir)).toMatchObject({ mended: [], lost: [], aside: null, after: { isSound: true } })
    expect(digestOf(dir)).toBe(before)
  })

  test('what a crash left is tidied up, and what may be of use is put aside', async () => {
    const dir = folders.again()
    const [journal = ''] = journalsOf(dir)
    writeFileSync(journal, 'torn', { flag: 'a' })
    writeFileSync(join(dir, 'messages', 'segment-00000001.json.tmp'), 'half')
    writeFileSync(join(dir, 'journal-0000000001.log'), '')
    writeFileSync(join(dir, 'blobs', '00000000-0000-0000-0000-000000000000'), 'orphan')
    await flipBit(join(dir, 'messages', 'segment-00000001.recipients.json'), 30)
    const done = await mend(dir)
    expect(done.mended).toHaveLength(5)
    expect(done.lost).toEqual([])
    expect(filesOf(done.aside ?? '')).toEqual([
      'blobs/00000000-0000-0000-0000-000000000000',
      'messages/segment-00000001.recipients.json',
    ])
    expect(statSync(done.aside ?? '').mode & 0o777).toBe(0o700)
    expect(readdirSync(dir).filter((name) => name.includes('.torn-'))).toHaveLength(1)
    expect(existsSync(join(dir, 'journal-0000000001.log'))).toBe(false)
    expect(await openMended(dir, done)).toEqual(folders.content)
  })

  test.each(['manifest.json', SEGMENT])('damage to %s is told, and nothing of it is changed', async (file) => {
    const dir = folders.again()
    truncateSync(join(dir, file), 60)
    const before = digestOf(dir)
    const done = await mend(dir)
    expect(done).toMatchObject({ lost: [], aside: null, after: { isSound: false } })
    expect(digestOf(dir)).toBe(before)
    if (file === 'manifest.json') expect(await refusal(dir, folders.clock)).toBeInstanceOf(StoreCorrupt)
  })

  test('it does nothing while a hub holds the folder', async () => {
    const dir = folders.again()
    truncateSync(join(dir, SEGMENT), 60)
    const unlock = lockFolder(dir)
    const before = digestOf(dir)
    await expect(giveUp(dir)).rejects.toBeInstanceOf(StoreLocked)
    expect(digestOf(dir)).toBe(before)
    unlock()
    expect((await giveUp(dir)).after.isSound).toBe(true)
  })
})

describe('with the loss accepted, what is lost is told, and the rest is there', () => {
  test('a segment', async () => {
    const dir = folders.again()
    await flipBit(join(dir, SEGMENT), 300)
    const gone = folders.mids.slice(4, 8)
    const done = await giveUp(dir)
    expect(done.lost).toMatchObject([
      { file: SEGMENT, affected: { of: 'message', count: 4, mids: gone, names: [ALICE, 'bob@user'] } },
    ])
    expect(filesOf(done.aside ?? '')).toEqual([SEGMENT, SEGMENT.replace('.json', '.recipients.json')])
    expect((await openMended(dir, done)).deliveries).toEqual(without(gone))
  })

  test('the newest segment, which new messages would have gone to', async () => {
    const dir = folders.again()
    const { segments = [] } = (await readManifest(dir)) ?? {}
    const newest = segments.at(-1)
    const file = join('messages', `segment-${String(newest?.n).padStart(8, '0')}.json`)
    rmSync(join(dir, file))
    const done = await giveUp(dir)
    expect(done.lost).toMatchObject([{ file, affected: { count: newest?.count } }])
    const gone = folders.mids.filter((mid) => mid >= (newest?.first ?? '') && mid <= (newest?.last ?? ''))
    expect(gone).toHaveLength(newest?.count ?? 0)
    expect((await openMended(dir, done)).deliveries).toEqual(without(gone))
    const { store } = await openRig(dir, { clock: folders.clock })
    const mids = []
    for (let n = 0; n < 9; n += 1) mids.push(await accept(store, folders.clock, [ALICE]))
    await store.close()
    expect(mids.every((mid) => mid > (folders.mids.at(-1) ?? ''))).toBe(true)
    expect((await folders.open(dir)).deliveries).toHaveLength(without(gone).length + 9)
  })

  test('a line of a journal: no line after it is lost with it', async () => {
    const dir = folders.again()
    const mid = await damageLine(dir)
    const [journal = ''] = journalsOf(dir)
    const done = await giveUp(dir)
    expect(done.lost).toMatchObject([{ affected: { of: 'line', count: 1, mids: [mid], names: [ALICE] } }])
    expect(filesOf(done.aside ?? '')).toEqual([journal.slice(dir.length + 1)])
    const found = await openMended(dir, done)
    expect(found.deliveries).toEqual(without([mid]))
    expect(found.meter).toBe(folders.content.meter)
  })

  test('a journal: what is in the other files is there', async () => {
    const dir = folders.again()
    const [journal = ''] = journalsOf(dir)
    rmSync(journal)
    const done = await giveUp(dir)
    expect(done.lost).toMatchObject([{ kind: 'journal', what: 'it is missing', affected: { count: null } }])
    expect((await openMended(dir, done)).deliveries).toEqual(without(folders.mids.slice(-4)))
  })

  test('the manifest: segments and journals say what it said, and a new epoch that something may be gone', async () => {
    for (const damage of [(path: string) => truncateSync(path, 60), (path: string) => rmSync(path)]) {
      const dir = folders.again()
      const before = await readManifest(dir)
      damage(join(dir, 'manifest.json'))
      const done = await giveUp(dir)
      expect(done.lost).toMatchObject([{ kind: 'manifest' }])
      const after = await readManifest(dir)
      expect(after?.epoch).not.toBe(before?.epoch)
      expect(after?.segments).toEqual(before?.segments)
      expect(Number(after?.lastMid)).toBeGreaterThanOrEqual(Number(folders.mids.at(-1)))
      expect(await openMended(dir, done)).toEqual(folders.content)
    }
  })

  test('the manifest, a segment and a line of a journal at once', async () => {
    const dir = folders.again()
    truncateSync(join(dir, 'manifest.json'), 60)
    await flipBit(join(dir, SEGMENT), 300)
    const mid = await damageLine(dir)
    const done = await giveUp(dir)
    expect(done.lost.map(({ kind }) => kind).toSorted()).toEqual(['journal', 'manifest', 'segment'])
    expect((await openMended(dir, done)).deliveries).toEqual(without([mid, ...folders.mids.slice(4, 8)]))
  })

  test('documents, keys and a blob', async () => {
    const dir = folders.again()
    for (const folder of ['documents', 'once'])
      for (const name of readdirSync(join(dir, folder))) truncateSync(join(dir, folder, name), 40)
    const [shard = ''] = readdirSync(join(dir, 'documents'))
    rmSync(join(dir, 'documents', shard))
    const [blob = ''] = readdirSync(join(dir, 'blobs'))
    rmSync(join(dir, 'blobs', blob))
    const done = await giveUp(dir)
    expect(new Set(done.lost.map(({ kind }) => kind))).toEqual(new Set(['documents', 'keys', 'blob']))
    const found = await openMended(dir, done)
    expect(found.deliveries).toEqual(folders.content.deliveries)
    expect(found.settings).toEqual([])
  })
})

test('a crash at any step of a repair leaves a folder that can be repaired', { timeout: 60_000 }, async () => {
  const place = join(folders.folder, 'place')
  await mkdir(place)
  const dir = join(place, 'data')
  await cp(folders.crashed, dir, { recursive: true })
  truncateSync(join(dir, 'manifest.json'), 60)
  await flipBit(join(dir, SEGMENT), 300)
  const mid = await damageLine(dir)
  const expected = without([mid, ...folders.mids.slice(4, 8)])
  const disk = await watchDisk(dir)
  const copies: string[] = []
  disk.onStep = () => {
    copies.push(join(folders.folder, `crash ${copies.length}`))
    disk.copyAfterPowerCut(copies.at(-1) ?? '')
  }
  await giveUp(dir)
  disk.restore()
  expect(copies.length).toBeGreaterThan(10)
  for (const copy of copies) {
    const done = await giveUp(copy, NOW + 1)
    expect((await openMended(copy, done)).deliveries).toEqual(expected)
  }
})
