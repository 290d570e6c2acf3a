/** Space runs out at each single step of a day in the life of a store: every answer stays true, also after a crash. */
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Mid } from '../../../server/protocol/states.ts'
import { type Store, StoreFull } from '../../../server/store/store.ts'
import { ALICE, acceptOf, ackOf, BOB, midOf, raiseOf } from '../../contract/store/words.ts'
import { type TestClock, testClock } from '../../helpers/clock.ts'
import { type Disk, diskError, type Step, watchDisk } from './disk.ts'
import { contentOf, openRig, quickFolder, type Rig } from './rig.ts'

const TIMEOUT_MS = 60_000
const TAKES_SPACE = new Set(['create', 'write', 'mkdir', 'copy'])
const ROUNDS = 5
const QUIET_MS = 2
/** one step after the other with EVERY_STEP=1 in the environment, else some of them */
const STRIDE = process.env['EVERY_STEP'] === '1' ? 1 : 4

/** What the store has answered. */
interface Answers {
  /** by text: the mid of what was accepted; null: it was refused */
  readonly pushes: Map<string, Mid | null>
  readonly acked: Set<Mid>
  readonly confirmed: Set<Mid>
  counted: number
}

/** Whether it went through; false: the disk is full. */
async function wasWritten(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if (error instanceof StoreFull) return false
    throw error
  }
}

async function push(store: Store, clock: TestClock, { pushes }: Answers): Promise<void> {
  const text = `push ${pushes.size}`
  pushes.set(text, null)
  await wasWritten(
    store.write([acceptOf(clock, [ALICE, BOB], { text })], 'sync').then((written) => pushes.set(text, midOf(written))),
  )
}

/** What became of the last push. */
function isRefused({ pushes }: Answers): boolean {
  return [...pushes.values()].at(-1) === null
}

/** Pushes, acks, confirms, counts and a checkpoint, over and over. */
async function live({ store, clock }: Rig, answers: Answers, quiet: () => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all([push(store, clock, answers), push(store, clock, answers)])
    const mids = [...answers.pushes.values()].filter((mid) => mid !== null)
    const [first = '', second = ''] = mids.slice(-2)
    await store.write([ackOf(first, ALICE), { op: 'put', kind: 'setting', id: 'a', value: round }], 'lazy')
    answers.acked.add(first)
    const confirm = store.write([raiseOf(second, BOB, 'confirmed', { open: false })], 'sync')
    if (await wasWritten(confirm)) answers.confirmed.add(second)
    if (await wasWritten(store.write([{ op: 'count', meter: 'meter', by: 1 }], 'sync'))) answers.counted += 1
    await quiet()
    await clock.advance(1_000)
    await quiet()
  }
}

async function compare(store: Store, { pushes, acked, confirmed, counted }: Answers): Promise<void> {
  const { deliveries, messages, meter } = await contentOf(store)
  const texts = [...messages.values()].map((message) => String(message?.body['text']))
  const accepted = [...pushes].filter(([, mid]) => mid !== null)
  expect(texts.toSorted()).toEqual(accepted.map(([text]) => text).toSorted())
  for (const { mid, recipient, state } of deliveries) {
    const expected = recipient === ALICE ? acked.has(mid) && 'delivered' : confirmed.has(mid) && 'confirmed'
    expect({ mid, recipient, state }).toEqual({ mid, recipient, state: expected || 'queued' })
  }
  expect(meter).toBe(counted)
}

/** Lives through it with a fault of the disk; returns how many steps took space. */
async function runWith(isFull: (step: Step, n: number) => boolean): Promise<number> {
  const folder = await quickFolder()
  const dir = join(folder.dir, 'data')
  await mkdir(dir)
  const disk: Disk = await watchDisk(dir)
  try {
    const rig = await openRig(dir, { clock: testClock(), segmentMessages: 3 })
    const answers: Answers = { pushes: new Map(), acked: new Set(), confirmed: new Set(), counted: 0 }
    let steps = 0
    disk.onStep = (step) => {
      if (!TAKES_SPACE.has(step.name)) return
      steps += 1
      if (isFull(step, steps)) throw diskError('ENOSPC')
    }
    // so that each run has its steps in the same order
    const quiet = async () => {
      for (let seen = -1; seen !== steps;) {
        seen = steps
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
      }
    }
    await live(rig, answers, quiet)
    await compare(rig.store, answers)
    disk.onStep = () => {}
    // what failed before may be told only now
    for (let tries = 0; tries < 3 && (tries === 0 || isRefused(answers)); tries += 1) {
      expect(await rig.recovered()).toBeLessThanOrEqual(5_000)
      await push(rig.store, rig.clock, answers)
    }
    expect(isRefused(answers)).toBe(false)
    await rig.store.write([], 'sync')
    disk.copyAfterPowerCut(join(folder.dir, 'cut'))
    await rig.checkpoint()
    disk.copyAfterKill(join(folder.dir, 'killed'))
    await rig.store.close()
    expect(rig.failures).toEqual([])
    for (const copy of ['cut', 'killed', 'data']) {
      const again = await openRig(join(folder.dir, copy), { clock: rig.clock })
      expect(again.torn).toEqual([])
      await compare(again.store, answers)
      await again.store.close()
    }
    return steps
  } finally {
    disk.restore()
    rmSync(folder.dir, { recursive: true })
  }
}

describe('space that runs out', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['for one step', 1, (at: number) => (_: Step, n: number) => n === at],
    ['for good, as far as the reserve does not help', 2, (at: number) => (_: Step, n: number) => n >= at],
    [
      'for the journal alone',
      3,
      (at: number) =>
        ({ path }: Step, n: number) =>
          n >= at && path.startsWith('journal-'),
    ],
  ])('%s makes no answer wrong, whichever step it is', async (_, from, fault) => {
    let at = from
    while ((await runWith(fault(at))) >= at) at += STRIDE
    expect(at).toBeGreaterThan(40)
  })
})
