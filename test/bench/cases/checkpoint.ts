import { setTimeout as sleep } from 'node:timers/promises'
import type { Case } from './case.ts'
import { measurePushes, PERSONAL } from './push.ts'

const POLL_MS = 20
/** the journal of the hub has grown long by then */
const AT_MOST_MS = 60_000

/** Ends when the first checkpoint is done. */
export const checkpoint: Case = {
  title: 'personal push, 64 pushers, 1,000 clients, until the journal was moved into the files',
  sides: ['hub'],
  clients: PERSONAL.clients,
  async measure(stage) {
    const server = await stage.start()
    const before = server.checkpoint()
    const deadline = performance.now() + stage.ms(AT_MOST_MS)
    return measurePushes(stage, server, PERSONAL, async () => {
      while (server.checkpoint() === before && performance.now() < deadline) await sleep(POLL_MS)
    })
  },
}
