import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { scan } from '../../../server/store/lowdb/frame.ts'
import { FlushFailed, Journal, journalPath, writeJournal } from '../../../server/store/lowdb/journal.ts'
import { type Disk, diskError, type StepName, watchDisk } from './disk.ts'
import { quickFolder } from './rig.ts'

const FAR = 1_000_000_000

let folder: Awaited<ReturnType<typeof quickFolder>>
let disk: Disk
let journal: Journal

beforeEach(async () => {
  folder = await quickFolder()
  disk = await watchDisk(folder.dir)
  journal = new Journal(folder.dir, 4, 10)
  await journal.rotate()
})
afterEach(async () => {
  disk.onStep = () => {}
  await journal.close().catch(() => {})
  disk.restore()
  await folder.remove()
})

const read = async (n: number, base = 10) => scan(await readFile(journalPath(folder.dir, n)), base)
const names = () => readdirSync(folder.dir).toSorted()

/** Makes the step fail, once. */
function failOnce(step: StepName, code: 'ENOSPC' | 'EIO'): void {
  let failed = false
  disk.onStep = ({ name }) => {
    if (name !== step || failed) return
    failed = true
    throw diskError(code)
  }
}

test('numbers lines on from the last, and says in each what was flushed before it', async () => {
  await journal.append(['["a"]', '["b"]'])
  await journal.append(['["c"]'])
  expect(await read(5)).toEqual({
    lines: [
      { seq: 10, durable: 10, json: '{"journal":5,"v":1,"base":10}' },
      { seq: 11, durable: 10, json: '["a"]' },
      { seq: 12, durable: 10, json: '["b"]' },
      { seq: 13, durable: 12, json: '["c"]' },
    ],
    damage: null,
  })
  expect(journal).toMatchObject({ n: 5, seq: 13, size: (await readFile(journalPath(folder.dir, 5))).length })
})

test('goes on in the next file where the last ended', async () => {
  await journal.append(['["a"]'])
  await journal.rotate()
  await journal.append(['["b"]'])
  expect((await read(6, 11)).lines).toEqual([
    { seq: 11, durable: 11, json: '{"journal":6,"v":1,"base":11}' },
    { seq: 12, durable: 11, json: '["b"]' },
  ])
  expect(names()).toEqual(['journal-0000000005.log', 'journal-0000000006.log'])
})

test('marks once, without a flush', async () => {
  await journal.append(['["a"]'])
  const steps: string[] = []
  disk.onStep = ({ name }) => void steps.push(name)
  await journal.mark()
  await journal.mark()
  expect(steps).toEqual(['write'])
  expect((await read(5)).lines.at(-1)).toEqual({ seq: 12, durable: 11, json: '[]' })
})

test('closes with a mark that is flushed', async () => {
  await journal.append(['["a"]'])
  await journal.close()
  const { lines } = await read(5)
  expect(lines.at(-1)).toEqual({ seq: 12, durable: 11, json: '[]' })
  disk.copyAfterPowerCut(`${folder.dir}/cut`)
  expect(scan(await readFile(journalPath(`${folder.dir}/cut`, 5)), 10).lines).toEqual(lines)
})

describe('a rotation that fails', () => {
  test.each(['create', 'write', 'flush', 'rename'] as const)(
    'at %s leaves nothing, goes on in the old file, and can be tried again',
    async (step) => {
      await journal.append(['["a"]'])
      failOnce(step, 'ENOSPC')
      await expect(journal.rotate()).rejects.toThrow('ENOSPC')
      expect(names()).toEqual(['journal-0000000005.log'])
      await journal.append(['["b"]'])
      expect((await read(5)).lines.map(({ json }) => json).slice(1)).toEqual(['["a"]', '["b"]'])
      await journal.rotate()
      await journal.append(['["c"]'])
      expect((await read(6, 12)).lines.map(({ seq }) => seq)).toEqual([12, 13])
    },
  )

  test('when its name is made to last: nothing may follow, in neither file', async () => {
    failOnce('flush folder', 'EIO')
    await expect(journal.rotate()).rejects.toBeInstanceOf(FlushFailed)
    await expect(journal.append(['["a"]'])).rejects.toBeInstanceOf(FlushFailed)
    expect((await read(5)).lines).toHaveLength(1)
  })
})

describe('a write that fails', () => {
  test('leaves nothing behind, and the next takes its place', async () => {
    await journal.append(['["a"]'])
    const before = await readFile(journalPath(folder.dir, 5))
    failOnce('write', 'ENOSPC')
    await expect(journal.append(['["b"]', '["c"]'])).rejects.toThrow('ENOSPC')
    expect(await readFile(journalPath(folder.dir, 5))).toEqual(before)
    await journal.append(['["d"]'])
    expect((await read(5)).lines.at(-1)).toEqual({ seq: 12, durable: 11, json: '["d"]' })
  })

  test.each(['truncate', 'flush'] as const)('and cannot be taken back (%s) is the end', async (step) => {
    let failed = false
    disk.onStep = ({ name }) => {
      if (name === 'write' && !failed) {
        failed = true
        throw diskError('ENOSPC')
      }
      if (name === step) throw diskError('EIO')
    }
    await expect(journal.append(['["a"]'])).rejects.toBeInstanceOf(FlushFailed)
    disk.onStep = () => {}
    await expect(journal.append(['["b"]'])).rejects.toBeInstanceOf(FlushFailed)
  })
})

test('a flush that failed is never tried again', async () => {
  failOnce('flush', 'EIO')
  await expect(journal.append(['["a"]'])).rejects.toBeInstanceOf(FlushFailed)
  const steps: string[] = []
  disk.onStep = ({ name }) => void steps.push(name)
  await expect(journal.append(['["b"]'])).rejects.toBeInstanceOf(FlushFailed)
  await expect(journal.rotate()).rejects.toBeInstanceOf(FlushFailed)
  await expect(journal.close()).rejects.toBeInstanceOf(FlushFailed)
  expect(steps).toEqual([])
})

test('a file that is put in place counts as acknowledged', async () => {
  const path = journalPath(folder.dir, 9)
  await writeJournal(path, { n: 9, base: 20 }, ['["a"]', '["b"]'])
  const bytes = await readFile(path)
  expect(scan(bytes, 20)).toMatchObject({ lines: [{}, { seq: 21, durable: 22 }, { seq: 22 }], damage: null })
  bytes[40] = FAR
  expect(scan(bytes, 20).damage).toMatchObject({ acknowledged: true })
  disk.copyAfterPowerCut(`${folder.dir}/cut`)
  expect(await readFile(journalPath(`${folder.dir}/cut`, 9))).toHaveLength(bytes.length)
})
