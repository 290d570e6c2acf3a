import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ALICE, accept, acceptMany } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { openRig } from './rig.ts'

const bench = startBench()

async function* some() {
  yield Buffer.from('some')
}

const put = async () => (await bench.store.putBlob(some(), 10)).id
const acceptWith = (id: string) => accept(bench.store, bench.clock, [ALICE], { message: { blobs: [id] } })

test('a start removes blobs of messages that were never accepted, and keeps all others', async () => {
  const archived = await put()
  await acceptWith(archived)
  await acceptMany(bench.store, bench.clock, [ALICE], 9)
  await bench.rig.checkpoint()
  const journalled = await put()
  await acceptWith(journalled)
  const orphan = await put()
  const crashed = join(bench.folder, 'crashed')
  bench.disk.copyAfterKill(crashed)
  expect(readdirSync(join(crashed, 'blobs'))).toContain(orphan)
  const { store } = await openRig(crashed, { clock: bench.clock })
  expect(readdirSync(join(crashed, 'blobs')).toSorted()).toEqual([archived, journalled].toSorted())
  await store.close()
})
