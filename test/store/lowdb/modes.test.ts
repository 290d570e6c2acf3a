import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acceptMany, ALICE, write } from '../../contract/store/words.ts'
import { openRig, quickFolder } from './rig.ts'

async function* some() {
  yield Buffer.from('some')
}

test.each([0o022, 0o000, 0o077])("folders and files are their owner's alone, with a umask of %o", async (umask) => {
  const before = process.umask(umask)
  const folder = await quickFolder()
  const dir = join(folder.dir, 'a', 'data')
  try {
    const rig = await openRig(dir)
    await rig.store.putBlob(some(), 10)
    await acceptMany(rig.store, rig.clock, [ALICE], 9)
    await write(rig.store, [{ op: 'put', kind: 'setting', id: 'a', value: 1 }])
    await rig.checkpoint()
    const modes = readdirSync(dir, { recursive: true, withFileTypes: true }).map((entry) => {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777
      return [entry.name, mode === (entry.isDirectory() ? 0o700 : 0o600)] as const
    })
    expect(modes.length).toBeGreaterThan(10)
    expect(modes.filter(([, isRight]) => !isRight)).toEqual([])
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    await rig.store.close()
  } finally {
    process.umask(before)
    await folder.remove()
  }
})
