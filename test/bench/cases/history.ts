import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import type { Case } from './case.ts'
import { measurePushes, PERSONAL } from './push.ts'

const MESSAGES = 1_000_000
const maker = new URL('../servers/history.ts', import.meta.url).pathname

/** The same as `personal` on a hub that has delivered a million messages before. */
export const history: Case = {
  title: 'personal push, 64 pushers, 1,000 clients, 1,000,000 delivered messages in the store',
  sides: ['hub'],
  clients: PERSONAL.clients,
  async measure(stage) {
    const data = join(stage.shared, 'history')
    if (!existsSync(data))
      execFileSync(process.execPath, ['--import', 'tsx', maker, data, String(stage.size(MESSAGES))])
    const server = await stage.start({ data })
    return measurePushes(stage, server, PERSONAL)
  },
}
