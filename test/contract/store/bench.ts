/** What every test of the contract has at hand: a store of its own, open and empty, and the clock it reads. */
import { afterEach, beforeEach } from 'vitest'
import type { Store } from '../../../server/store/store.ts'
import { type TestClock, testClock } from '../../helpers/clock.ts'

/** a store that keeps small files may have thousands of them to write */
const CLOSE_MS = 60_000

/** A store as its test file makes it. */
export interface Made {
  /** not yet opened */
  readonly store: Store
  /** Closes the store and opens it again on the same data; absent: nothing outlives this store. */
  reopen?(): Promise<Store>
  cleanup(): Promise<void>
  /** Leases may end before their time, as over a network. Work then comes back early, never late. */
  readonly leasesEndEarly?: boolean
}

export type MakeStore = (parts: { clock: TestClock }) => Made | Promise<Made>

export interface Bench {
  readonly store: Store
  readonly clock: TestClock
  readonly persistent: boolean
  readonly leasesEndEarly: boolean
  /** Closes and opens; `store` is the new one from then on. */
  reopen(): Promise<void>
}

/** Gives each test of the suite around it a fresh store. */
export function benchOf(make: MakeStore): Bench {
  let clock = testClock()
  let made: Made | undefined
  let store: Store | undefined

  beforeEach(async () => {
    clock = testClock()
    made = await make({ clock })
    store = made.store
    await store.open()
  })
  afterEach(async () => {
    await store?.close()
    await made?.cleanup()
  }, CLOSE_MS)

  return {
    get store() {
      if (!store) throw new Error('a store exists inside tests only')
      return store
    },
    get clock() {
      return clock
    },
    get persistent() {
      return made?.reopen !== undefined
    },
    get leasesEndEarly() {
      return made?.leasesEndEarly ?? false
    },
    async reopen() {
      if (!made?.reopen) throw new Error('this store does not outlive itself')
      store = await made.reopen()
    },
  }
}
