/** `carillon store repair`: puts a damaged data folder in order. */
import { systemClock } from '../ground/clock.ts'
import { type Repair, repair } from '../store/lowdb/care/repair.ts'
import { defineCommand } from './command.ts'
import { print, printJson } from './output.ts'
import { findingText, reportOf, summaryOf, valuesOf } from './store-report.ts'
import { dataFolder, storeOptions } from './store-options.ts'

export default defineCommand({
  name: 'store repair',
  usage: 'store repair',
  summary: 'Puts a data folder in order after a crash or damage; the hub must be stopped',
  notes: [
    'What was never acknowledged, half-written files and the like are tidied up. What is damaged is left as it is,',
    'unless --accept-loss says to go on without it: then it is put aside, and what is lost is printed.',
    'Exit code 0: the folder is sound now, 1: it is not.',
  ],
  options: {
    ...storeOptions,
    'accept-loss': { type: 'boolean', about: 'go on without what is damaged' },
  },
  async run({ values }) {
    const dir = await dataFolder(values)
    const done = await repair(dir, { acceptLoss: values['accept-loss'] === true, now: systemClock.now() })
    await (values.json ? printJson(valuesOfRepair(done)) : print(textOf(done)))
    return done.after.isSound ? 0 : 1
  },
})

function textOf({ mended, lost, aside, after }: Repair): string {
  return [
    ...mended.map((one) => `mended: ${findingText(one)}`),
    ...lost.map((one) => `lost: ${findingText(one)}`),
    ...(aside === null ? [] : [`put aside in ${aside}`]),
    ...(mended.length + lost.length === 0 ? ['nothing was changed'] : []),
    reportOf(after),
    ...(after.isSound
      ? []
      : ['restore a backup, or go on without what is damaged: carillon store repair --accept-loss']),
  ].join('\n')
}

function valuesOfRepair({ mended, lost, aside, after }: Repair) {
  return { mended: mended.map(valuesOf), lost: lost.map(valuesOf), aside, after: summaryOf(after) }
}
