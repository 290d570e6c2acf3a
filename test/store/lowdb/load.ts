/**
 * A store under load in a process of its own, so that nothing else is in the figures. `node --import tsx
 * load.ts backlog|members|reopen COUNT` prints them as JSON.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { createLowdbStore } from '../../../server/store/lowdb/store.ts'
import type { Store } from '../../../server/store/store.ts'
import { acceptOf, ackOf, write } from '../../contract/store/words.ts'
import { testClock } from '../../helpers/clock.ts'
import { silentLog } from '../../helpers/folder.ts'
import { journalsOf, until } from './rig.ts'

const BATCH = 500
const clock = testClock(Date.now())

export interface Figures {
  /** ms that the checkpoint took, and the longest that it held up the event loop */
  readonly checkpointMs: number
  readonly blockedMs: number
  /** ms that the next start took */
  readonly openMs: number
  readonly rssMb: number
}

function open(dir: string): Store {
  const onFailed = (error: Error) => {
    throw error
  }
  return createLowdbStore({ dir, clock, log: silentLog, onFailed, checkpointBytes: 1 })
}

/** Messages for a thousand recipients in turn. */
async function fill(store: Store, count: number, settle: boolean): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    const names = Array.from({ length: BATCH }, (_, n) => `user ${(done + n) % 1_000}@user`)
    const text = 'x'.repeat(200)
    const written = await Promise.all(names.map((name) => store.write([acceptOf(clock, [name], { text })], 'sync')))
    if (!settle) continue
    await write(
      store,
      written.flatMap((one, n) => (one.ok ? one.mids.map(({ mid }) => ackOf(mid, names[n] ?? '')) : [])),
    )
  }
}

/** The checkpoint that a running store makes by itself. */
async function checkpoint(dir: string): Promise<{ checkpointMs: number; blockedMs: number }> {
  const last = journalsOf(dir).at(-1) ?? ''
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const started = performance.now()
  delay.enable()
  await clock.advance(1_000)
  await until(() => journalsOf(dir).length === 1 && (journalsOf(dir)[0] ?? '') > last)
  delay.disable()
  return { checkpointMs: performance.now() - started, blockedMs: delay.max / 1e6 }
}

async function measure(what: string, count: number): Promise<Figures> {
  const dir = await mkdtemp(join(tmpdir(), 'carillon-'))
  const store = open(dir)
  await store.open()
  if (what === 'members') {
    const members = Object.freeze(Array.from({ length: count }, (_, n) => `member ${n}@user`))
    const written = await store.write([acceptOf(clock, members)], 'sync')
    const [mid = ''] = written.ok ? written.mids.map((one) => one.mid) : []
    await store.write([ackOf(mid, members[1] ?? '')], 'lazy')
    // so that the large one is sealed
    await store.write([acceptOf(clock, ['one@user'])], 'sync')
  } else await fill(store, count, what === 'reopen')
  const figures = await checkpoint(dir)
  await store.close()
  const again = open(dir)
  const started = performance.now()
  await again.open()
  const openMs = performance.now() - started
  await again.close()
  await rm(dir, { recursive: true })
  return { ...figures, openMs, rssMb: process.memoryUsage().rss / 2 ** 20 }
}

const [, , what = 'backlog', count = '20000'] = process.argv
process.stdout.write(`${JSON.stringify(await measure(what, Number(count)))}\n`)
