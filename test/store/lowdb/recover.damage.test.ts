import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeLine, scan } from '../../../server/store/lowdb/frame.ts'
import { StoreCorrupt, StoreVersion } from '../../../server/store/store.ts'
import { ALICE, acceptMany, write } from '../../contract/store/words.ts'
import { random } from '../../crash/random.ts'
import { startCrashes } from './crashes.ts'
import { flipBit, journalsOf, refusal, until } from './rig.ts'

const FLIPS = 200
const HEAD_SIZE = encodeLine({ seq: 0, durable: 0, json: '{"journal":2,"v":1,"base":0}' }).length
const crashes = startCrashes()
const filesOf = (at: string) => readdirSync(at, { recursive: true, encoding: 'utf8' }).toSorted()

describe('damage to what was acknowledged', () => {
  /** Ten batches, each acknowledged by the next, and the last by a mark. */
  async function crashAfterMark(): Promise<string[]> {
    const rig = await crashes.open()
    const mids = await acceptMany(rig.store, crashes.clock, [ALICE], 10)
    await until(async () => scan(await readFile(journalsOf(crashes.dir).at(-1) ?? ''), 0).lines.at(-1)?.json === '[]')
    await crashes.crash(rig)
    return mids
  }

  /** Does what the message says. Here the backup is what the crash left. */
  function follow({ message }: Error): void {
    const [, size = '', path = ''] = /truncate -s (\d+) (\S+)\)/.exec(message) ?? []
    execFileSync('truncate', ['-s', size, path])
    const [, journals] = /\) and move (.*) out of the folder/.exec(message) ?? []
    for (const name of journals?.split(', ') ?? []) renameSync(join(crashes.dir, name), join(crashes.folder, name))
  }

  test('a flipped bit is told with file, line and offset; nothing is changed, and what the message says works', async () => {
    const mids = await crashAfterMark()
    const { lines } = scan(await readFile(crashes.again()), 0)
    const starts = [0]
    for (const line of lines) starts.push((starts.at(-1) ?? 0) + Buffer.byteLength(encodeLine(line)))
    const { between } = random(5, 'flips')
    for (let n = 0; n < FLIPS; n += 1) {
      const path = crashes.again()
      // the mark itself, and the line end before it, vouch for the rest
      const byte = between(0, (starts.at(-2) ?? 0) - 1)
      await flipBit(path, byte, between(0, 8))
      const damaged = await readFile(path)
      const place = starts.findLastIndex((start) => start <= byte)
      const before = filesOf(crashes.dir)
      const isWhole = n % 20 === 0
      const error = isWhole
        ? await refusal(crashes.dir, crashes.clock)
        : await crashes.replay().then(
            () => null,
            (reason: Error) => reason,
          )
      if (!(error instanceof StoreCorrupt)) throw new Error(`byte ${byte} went unseen`)
      expect(error.message).toContain(`${path} is damaged at byte ${starts[place]} (line ${place})`)
      expect(await readFile(path)).toEqual(damaged)
      expect(filesOf(crashes.dir)).toEqual(before)
      if (!isWhole) continue
      follow(error)
      expect((await crashes.recover()).mids).toEqual(mids.slice(0, Math.max(0, place - 1)))
    }
  })

  test('also after a clean end', async () => {
    const rig = await crashes.open()
    await write(rig.store, [{ op: 'count', meter: 'meter', by: 1 }])
    await rig.store.close()
    cpSync(crashes.dir, crashes.crashed, { recursive: true })
    const path = crashes.again()
    await flipBit(path, HEAD_SIZE + 20)
    expect(await refusal(crashes.dir, crashes.clock)).toBeInstanceOf(StoreCorrupt)
  })

  test('with journals after it: they must go too, and what the message says works', async () => {
    const rig = await crashes.open()
    const [mid] = await acceptMany(rig.store, crashes.clock, [ALICE], 2)
    await crashes.crash(rig)
    crashes.again()
    // a start that ends before its checkpoint leaves the journal of the crash and one of its own
    const second = join(crashes.folder, 'second')
    const next = await crashes.open()
    cpSync(crashes.dir, second, { recursive: true })
    await next.store.close()
    rmSync(crashes.dir, { recursive: true })
    cpSync(second, crashes.dir, { recursive: true })
    cpSync(join(crashes.crashed, 'manifest.json'), join(crashes.dir, 'manifest.json'))
    for (const name of readdirSync(crashes.crashed))
      if (name.startsWith('journal-')) cpSync(join(crashes.crashed, name), join(crashes.dir, name))
    const [, path = '', ...later] = journalsOf(crashes.dir)
    expect(later.length).toBeGreaterThan(0)
    await flipBit(path, statSync(path).size - 10)
    const error = await refusal(crashes.dir, crashes.clock)
    expect(error).toBeInstanceOf(StoreCorrupt)
    expect(error.message).toContain(later.map((one) => basename(one)).join(', '))
    follow(error)
    expect((await crashes.recover()).mids).toEqual([mid])
  })

  test('a journal that does not follow the one before it is refused, and what the message says works', async () => {
    const mids = await crashAfterMark()
    const path = crashes.again()
    const next = join(crashes.dir, 'journal-0000000003.log')
    await writeFile(next, encodeLine({ seq: 99, durable: 99, json: '{"journal":3,"v":1,"base":99}' }))
    const error = await refusal(crashes.dir, crashes.clock)
    expect(error).toBeInstanceOf(StoreCorrupt)
    expect(error.message).toContain(`${next} begins after line 99`)
    expect(error.message).toContain('move it and all journals after it out of the folder')
    await rename(next, join(crashes.folder, 'aside'))
    expect((await crashes.recover()).mids).toEqual(mids)
    expect(existsSync(path)).toBe(false)
  })
})

describe('a journal that is missing', () => {
  test('is told, and nothing is opened without it', async () => {
    const rig = await crashes.open()
    await acceptMany(rig.store, crashes.clock, [ALICE], 2)
    await crashes.crash(rig)
    renameSync(crashes.again(), join(crashes.folder, 'aside'))
    // the journal of the very first start is still there: only the last one cannot be told to be missing
    await writeFile(join(crashes.dir, 'journal-0000000003.log'), '')
    const error = await refusal(crashes.dir, crashes.clock)
    expect(error).toBeInstanceOf(StoreCorrupt)
    expect(error.message).toContain(`${join(crashes.dir, 'journal-0000000002.log')} is missing`)
    expect(error.message).toContain('to start without journal-0000000003.log, move them out')
    renameSync(join(crashes.dir, 'journal-0000000003.log'), join(crashes.folder, 'later'))
    expect((await crashes.recover()).mids).toEqual([])
  })

  test('the only one, is told', async () => {
    const rig = await crashes.open({ checkpointBytes: 1 })
    await acceptMany(rig.store, crashes.clock, [ALICE], 2)
    await rig.checkpoint()
    await crashes.crash(rig)
    renameSync(crashes.again(), join(crashes.folder, 'aside'))
    const error = await refusal(crashes.dir, crashes.clock)
    expect(error).toBeInstanceOf(StoreCorrupt)
    expect(error.message).toMatch(/journal-\d+\.log is missing/)
    crashes.again()
    expect((await crashes.recover()).mids).toHaveLength(2)
  })
})

describe('files of a newer program', () => {
  test('a journal is not touched', async () => {
    const rig = await crashes.open()
    await crashes.crash(rig)
    const path = crashes.again()
    await writeFile(path, encodeLine({ seq: 0, durable: 0, json: '{"journal":2,"v":2,"base":0}' }))
    const error = await refusal(crashes.dir, crashes.clock)
    expect(error).toBeInstanceOf(StoreVersion)
    expect(error.message).toContain(path)
  })
})
