import { createMemoryStore } from '../../server/store/memory.ts'
import { testStore } from '../contract/store.ts'

testStore('the memory store', ({ clock }) => ({ store: createMemoryStore({ clock }), cleanup: async () => {} }))
