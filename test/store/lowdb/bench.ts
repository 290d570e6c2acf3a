/** An open lowdb store for each test of a file, with a disk that can be told what to do. */
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { Store } from '../../../server/store/store.ts'
import type { TestClock } from '../../helpers/clock.ts'
import { type Disk, watchDisk } from './disk.ts'
import { contentOf, openRig, quickFolder, type Rig } from './rig.ts'

export interface Bench {
  /** a place for copies */
  readonly folder: string
  /** the store's folder */
  readonly dir: string
  readonly disk: Disk
  readonly rig: Rig
  readonly store: Store
  readonly clock: TestClock
  /** Opens a new store on the folder; the last one must be closed. */
  open(more?: Parameters<typeof openRig>[1]): Promise<void>
  reopen(more?: Parameters<typeof openRig>[1]): Promise<void>
  /** What a start finds after `kill -9`, or after a power cut. */
  afterCrash(how?: 'copyAfterKill' | 'copyAfterPowerCut'): ReturnType<typeof contentOf>
}

interface Parts {
  readonly folder: Awaited<ReturnType<typeof quickFolder>>
  readonly disk: Disk
  rig: Rig
}

/** Sets up and clears away around each test of the file that calls it. */
export function startBench(): Bench {
  let made: Parts | null = null

  function parts(): Parts {
    if (!made) throw new Error('no test is running')
    return made
  }

  const bench: Bench = {
    get folder() {
      return parts().folder.dir
    },
    get dir() {
      return join(parts().folder.dir, 'data')
    },
    get disk() {
      return parts().disk
    },
    get rig() {
      return parts().rig
    },
    get store() {
      return parts().rig.store
    },
    get clock() {
      return parts().rig.clock
    },
    async open(more = {}) {
      parts().rig = await openRig(bench.dir, { clock: bench.clock, ...more })
    },
    async reopen(more) {
      await bench.store.close()
      await bench.open(more)
    },
    async afterCrash(how = 'copyAfterKill') {
      const copy = join(bench.folder, 'crashed')
      rmSync(copy, { recursive: true, force: true })
      bench.disk[how](copy)
      const crashed = await openRig(copy, { clock: bench.clock })
      const content = await contentOf(crashed.store)
      await crashed.store.close()
      return content
    },
  }

  beforeEach(async () => {
    const folder = await quickFolder()
    const dir = join(folder.dir, 'data')
    await mkdir(dir)
    const disk = await watchDisk(dir)
    made = { folder, disk, rig: await openRig(dir) }
  })

  afterEach(async () => {
    const { disk, rig, folder } = parts()
    disk.onStep = () => {}
    disk.pause = async () => {}
    // what a test did to the store may make its close fail
    if (rig.store.health().reason !== 'the store is not open') await rig.store.close().catch(() => {})
    disk.restore()
    await folder.remove()
    made = null
  })

  return bench
}
