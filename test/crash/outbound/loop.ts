/** A hub that pushes through robots and webhooks is killed and started again; then all must add up. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Lives } from '../lives.ts'
import { random, type Random } from '../random.ts'
import { agent } from '../request.ts'
import { hubConfig } from './cast.ts'
import { check, type Verdict } from './checker.ts'
import { Book, type History, type Said } from './history.ts'
import { askHub } from './hub.ts'
import { freePort } from '../port.ts'
import { Pusher } from './pusher.ts'
import type { Stage } from './stage.ts'
import { type Moment, startVendor } from './vendor.ts'

const PUSHERS = 6
/** after a start; overdue work is left alone for 5 s, so what a kill cut is still as the kill left it */
const EARLY_MS = 1_000
const FIRST_REQUEST_MS = 10_000
const MOMENT_MS = 2_000
const CALM_MS = 60_000
const LOOK_MS = 200
/** longer than a round takes that no task tells of */
const QUIET_MS = 1_000
const RESTARTED_MS = 300
/** what a hub that is gone had sent is read by then */
const LAST_BYTES_MS = 30

export interface OutboundOptions {
  readonly rounds: number
  readonly seed: number
  /** of load, on average */
  readonly secondsPerRound: number
  /** what node runs in place of the built hub */
  readonly program?: readonly string[]
  /** how a life ends; unless told otherwise by a kill */
  readonly ending?: 'kill' | 'stop'
}

export interface OutboundResult extends Verdict {
  /** the run's folder with config, data and history; null if all went well, then it is removed */
  readonly kept: string | null
}

interface Run {
  readonly stage: Stage
  readonly chance: Random
  readonly options: OutboundOptions
}

/** Runs the whole loop and judges it. */
export async function outboundLoop(options: OutboundOptions): Promise<OutboundResult> {
  const { seed, program } = options
  const dir = await mkdtemp(join(tmpdir(), 'carillon-outbound-'))
  const chance = random(seed, 'outbound loop')
  const book = new Book()
  const vendor = await startVendor(seed, book, () => hub.count)
  const token = `outbound-loop-token-${seed}`
  const config = join(dir, 'config.json')
  await writeFile(config, JSON.stringify(hubConfig(token, vendor.url)), { mode: 0o600 })
  const args = ['--config', config, '--data', join(dir, 'data')]
  const hub: Lives = new Lives(book, await freePort(chance), args, program)
  const run = { stage: { seed, token, book, hub, vendor, calm: false }, chance, options }
  const history = await play(run)
  const verdict = check(history)
  if (verdict.violations.length === 0) {
    await rm(dir, { recursive: true })
    return { ...verdict, kept: null }
  }
  await writeFile(join(dir, 'history.json'), JSON.stringify(asJson(history), null, 1))
  return { ...verdict, kept: dir }
}

async function play(run: Run): Promise<History> {
  const { book, hub, vendor } = run.stage
  const pushing: Promise<void>[] = []
  let said: Said | null = null
  try {
    if (await hub.start()) {
      for (let index = 0; index < PUSHERS; index++) pushing.push(new Pusher(run.stage, `p${index}`).work())
      if (await playRounds(run)) said = await calmDown(run, pushing)
    }
  } catch (error) {
    book.note({ type: 'nonsense', what: `the run broke off: ${String(error)}` })
  } finally {
    hub.end()
    await Promise.all(pushing)
    await hub.stop()
    agent.destroy()
    await vendor.close()
  }
  return book.closed(said)
}

/** False if the hub does not start any more. */
async function playRounds(run: Run): Promise<boolean> {
  const { chance, options, stage } = run
  for (let round = 0; round < options.rounds; round++) {
    if (round % 2 === 1) await pause(chance.between(0, EARLY_MS))
    else await moment(run)
    await end(run)
    if (chance.chance(0.15)) {
      const starting = stage.hub.start()
      await Promise.race([starting, pause(chance.between(20, 500))])
      await end(run)
      await starting
    }
    if (!(await stage.hub.start())) return false
  }
  return true
}

/** Resolves when the hub is to be killed: at any time of its work, or when a vendor has a request, or has answered one. */
async function moment({ chance, options, stage: { vendor } }: Run): Promise<void> {
  await Promise.race([vendor.next('arrive'), pause(FIRST_REQUEST_MS)])
  // what waited for the end of the grace goes out all at once: then most is in flight
  await pause(chance.chance(0.5) ? chance.between(0, 150) : chance.between(100, 1_700) * options.secondsPerRound)
  const at = chance.pick<Moment | null>([null, 'arrive', 'answer'])
  if (at !== null) await Promise.race([vendor.next(at), pause(MOMENT_MS)])
}

async function end({ options, stage: { hub } }: Run): Promise<void> {
  await (options.ending === 'stop' ? hub.stop() : hub.kill())
  await pause(LAST_BYTES_MS)
}

/** No new pushes until nothing is tried any more; then a clean restart must change nothing. */
async function calmDown({ stage }: Run, pushing: readonly Promise<void>[]): Promise<Said | null> {
  const { book, hub, token } = stage
  stage.calm = true
  await Promise.all(pushing)
  const ids = [...new Set(book.entries.flatMap((event) => (event.type === 'accepted' ? [event.task] : [])))]
  const ask = askHub(hub.url, token)
  await ended(stage, ids)
  const before = await ask.tasks(ids)
  await hub.stop()
  const requests = book.entries.length
  if (!(await hub.start())) return null
  await pause(RESTARTED_MS)
  const said = { tasks: await ask.tasks(ids), notifications: await ask.unread() }
  for (const event of book.entries.slice(requests)) {
    if (event.type === 'arrive') book.note({ type: 'nonsense', what: `${event.push} was sent again in the end` })
  }
  for (const [id, task] of before) {
    const [was, is] = [JSON.stringify(task), JSON.stringify(said.tasks.get(id))]
    if (was !== is) book.note({ type: 'nonsense', what: `a restart made ${is} of ${was} (${id})` })
  }
  return said
}

/** Waits until every task has an end and no request comes any more. What has none then, is the checker's to find. */
async function ended({ hub, token, vendor }: Stage, ids: readonly string[]): Promise<void> {
  const deadline = performance.now() + CALM_MS
  let left = ids
  while ((left.length > 0 || vendor.quietFor() < QUIET_MS) && performance.now() < deadline) {
    const tasks = await askHub(hub.url, token).tasks(left)
    left = left.filter((id) => tasks.get(id)?.status === 'processing')
    await pause(LOOK_MS)
  }
}

function asJson({ pushes, events, said }: History): object {
  return { pushes: [...pushes.values()], events, tasks: [...(said?.tasks ?? [])], notifications: said?.notifications }
}
