/** Accepts messages one after another in a process of its own and says on stdout how each of them went. */
import { writeSync } from 'node:fs'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import { accept } from '../../contract/store/words.ts'
import { testClock } from '../../helpers/clock.ts'
import { silentLog } from '../../helpers/folder.ts'

const [, , dir = '', count = '1'] = process.argv
const say = (line: string) => void writeSync(1, `${line}\n`)
const clock = testClock(Date.now())
const store = createLowdbStore({ dir, clock, log: silentLog, onFailed: ({ name }) => say(`onFailed ${name}`) })

await store.open()
for (let n = 0; n < Number(count); n += 1) {
  await accept(store, clock, ['alice@user']).then(
    (mid) => say(`accepted ${mid}`),
    ({ name }: Error) => say(`refused ${name}`),
  )
}
say(`holds ${(await store.inbox('alice@user', { limit: 1_000, open: true })).total}`)
process.exit(0)
