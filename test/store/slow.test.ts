import { testStore } from '../contract/store.ts'
import { createSlowStore } from '../helpers/slow-store.ts'

testStore('a slow store', ({ clock }) => ({
  store: createSlowStore({ clock, seed: 7 }),
  leasesEndEarly: true,
  cleanup: async () => {},
}))
