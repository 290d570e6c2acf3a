import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Blobs, createBlobs } from '../../../server/store/lowdb/blobs.ts'
import { StoreFull } from '../../../server/store/store.ts'
import { type Disk, diskError, watchDisk } from './disk.ts'
import { quickFolder } from './rig.ts'

const MANY = 64 * 1024

let folder: Awaited<ReturnType<typeof quickFolder>>
let disk: Disk
let blobs: Blobs

beforeEach(async () => {
  folder = await quickFolder()
  disk = await watchDisk(folder.dir)
  blobs = createBlobs(folder.dir)
  await blobs.open()
})
afterEach(async () => {
  disk.restore()
  await folder.remove()
})

const files = () => readdirSync(join(folder.dir, 'blobs'))

async function* parts(count: number, fails = false) {
  for (let n = 0; n < count; n += 1) yield Buffer.alloc(MANY, n)
  if (fails) throw new Error('the sender went away')
}

test('is there, whole, after a power cut at the moment it resolves', async () => {
  const { id, size } = await blobs.put(parts(5), MANY * 5)
  expect(size).toBe(MANY * 5)
  const cut = join(folder.dir, 'cut')
  disk.copyAfterPowerCut(cut)
  const revived = createBlobs(cut)
  await revived.open()
  expect(await buffer(revived.read(id))).toEqual(await buffer(parts(5)))
})

test.each([
  ['that is too large', () => blobs.put(parts(5), MANY * 5 - 1), RangeError],
  ['whose sender goes away', () => blobs.put(parts(2, true), MANY * 5), Error],
])('one %s leaves nothing behind', async (_, put, kind) => {
  await expect(put()).rejects.toBeInstanceOf(kind)
  expect(files()).toEqual([])
})

test.each(['create', 'write', 'flush', 'rename'])(
  'a full disk at %s is told as such, and leaves nothing behind',
  async (step) => {
    disk.onStep = ({ name }) => {
      if (name === step) throw diskError('ENOSPC')
    }
    await expect(blobs.put(parts(1), MANY)).rejects.toBeInstanceOf(StoreFull)
    expect(files()).toEqual([])
  },
)

test('what a crash left half done goes at the next start, and nothing else', async () => {
  const { id } = await blobs.put(parts(1), MANY)
  writeFileSync(join(folder.dir, 'blobs', 'half.tmp'), 'half')
  await blobs.open()
  expect(files()).toEqual([id])
})

test('one that is not there is an error for who reads it, not for the process', async () => {
  const { id } = await blobs.put(parts(1), MANY)
  await blobs.remove(id)
  await blobs.remove(id)
  const read = blobs.read(id)
  await turn()
  await expect(buffer(read)).rejects.toThrow('ENOENT')
  await expect(buffer(blobs.read('../manifest.json'))).rejects.toThrow('there is no blob')
  await blobs.remove('../manifest.json')
})
