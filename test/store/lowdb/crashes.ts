/** A folder that a crash left, as often as a test wants to damage it. */
import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { replayJournals } from '../../../server/store/lowdb/recover.ts'
import { ALICE, openMids } from '../../contract/store/words.ts'
import { type TestClock, testClock } from '../../helpers/clock.ts'
import { journalsOf, openRig, quickFolder, type Rig } from './rig.ts'

/** Alice's open messages, and the files that took what was torn. */
interface Found {
  readonly mids: string[]
  readonly torn: readonly string[]
}

export interface Crashes {
  /** a place for what is put aside */
  readonly folder: string
  /** the store's folder */
  readonly dir: string
  /** a copy from the moment of the crash */
  readonly crashed: string
  readonly clock: TestClock
  /** A store that checkpoints at a start and at its end only. */
  open(more?: Parameters<typeof openRig>[1]): Promise<Rig>
  /** Takes the store's process away. */
  crash(rig: Rig): Promise<void>
  /** The folder as the crash left it; returns the path of its last journal. */
  again(): string
  /** Reads the journals alone. @throws StoreCorrupt */
  replay(): Promise<Found>
  /** Opens, counts and closes; what was torn is kept aside, and the next start is clean. */
  recover(): Promise<Found>
}

/** Sets up and clears away around each test of the file that calls it. */
export function startCrashes(): Crashes {
  const clock = testClock()
  let folder: Awaited<ReturnType<typeof quickFolder>> | null = null

  beforeEach(async () => {
    folder = await quickFolder()
  })
  afterEach(async () => {
    await folder?.remove()
    folder = null
  })

  const crashes: Crashes = {
    clock,
    get folder() {
      if (!folder) throw new Error('no test is running')
      return folder.dir
    },
    get dir() {
      return join(crashes.folder, 'data')
    },
    get crashed() {
      return join(crashes.folder, 'crashed')
    },
    open: (more = {}) => openRig(crashes.dir, { clock, checkpointBytes: Number.MAX_SAFE_INTEGER, ...more }),
    async crash({ store }) {
      cpSync(crashes.dir, crashes.crashed, { recursive: true })
      await store.close()
    },
    again() {
      rmSync(crashes.dir, { recursive: true, force: true })
      cpSync(crashes.crashed, crashes.dir, { recursive: true })
      return journalsOf(crashes.dir).at(-1) ?? ''
    },
    async replay() {
      const mids: string[] = []
      const { torn } = await replayJournals(crashes.dir, { journal: 1, seq: 0 }, async (changes) => {
        for (const change of changes) if (change.op === 'message') mids.push(change.message.mid)
      })
      return { mids, torn }
    },
    async recover() {
      const rig = await crashes.open()
      const mids = await openMids(rig.store, ALICE)
      await rig.store.close()
      for (const file of rig.torn) expect(existsSync(file)).toBe(true)
      const next = await crashes.open()
      expect(next.torn).toEqual([])
      expect(await openMids(next.store, ALICE)).toEqual(mids)
      await next.store.close()
      return { mids, torn: rig.torn }
    },
  }
  return crashes
}
