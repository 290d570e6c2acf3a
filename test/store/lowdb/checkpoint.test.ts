import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ALICE, accept, acceptMany } from '../../contract/store/words.ts'
import { startBench } from './bench.ts'
import { type Disk, watchDisk } from './disk.ts'
import { fill, repeatOf, revive } from './filled.ts'
import { contentOf, journalsOf, openRig, until } from './rig.ts'

const FAR = 1_000_000_000
/** they open a store hundreds of times */
const TIMEOUT_MS = 60_000
const bench = startBench()

interface Copy {
  readonly name: string
  readonly dir: string
}

/** Does something, and leaves a copy of the folder from before each of its steps and from after the last: one of each kind. */
async function copiesDuring(what: () => Promise<unknown>, disk: Disk = bench.disk): Promise<Copy[]> {
  const copies: Copy[] = []
  const seen = new Set<string>()
  const copy = (name: string, make: (to: string) => void) => {
    const dir = join(bench.folder, `copy ${copies.length}`)
    make(dir)
    const content = digestOf(dir)
    if (seen.has(content)) rmSync(dir, { recursive: true })
    else copies.push({ name, dir })
    seen.add(content)
  }
  const both = (step: string) => {
    copy(`killed before ${step}`, disk.copyAfterKill)
    copy(`power cut before ${step}`, disk.copyAfterPowerCut)
  }
  disk.onStep = ({ name, path }) => both(`${name} ${path}`)
  await what()
  disk.onStep = () => {}
  both('anything else')
  return copies
}

/** Tells folders apart by the names and contents of their files. */
function digestOf(dir: string): string {
  const hash = createHash('sha256')
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    hash.update(`${path.slice(dir.length)}\n`)
    if (entry.isFile()) hash.update(readFileSync(path))
  }
  return hash.digest('hex')
}

describe('a crash at any step', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['a checkpoint', () => bench.rig.checkpoint()],
    ['closing', () => bench.store.close()],
  ])('of %s loses nothing, brings nothing back and doubles nothing', async (_, what) => {
    await fill(bench.rig)
    const expected = { ...(await contentOf(bench.store)), repeated: await repeatOf(bench.store, bench.clock) }
    const copies = await copiesDuring(what)
    expect(copies.length).toBeGreaterThan(20)
    for (const { name, dir } of copies) {
      for (const found of await revive(dir, bench.clock)) expect(found, name).toEqual(expected)
    }
  })

  test('of the first start leaves a folder that opens', async () => {
    const dir = join(bench.folder, 'new')
    const disk = await watchDisk(dir)
    const copies = await copiesDuring(async () => (await openRig(dir)).store.close(), disk)
    disk.restore()
    expect(copies.length).toBeGreaterThan(5)
    for (const { name, dir: copy } of copies) {
      const revived = await openRig(copy)
      const mid = await accept(revived.store, revived.clock, [ALICE])
      await revived.store.close()
      const again = await openRig(copy)
      expect((await again.store.message(mid))?.mid, name).toBe(mid)
      await again.store.close()
    }
  })

  test('of a start after a crash loses nothing', async () => {
    await fill(bench.rig)
    const expected = await contentOf(bench.store)
    const crashed = join(bench.folder, 'crashed')
    bench.disk.copyAfterKill(crashed)
    const disk = await watchDisk(crashed)
    const copies = await copiesDuring(async () => {
      const revived = await openRig(crashed, { clock: bench.clock })
      // clients come back first
      await bench.clock.advance(4_000)
      expect(journalsOf(crashed).length).toBeGreaterThan(1)
      await bench.clock.advance(2_000)
      await until(() => journalsOf(crashed).length === 1)
      await revived.store.close()
    }, disk)
    disk.restore()
    for (const { name, dir } of copies) {
      const again = await openRig(dir, { clock: bench.clock })
      expect(await contentOf(again.store), name).toEqual(expected)
      await again.store.close()
    }
  })

  test('of a prune drops messages whole or not at all, and none twice', async () => {
    const mids = await fill(bench.rig)
    const before = await contentOf(bench.store)
    const copies = await copiesDuring(async () => {
      expect((await bench.store.prune({ count: 12 }, FAR)).dropped).toBe(4)
    })
    const after = await contentOf(bench.store)
    expect(after.deliveries.map(({ mid }) => mid)).not.toContain(mids[0])
    const dropped: boolean[] = []
    for (const { name, dir } of copies) {
      const again = await openRig(dir, { clock: bench.clock })
      const found = await contentOf(again.store)
      await again.store.close()
      const isDropped = found.deliveries.length < before.deliveries.length
      expect(found, name).toEqual(isDropped ? after : before)
      if (name.startsWith('killed')) dropped.push(isDropped)
    }
    expect(dropped).toEqual(dropped.toSorted((a, b) => Number(a) - Number(b)))
    expect(dropped.at(-1)).toBe(true)
  })
})

test('a prune during a checkpoint writes its manifest after it', async () => {
  await fill(bench.rig)
  await bench.rig.checkpoint()
  await acceptMany(bench.store, bench.clock, [ALICE], 3)
  const steps: string[] = []
  const prunes: ReturnType<typeof bench.store.prune>[] = []
  bench.disk.onStep = ({ name, path }) => {
    if (!path.startsWith('manifest')) return
    steps.push(name)
    if (prunes.length === 0) prunes.push(bench.store.prune({ count: 12 }, FAR))
  }
  bench.disk.pause = () => new Promise((resolve) => setTimeout(resolve, 2))
  await bench.rig.checkpoint()
  expect(await Promise.all(prunes)).toEqual([{ dropped: 4, more: false }])
  const once = ['create', 'write', 'flush', 'rename']
  expect(steps.slice(0, 8)).toEqual([...once, ...once])
})
