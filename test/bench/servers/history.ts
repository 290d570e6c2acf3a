/** Makes a store in which so many messages were delivered: `history.ts DIR MESSAGES`. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../server/ground/clock.ts'
import { createLog } from '../../../server/ground/log.ts'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import type { Accept, Store } from '../../../server/store/store.ts'

const RECIPIENTS = 1_000
/** in one write */
const BATCH = 1_000

/** bytes of journals: while there are more, the store is given time to move them into its files */
const LONG = 64 * 1024 * 1024
const SHORT = 64 * 1024
const POLL_MS = 20
const PATIENCE_MS = 120_000

const [dir = '', count = ''] = process.argv.slice(2)

function createStore(): Store {
  return createLowdbStore({
    dir,
    clock: systemClock,
    log: createLog('warn'),
    onFailed(error) {
      throw error
    },
  })
}

function acceptOf(n: number): Accept {
  const recipient = `c${n % RECIPIENTS}@user`
  return {
    op: 'accept',
    message: {
      at: Date.now(),
      from: { method: 'http', name: '' },
      to: [recipient],
      body: { text: String(n), desp: '', extra: {} },
      blobs: [],
      strategy: null,
      expiresAt: null,
    },
    recipients: [recipient],
    planned: [],
  }
}

async function deliver(into: Store, from: number, to: number): Promise<void> {
  const accepts = Array.from({ length: to - from }, (_, n) => acceptOf(from + n))
  const written = await into.write(accepts, 'sync')
  if (!written.ok) throw new Error(`the store refused: ${written.why}`)
  const of = written.mids.map(({ mid }, n) => [mid, accepts[n]?.recipients ?? []] as const)
  await into.write([{ op: 'raise', state: 'delivered', via: 'websocket', at: Date.now(), open: false, of }], 'lazy')
}

async function journalsBelow(bytes: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (journalBytes() > bytes) {
    if (performance.now() > deadline) throw new Error('the journals were not moved into the files')
    await sleep(POLL_MS)
  }
}

function journalBytes(): number {
  const journals = readdirSync(dir).filter((name) => name.startsWith('journal-'))
  return journals.reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}

const total = Number(count)
const store = createStore()
await store.open()
for (let n = 0; n < total; n += BATCH) {
  await deliver(store, n, Math.min(n + BATCH, total))
  await journalsBelow(LONG)
}
await store.close()
// a start moves what it had to read into the files
const again = createStore()
await again.open()
await journalsBelow(SHORT)
await again.close()
