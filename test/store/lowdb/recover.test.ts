import { cpSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeLine, scan } from '../../../server/store/lowdb/frame.ts'
import { ALICE, accept, acceptMany, acceptOf, ackOf, BOB, write } from '../../contract/store/words.ts'
import { random } from '../../crash/random.ts'
import { startCrashes } from './crashes.ts'
import { watchDisk } from './disk.ts'
import { contentOf, flipBit, journalsOf } from './rig.ts'

const FLIPS = 200
const SECTOR = 512
const crashes = startCrashes()

describe('the last batch of a crash', () => {
  let mids: string[] = []
  let acknowledged = 0

  /** A batch alone, then three writes in one batch. */
  async function crashAfterBatch(): Promise<string> {
    const rig = await crashes.open()
    mids = await acceptMany(rig.store, crashes.clock, [ALICE], 2)
    acknowledged = statSync(journalsOf(crashes.dir).at(-1) ?? '').size
    mids.push(...(await Promise.all([1, 2, 3].map(() => accept(rig.store, crashes.clock, [ALICE])))))
    await crashes.crash(rig)
    return crashes.again()
  }

  test('cut at any byte keeps every complete line, and the rest aside', async () => {
    const whole = await readFile(await crashAfterBatch())
    const { lines } = scan(whole, 0)
    expect(lines).toHaveLength(6)
    const ends = new Set<number>([0])
    let end = 0
    for (const line of lines) ends.add((end += Buffer.byteLength(encodeLine(line))))
    crashes.again()
    for (let size = acknowledged; size <= whole.length; size += 1) {
      await writeFile(journalsOf(crashes.dir).at(-1) ?? '', whole.subarray(0, size))
      const complete = [...ends].filter((at) => at <= size).length - 2
      const found = await crashes.replay()
      expect(found.mids).toEqual(mids.slice(0, complete))
      expect(found.torn.map((file) => basename(file))).toEqual(
        ends.has(size) ? [] : [expect.stringMatching(/^journal-0000000002\.log\.torn-\d+$/)],
      )
      for (const file of found.torn) expect(await readFile(file)).toEqual(whole.subarray(0, size))
      for (const file of found.torn) await rm(file)
      expect(await crashes.replay()).toEqual({ mids: found.mids, torn: [] })
    }
  })

  test('torn is told by open, and the next start is clean', async () => {
    const whole = await readFile(await crashAfterBatch())
    await truncate(crashes.again(), whole.length - 7)
    const found = await crashes.recover()
    expect(found.mids).toEqual(mids.slice(0, 4))
    expect(found.torn).toHaveLength(1)
  })

  test('with sectors of zeros keeps all that was acknowledged', async () => {
    const whole = await readFile(await crashAfterBatch())
    const { between } = random(3, 'sectors')
    for (let n = 0; n < FLIPS; n += 1) {
      const path = crashes.again()
      const zeroed = Buffer.from(whole)
      const from = between(acknowledged, whole.length)
      zeroed.fill(0, from, Math.min(whole.length, from + between(1, SECTOR)))
      await writeFile(path, zeroed)
      const found = await crashes.replay()
      expect(found.mids.slice(0, 2)).toEqual(mids.slice(0, 2))
      expect(mids).toEqual(expect.arrayContaining(found.mids))
      expect(found.torn).toHaveLength(1)
    }
  })

  test('with garbage or zeros behind it is kept', async () => {
    const whole = await readFile(await crashAfterBatch())
    for (const more of [Buffer.alloc(65_536), Buffer.from('garbage\nand more\n'), Buffer.from([0])]) {
      await writeFile(crashes.again(), Buffer.concat([whole, more]))
      const found = await crashes.recover()
      expect(found.mids).toEqual(mids)
      expect(found.torn).toHaveLength(1)
    }
  })

  test('with a flipped bit is kept but for its line, which is kept aside', async () => {
    const size = statSync(await crashAfterBatch()).size
    const { between } = random(4, 'flips')
    for (let n = 0; n < FLIPS; n += 1) {
      const path = crashes.again()
      await flipBit(path, between(acknowledged, size), between(0, 8))
      const found = await crashes.replay()
      expect(found.mids.slice(0, 2)).toEqual(mids.slice(0, 2))
      expect(found.torn).toHaveLength(1)
    }
  })
})

describe('a replay', () => {
  test('reads each old segment once, however often its messages are named', async () => {
    const rig = await crashes.open({ checkpointBytes: 1 })
    const mids = await acceptMany(rig.store, crashes.clock, [ALICE, BOB], 120)
    await rig.checkpoint()
    await write(
      rig.store,
      mids.map((mid) => ackOf(mid, ALICE)),
    )
    const before = await readFile(join(crashes.dir, 'manifest.json'))
    // in no order, so that no cache helps
    for (const mid of random(1, 'order').shuffle(mids)) void rig.store.write([ackOf(mid, BOB)], 'sync')
    await write(rig.store, [])
    const content = await contentOf(rig.store)
    const kept = join(crashes.folder, 'kept')
    await mkdir(kept)
    for (const path of journalsOf(crashes.dir)) cpSync(path, join(kept, basename(path)))
    await rig.checkpoint()
    await crashes.crash(rig)
    crashes.again()
    // as if the power had gone just before the manifest: the files are newer than it says
    await writeFile(join(crashes.dir, 'manifest.json'), before)
    for (const name of readdirSync(kept)) cpSync(join(kept, name), join(crashes.dir, name))
    const disk = await watchDisk(crashes.dir)
    const reads: string[] = []
    disk.onRead = (path) => void reads.push(path)
    const next = await crashes.open()
    disk.restore()
    // at most: for what is live in it, and for what the journal names
    expect(reads.filter((path) => path.includes('segment-00000007')).length).toBeLessThanOrEqual(2)
    expect(await contentOf(next.store)).toEqual(content)
    await next.store.close()
  })

  test('of a message and its once key brings both, or neither', async () => {
    const rig = await crashes.open()
    const once = { key: 'key', print: 'a', ttlMs: 1_000_000 }
    const mid = await accept(rig.store, crashes.clock, [ALICE], { once })
    await crashes.crash(rig)
    crashes.again()
    const next = await crashes.open()
    expect(await next.store.write([acceptOf(crashes.clock, [ALICE], { once })], 'sync')).toMatchObject({
      mids: [{ mid, repeated: true }],
    })
    await next.store.close()
    const path = crashes.again()
    writeFileSync(path, (await readFile(path)).subarray(0, -5))
    const torn = await crashes.open()
    expect(await torn.store.write([acceptOf(crashes.clock, [ALICE], { once })], 'sync')).toMatchObject({
      mids: [{ repeated: false }],
    })
    await torn.store.close()
  })
})
