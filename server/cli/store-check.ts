/** `carillon store check`: reads the whole data folder and says what is wrong with it. */
import { examine } from '../store/lowdb/care/examine.ts'
import { defineCommand } from './command.ts'
import { print, printJson } from './output.ts'
import { reportOf, summaryOf } from './store-report.ts'
import { dataFolder, storeOptions } from './store-options.ts'

export default defineCommand({
  name: 'store check',
  usage: 'store check',
  summary: 'Reads the whole data folder, changes nothing, and says what is in it and what is damaged',
  notes: ['A hub may be running on the folder. Exit code 0: all is sound, 1: something is damaged.'],
  options: storeOptions,
  async run({ values }) {
    const examination = await examine(await dataFolder(values))
    await (values.json ? printJson(summaryOf(examination)) : print(reportOf(examination)))
    return examination.isSound ? 0 : 1
  },
})
