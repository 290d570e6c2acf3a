/** `carillon store backup`: a copy of the data folder, while the hub runs. */
import { backup } from '../store/lowdb/care/backup.ts'
import { defineCommand } from './command.ts'
import { print, printJson } from './output.ts'
import { reportOf, summaryOf } from './store-report.ts'
import { dataFolder, storeOptions } from './store-options.ts'

export default defineCommand({
  name: 'store backup',
  usage: 'store backup DIR',
  summary: 'Copies the data folder to DIR, with all that was accepted before; the hub may go on running',
  notes: ['DIR must be empty or not there. The copy is checked. Exit code 0: it is sound, 1: it is not.'],
  options: storeOptions,
  async run({ values, positionals: [target = ''] }) {
    const copy = await backup(await dataFolder(values), target)
    await (values.json ? printJson(summaryOf(copy)) : print(reportOf(copy)))
    return copy.isSound ? 0 : 1
  },
})
