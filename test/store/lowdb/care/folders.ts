/** Data folders with everything in them, as a crash leaves them, to be damaged by tests. */
import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { Mid } from '../../../../server/protocol/states.ts'
import { acceptOf, ackOf, ALICE, BOB, CAROL, midOf, write } from '../../../contract/store/words.ts'
import { type TestClock, testClock } from '../../../helpers/clock.ts'
import { fill } from '../filled.ts'
import { contentOf, openRig, quickFolder } from '../rig.ts'

export type Content = Awaited<ReturnType<typeof contentOf>>

export interface Folders {
  /** a place for copies */
  readonly folder: string
  /** a folder that a crash left: settled and open messages in segments, and more in two journals */
  readonly crashed: string
  readonly clock: TestClock
  /** what a hub finds in it */
  readonly content: Content
  /** mids in the order accepted */
  readonly mids: readonly Mid[]
  /** A fresh copy of it. */
  again(): string
  /** What a hub finds in a folder. @throws what its start throws */
  open(dir: string): Promise<Content>
}

async function* some() {
  yield Buffer.from('some')
}

/** Made once for each test of the file that calls it. */
export function startFolders(): Folders {
  const clock = testClock()
  let root: Awaited<ReturnType<typeof quickFolder>>
  let content: Content
  let mids: Mid[] = []
  let copies = 0

  const folders: Folders = {
    clock,
    get folder() {
      return root.dir
    },
    get crashed() {
      return join(root.dir, 'crashed')
    },
    get content() {
      return content
    },
    get mids() {
      return mids
    },
    again() {
      copies += 1
      const dir = join(root.dir, `copy ${copies}`)
      cpSync(folders.crashed, dir, { recursive: true })
      return dir
    },
    async open(dir) {
      const { store } = await openRig(dir, { clock, checkpointBytes: Number.MAX_SAFE_INTEGER })
      const found = await contentOf(store)
      await store.close()
      return found
    },
  }

  beforeEach(async () => {
    root = await quickFolder()
    const dir = join(root.dir, 'data')
    const rig = await openRig(dir, { clock })
    const { store } = rig
    mids = await fill(rig)
    await rig.checkpoint()
    const { id } = await store.putBlob(some(), 10)
    mids.push(midOf(await store.write([acceptOf(clock, [CAROL], { message: { blobs: [id] } })], 'sync')))
    for (const recipient of [ALICE, BOB, ALICE]) {
      mids.push(midOf(await store.write([acceptOf(clock, [recipient], { text: `late ${recipient}` })], 'sync')))
    }
    await write(store, [ackOf(mids.at(-1) ?? '', ALICE), { op: 'put', kind: 'recipient', id: ALICE, value: {} }])
    await write(store, [{ op: 'count', meter: 'meter', by: 1 }])
    content = await contentOf(store)
    cpSync(dir, folders.crashed, { recursive: true })
    await store.close()
  })
  afterEach(() => root.remove())
  return folders
}

/** Paths of all files of the store, below the folder. */
export function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['LOCK', 'RESERVE'].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .toSorted()
}

/** Tells folders apart by the names and contents of their files. */
export function digestOf(dir: string): string {
  const hash = createHash('sha256')
  for (const file of filesOf(dir)) hash.update(`${file}\n`).update(readFileSync(join(dir, file)))
  return hash.digest('hex')
}
