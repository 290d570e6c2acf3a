/** The hub as it is, but its store makes a checkpoint all the time, so that kills fall into many of them. */
import { systemClock } from '../../../server/ground/clock.ts'
import { createLog } from '../../../server/ground/log.ts'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import { runHub } from './program.ts'

const log = createLog('info')

await runHub((dir) => {
  const onFailed = (error: Error) => {
    log.fatal({ err: error }, 'the disk failed')
    process.exit(1)
  }
  return createLowdbStore({ dir, clock: systemClock, log, onFailed, checkpointBytes: 65_536, segmentMessages: 100 })
})
