/** The hub as it is, but nothing that it flushes reaches the disk: a kill does not show it, a power cut must. */
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { systemClock } from '../../../server/ground/clock.ts'
import { createLog } from '../../../server/ground/log.ts'
import { runHub } from './program.ts'

const flushNothing = (_fd: number, done: (error: null) => void): void => void setImmediate(done, null)
Object.assign(fs, { fdatasync: flushNothing, fsync: flushNothing })
syncBuiltinESMExports()
const file = await open('/dev/null')
Object.assign(Object.getPrototypeOf(file) as object, { sync: async () => {}, datasync: async () => {} })
await file.close()

const { createLowdbStore } = await import('../../../server/store/lowdb/store.ts')
const log = createLog('info')
await runHub((dir) => createLowdbStore({ dir, clock: systemClock, log, onFailed: () => process.exit(1) }))
