import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeJson } from '../../../server/store/lowdb/file.ts'
import { readManifest, writeManifest } from '../../../server/store/lowdb/manifest.ts'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import { StoreCorrupt, StoreVersion } from '../../../server/store/store.ts'
import { ALICE, acceptMany, openMids, write } from '../../contract/store/words.ts'
import { testClock } from '../../helpers/clock.ts'
import { silentLog } from '../../helpers/folder.ts'
import { flipBit, openRig, quickFolder, refusal } from './rig.ts'

const clock = testClock()

let folder: Awaited<ReturnType<typeof quickFolder>>
let dir = ''
let path = ''

beforeEach(async () => {
  folder = await quickFolder()
  dir = join(folder.dir, 'data')
  path = join(dir, 'manifest.json')
})
afterEach(() => folder.remove())

/** A folder that was in use. */
async function used(checkpointed: boolean): Promise<string[]> {
  const rig = await openRig(dir, { clock })
  const mids = await acceptMany(rig.store, clock, [ALICE], 5)
  await write(rig.store, [{ op: 'count', meter: '__proto__', by: 3 }])
  if (checkpointed) await rig.checkpoint()
  cpSync(dir, join(folder.dir, 'crashed'), { recursive: true })
  await rig.store.close()
  rmSync(dir, { recursive: true })
  cpSync(join(folder.dir, 'crashed'), dir, { recursive: true })
  return mids
}

test('keeps the epoch, meters and all over restarts', async () => {
  const mids = await used(true)
  const epochs = []
  for (let n = 0; n < 3; n += 1) {
    const store = createLowdbStore({ dir, clock, log: silentLog, onFailed: () => {} })
    epochs.push((await store.open()).epoch)
    expect(await store.count('__proto__')).toBe(3)
    expect(await openMids(store, ALICE)).toEqual(mids)
    await store.close()
  }
  expect(new Set(epochs).size).toBe(1)
  expect(epochs[0]).toMatch(/^[0-9a-f-]{36}$/)
})

test.each([true, false])(
  'missing, with the folder in use, it is not taken for a new folder (checkpointed: %s)',
  async (checkpointed) => {
    const mids = await used(checkpointed)
    rmSync(path)
    const error = await refusal(dir, clock)
    expect(error).toBeInstanceOf(StoreCorrupt)
    expect(String(error)).toContain(`${path} is missing`)
    cpSync(join(folder.dir, 'crashed', 'manifest.json'), path)
    const { store } = await openRig(dir, { clock })
    expect(await openMids(store, ALICE)).toEqual(mids)
    await store.close()
  },
)

test('damaged, it is told, and that a backup is needed', async () => {
  await used(true)
  await flipBit(path, 100)
  const error = await refusal(dir, clock)
  expect(error).toBeInstanceOf(StoreCorrupt)
  expect(String(error)).toContain(`${path} is damaged`)
  expect(String(error)).toContain('Restore the data folder from a backup')
  expect(String(error)).not.toContain('.lost')
})

test('of a newer program is not touched', async () => {
  await used(true)
  await writeJson(path, { ...(await readManifest(dir)), format: 2 })
  const error = await refusal(dir, clock)
  expect(error).toBeInstanceOf(StoreVersion)
  expect(String(error)).toMatch(/newer version \(format 2, this one knows 1\)/)
})

test('gives back what was put in', async () => {
  await used(true)
  const manifest = await readManifest(dir)
  if (!manifest) throw new Error('there is none')
  await writeManifest(dir, { ...manifest, lastMid: '1800000000009' })
  expect(await readManifest(dir)).toEqual({ ...manifest, lastMid: '1800000000009' })
})
