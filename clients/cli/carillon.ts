#!/usr/bin/env node
/** The command line. A command is one file, and one line here. */
import { runProgram, type Table } from '../../server/cli/program.ts'

const table: Table = {
  serve: () => import('../../server/serve.ts'),
  send: () => import('./send.ts'),
  listen: () => import('./listen.ts'),
  doctor: () => import('../../server/cli/doctor.ts'),
  'config check': () => import('../../server/cli/config-check.ts'),
  'config doc': () => import('../../server/cli/config-doc.ts'),
  'store check': () => import('../../server/cli/store-check.ts'),
  'store repair': () => import('../../server/cli/store-repair.ts'),
  'store backup': () => import('../../server/cli/store-backup.ts'),
  'store restore': () => import('../../server/cli/store-restore.ts'),
  'channel test': () => import('../../server/cli/channel-test.ts'),
  completion: async () => ({ default: (await import('./completion.ts')).completionOf(table) }),
}

runProgram({ table, fallback: 'serve' }, process.argv.slice(2))
