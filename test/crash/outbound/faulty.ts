/** The hub as it is, but with one fault, which its first argument names. */
import { systemClock } from '../../../server/ground/clock.ts'
import { createLog } from '../../../server/ground/log.ts'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import type { LazyOp, Op, Store } from '../../../server/store/store.ts'
import { runHub } from '../hubs/program.ts'
import { FAULTS } from './faults.ts'

const [name = ''] = process.argv.splice(2, 1)
const fault = FAULTS.get(name)
if (!fault) throw new Error(`there is no fault ${name}`)
const change = fault
const log = createLog('info')

await runHub((dir): Store => {
  const onFailed = (error: Error) => {
    log.fatal({ err: error }, 'the disk failed')
    process.exit(1)
  }
  const store = createLowdbStore({ dir, clock: systemClock, log, onFailed })
  const write = (ops: readonly (Op | LazyOp)[], how: 'sync' | 'lazy') =>
    store.write(ops.flatMap(change) as LazyOp[], how as 'lazy')
  return { ...store, write }
})
