import { readdirSync, renameSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  isOutOfSpace,
  nullIfMissing,
  readJson,
  replaceFile,
  syncFolder,
  writeJson,
} from '../../../server/store/lowdb/file.ts'
import { StoreCorrupt } from '../../../server/store/store.ts'
import { type Disk, diskError, watchDisk } from './disk.ts'
import { flipBit, quickFolder } from './rig.ts'

let folder: Awaited<ReturnType<typeof quickFolder>>
let path = ''
let disk: Disk

beforeEach(async () => {
  folder = await quickFolder()
  path = join(folder.dir, 'file.json')
  disk = await watchDisk(folder.dir)
})
afterEach(async () => {
  disk.restore()
  await folder.remove()
})

test('gives back what was put in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      await writeJson(path, { value })
      expect(JSON.stringify(await readJson(path))).toBe(JSON.stringify({ value }))
    }),
    { numRuns: 50 },
  )
})

test('is null where there is no file, and is one object that other tools can read', async () => {
  expect(await readJson(path)).toBeNull()
  await writeJson(path, { a: ['ä', '\u{1f514}', '\ud800'] })
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    crc: expect.any(String),
    data: { a: ['ä', '\u{1f514}', '\ud800'] },
  })
})

test('every flipped bit and every cut is told, with what to do', async () => {
  await writeJson(path, { a: 1, b: 'text' })
  const whole = await readFile(path)
  const isTold = async () => {
    const error: unknown = await readJson(path).then(
      () => null,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(StoreCorrupt)
    expect(String(error)).toContain(`${path} is damaged`)
    expect(String(error)).toContain(`rename it to ${path}.lost`)
  }
  for (let byte = 0; byte < whole.length; byte += 1) {
    await writeFile(path, whole)
    await flipBit(path, byte, byte % 8)
    await isTold()
    await writeFile(path, whole.subarray(0, byte))
    await isTold()
  }
})

test('the old content stays until the new is flushed, and the name lasts once its folder is flushed', async () => {
  await writeJson(path, 'old')
  await syncFolder(folder.dir)
  const steps: string[] = []
  disk.onStep = ({ name, path: of }) => void steps.push(`${name} ${of}`)
  await writeJson(path, 'new')
  expect(steps).toEqual(['create file.json.tmp', 'write file.json.tmp', 'flush file.json.tmp', 'rename file.json'])
  const cut = join(folder.dir, 'cut')
  disk.copyAfterPowerCut(cut)
  expect(await readJson(join(cut, 'file.json'))).toBe('old')
  await syncFolder(folder.dir)
  disk.copyAfterPowerCut(cut)
  expect(await readJson(join(cut, 'file.json'))).toBe('new')
})

test.each(['create', 'write', 'flush', 'rename'])(
  'when it fails to %s the old file is there, and nothing beside it',
  async (step) => {
    await writeJson(path, 'old')
    disk.onStep = ({ name }) => {
      if (name === step) throw diskError('ENOSPC')
    }
    const error: unknown = await writeJson(path, 'new').then(
      () => null,
      (reason: unknown) => reason,
    )
    expect(isOutOfSpace(error)).toBe(true)
    expect(await readJson(path)).toBe('old')
    expect(readdirSync(folder.dir)).toEqual(['file.json'])
  },
)

test('what JSON cannot hold leaves the old file', async () => {
  await writeJson(path, 'old')
  await expect(writeJson(path, 1n)).rejects.toThrow(TypeError)
  expect(await readJson(path)).toBe('old')
  await writeJson(path, 'new')
  expect(await readJson(path)).toBe('new')
})

test('a file that was put in place is open under its new name', async () => {
  const file = await replaceFile(path, 'one')
  renameSync(path, `${path}.moved`)
  await file.writeFile(' two')
  await file.close()
  expect(await readFile(`${path}.moved`, 'utf8')).toBe('one two')
})

test('only what is missing is null', async () => {
  expect(await open(path, 'r').catch(nullIfMissing)).toBeNull()
  await expect(readFile(folder.dir).catch(nullIfMissing)).rejects.toThrow('EISDIR')
})
