/** Lowdb stores for tests of what is below the contract: their folders, what they hold, and their damage. */
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLowdbStore, type LowdbOptions } from '../../../server/store/lowdb/store.ts'
import type { Store } from '../../../server/store/store.ts'
import { allPages, before } from '../../contract/store/words.ts'
import { type TestClock, testClock } from '../../helpers/clock.ts'
import { silentLog } from '../../helpers/folder.ts'

const MEMORY = '/dev/shm'
const LOOKS = 50

/** A new empty folder, in memory where the system has such a thing: for tests that do not ask the disk. */
export async function quickFolder(): Promise<{ readonly dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'carillon-'))
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

export interface Rig {
  readonly store: Store
  readonly clock: TestClock
  readonly torn: readonly string[]
  /** what `onFailed` was told */
  readonly failures: readonly Error[]
  /** Makes a checkpoint and waits for its end. */
  checkpoint(): Promise<void>
  /** Turns the clock until the store has found out that there is space again; returns ms that it took. */
  recovered(): Promise<number>
}

/** An open store with small segments. It checkpoints when told to. */
export async function openRig(
  dir: string,
  { clock = testClock(), ...more }: Partial<LowdbOptions> & { clock?: TestClock } = {},
): Promise<Rig> {
  const failures: Error[] = []
  const onFailed = (error: Error) => void failures.push(error)
  const store = createLowdbStore({
    dir,
    clock,
    log: silentLog,
    onFailed,
    checkpointBytes: 1,
    reserveBytes: 4096,
    segmentMessages: 4,
    ...more,
  })
  const { torn } = await store.open()
  const rig: Rig = {
    store,
    clock,
    torn,
    failures,
    async checkpoint() {
      const last = journalsOf(dir).at(-1) ?? ''
      let looks = 0
      await until(async () => {
        // again from time to time: one that failed may have been under way
        if (looks % LOOKS === 0) await clock.advance(1_000)
        looks += 1
        return journalsOf(dir).length === 1 && (journalsOf(dir)[0] ?? '') > last
      })
    },
    async recovered() {
      const since = clock.elapsed()
      while (!store.health().writable) {
        await clock.advance(1_000)
        // what was found out is in the next turns of the loop, in real time
        for (let looks = 0; looks < LOOKS && !store.health().writable; looks += 1) await pause()
      }
      return clock.elapsed() - since
    },
  }
  return rig
}

/** Waits for something that nothing tells of. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause()
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}

/** Paths of the journals, oldest first. */
export function journalsOf(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => /^journal-\d+\.log$/.test(name))
  return names.toSorted().map((name) => join(dir, name))
}

/** Everything that the reads of a store tell. */
export async function contentOf(store: Store) {
  const deliveries = await allPages((cursor) => store.list({}, { ...before(cursor), limit: 100 }))
  const messages = new Map(
    await Promise.all(deliveries.map(async ({ mid }) => [mid, await store.message(mid)] as const)),
  )
  const attempts = new Map<string, unknown>()
  const inboxes = new Map<string, unknown>()
  for (const { mid, recipient } of deliveries) {
    const made = await store.attempts(mid, recipient)
    if (made.length > 0) attempts.set(`${mid} ${recipient}`, made)
    if (inboxes.has(recipient)) continue
    const all = await store.inbox(recipient, { limit: 10_000 })
    const open = await store.inbox(recipient, { limit: 10_000, open: true })
    inboxes.set(recipient, {
      all: all.items.map(({ mid: of }) => of),
      total: all.total,
      open: open.items.map(({ mid: of }) => of),
    })
  }
  return {
    deliveries,
    messages,
    attempts,
    inboxes,
    settings: (await store.scan('setting', { limit: 10_000 })).items,
    meter: await store.count('meter'),
    nextDue: await store.nextDue(),
  }
}

/** Flips one bit of a file. */
export async function flipBit(path: string, byte: number, bit = 0): Promise<void> {
  const bytes = await readFile(path)
  bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit)
  await writeFile(path, bytes)
}

/** The error that keeps a store from opening. @throws if nothing does */
export async function refusal(dir: string, clock: TestClock = testClock()): Promise<Error> {
  const store = createLowdbStore({ dir, clock, log: silentLog, onFailed: () => {} })
  const error: unknown = await store.open().catch((reason: unknown) => reason)
  if (!(error instanceof Error)) throw new Error('the store opened')
  return error
}
