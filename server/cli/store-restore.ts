/** `carillon store restore`: a data folder from a backup. */
import { systemClock } from '../ground/clock.ts'
import { restore } from '../store/lowdb/care/backup.ts'
import { defineCommand } from './command.ts'
import { print, printJson } from './output.ts'
import { reportOf, summaryOf } from './store-report.ts'
import { dataFolder, storeOptions } from './store-options.ts'

export default defineCommand({
  name: 'store restore',
  usage: 'store restore DIR',
  summary: 'Makes the data folder from the backup in DIR; the hub must be stopped',
  notes: ['The backup is checked first. A data folder that is not empty is left alone, unless --force is given.'],
  options: {
    ...storeOptions,
    force: { type: 'boolean', about: 'put aside what is in the data folder' },
  },
  async run({ values, positionals: [source = ''] }) {
    const { after, aside } = await restore(source, await dataFolder(values), {
      force: values.force === true,
      now: systemClock.now(),
    })
    const put = aside === null ? [] : [`what was there is in ${aside}`]
    await (values.json ? printJson({ ...summaryOf(after), aside }) : print([...put, reportOf(after)].join('\n')))
    return after.isSound ? 0 : 1
  },
})
