import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import type { Store } from '../../../server/store/store.ts'
import { testStore } from '../../contract/store.ts'
import { silentLog } from '../../helpers/folder.ts'
import { quickFolder } from './rig.ts'

testStore('the lowdb store', async ({ clock }) => {
  const { dir, remove } = await quickFolder()
  const make = (): Store =>
    createLowdbStore({
      dir,
      clock,
      log: silentLog,
      onFailed: (error) => {
        throw error
      },
      checkpointBytes: 4096,
      segmentMessages: 1,
    })
  let store = make()
  return {
    store,
    async reopen() {
      await store.close()
      store = make()
      await store.open()
      return store
    },
    cleanup: remove,
  }
})
