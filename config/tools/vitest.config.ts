import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** They run a whole hub each, and once more over a store that is late and disorderly. */
const overSlowStore = [
  'test/http/**/*.test.ts',
  'test/ws/**/*.test.ts',
  ...['clients', 'delivery', 'protocol'].map((name) => `test/e2e/${name}.test.ts`),
]

/** They start programs, or run for long: one at a time, after the others. */
const slow = ['test/e2e/**/*.test.ts', 'test/bench/**/*.test.ts', 'test/crash/loop.test.ts', 'test/**/*.slow.test.ts']

export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: [join(import.meta.dirname, 'open-handles.ts')],
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: slow,
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: slow,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'slow store',
          include: overSlowStore,
          env: { HUB_STORE: 'slow' },
          testTimeout: 30_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
