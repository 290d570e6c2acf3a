import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Op, type Store, StoreCorrupt } from '../../../server/store/store.ts'
import { ALICE, accept, acceptOf, allPages, after, write } from '../../contract/store/words.ts'
import { flipBit, openRig, quickFolder, refusal, type Rig } from './rig.ts'

const HOUR_MS = 3_600_000

let folder: Awaited<ReturnType<typeof quickFolder>>
let rig: Rig
let store: Store

beforeEach(async () => {
  folder = await quickFolder()
  rig = await openRig(folder.dir)
  store = rig.store
})
afterEach(async () => {
  if (store.health().reason !== 'the store is not open') await store.close()
  await folder.remove()
})

async function reopen(): Promise<void> {
  if (store.health().reason !== 'the store is not open') await store.close()
  rig = await openRig(folder.dir, { clock: rig.clock })
  store = rig.store
}

const put = (n: number): Op => ({ op: 'put', kind: 'setting', id: `id ${String(n).padStart(3, '0')}`, value: { n } })
const ids = async () =>
  (await allPages((cursor) => store.scan('setting', { ...after(cursor), limit: 50 }))).map(({ id }) => id)
const filesOf = (name: string) => readdirSync(join(folder.dir, name)).toSorted()

test('documents are in sixteen files, each written when something of it changed', async () => {
  await write(
    store,
    Array.from({ length: 200 }, (_, n) => put(n)),
  )
  await rig.checkpoint()
  expect(filesOf('documents')).toHaveLength(16)
  await write(store, [{ op: 'delete', kind: 'setting', id: 'id 007' }])
  await reopen()
  expect(await ids()).toEqual(
    Array.from({ length: 200 }, (_, n) => `id ${String(n).padStart(3, '0')}`).filter((id) => id !== 'id 007'),
  )
  expect(await store.get('setting', 'id 008')).toMatchObject({ value: { n: 8 } })
})

test('a revision is never given out again, also when its document is gone', async () => {
  await write(store, [put(1)])
  const rev = (await store.get('setting', 'id 001'))?.rev ?? 0
  await write(store, [{ op: 'delete', kind: 'setting', id: 'id 001' }])
  await reopen()
  await rig.checkpoint()
  await reopen()
  await write(store, [put(1)])
  expect((await store.get('setting', 'id 001'))?.rev).toBeGreaterThan(rev + 1)
})

test('idempotency keys are in files by the hour they end in, and the files go with the hour', async () => {
  const keys = [0.5, 1.5, 1.6, 2.5].map((hours, n) => ({ key: `key ${n}`, print: 'a', ttlMs: hours * HOUR_MS }))
  for (const once of keys) await accept(store, rig.clock, [ALICE], { once })
  await rig.checkpoint()
  const hours = filesOf('once')
  expect(hours).toHaveLength(3)
  await reopen()
  await rig.clock.advance(2 * HOUR_MS)
  await store.prune({}, 1_000)
  expect(filesOf('once')).toEqual(hours.slice(2))
  await reopen()
  const again = await Promise.all(keys.map((once) => store.write([acceptOf(rig.clock, [ALICE], { once })], 'sync')))
  expect(again.map((written) => written.ok && written.mids[0]?.repeated)).toEqual([false, false, false, true])
})

test.each(['documents', 'once'])('a damaged file of %s stops the start; what the message says works', async (kind) => {
  await write(store, [put(1), { op: 'count', meter: 'meter', by: 3 }])
  await accept(store, rig.clock, [ALICE], { once: { key: 'a', print: 'a', ttlMs: HOUR_MS } })
  await store.close()
  const [name = ''] = filesOf(kind)
  const path = join(folder.dir, kind, name)
  await flipBit(path, 60)
  const error = await refusal(folder.dir, rig.clock)
  expect(error).toBeInstanceOf(StoreCorrupt)
  expect(String(error)).toContain(`${path} is damaged`)
  expect(String(error)).toContain(`rename it to ${path}.lost`)
  renameSync(path, `${path}.lost`)
  await reopen()
  expect(await ids()).toEqual(kind === 'documents' ? [] : ['id 001'])
  expect(await store.count('meter')).toBe(3)
})

test('a file of documents that is missing is told; what the message says works', async () => {
  await write(
    store,
    Array.from({ length: 50 }, (_, n) => put(n)),
  )
  await store.close()
  const path = join(folder.dir, 'documents', 'shard-03.json')
  renameSync(path, join(folder.dir, 'backup'))
  const { message } = await refusal(folder.dir, rig.clock)
  expect(message).toContain(`${path} is missing, though the manifest lists it`)
  expect(message).toContain('create that file if there is nothing to rename')
  writeFileSync(`${path}.lost`, '')
  await reopen()
  expect((await ids()).length).toBeLessThan(50)
  await write(store, [put(1)])
  await rig.checkpoint()
  await reopen()
})
