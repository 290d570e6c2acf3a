/** A hub under load is killed and started again, many times; then everybody is asked what they got. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { absentees, hubConfig, RETRY_MS, roles, targets } from './cast.ts'
import { check, type Verdict } from './checker.ts'
import { type Disk, makeDisk } from './disk.ts'
import { type Event, Recorder } from './history.ts'
import { Lives } from './lives.ts'
import { freePort } from './port.ts'
import { Pusher } from './pusher.ts'
import { random, type Random } from './random.ts'
import { Receiver } from './receiver.ts'
import { agent } from './request.ts'
import { Rogue } from './rogue.ts'
import { type Stage, until } from './stage.ts'

const PUSHERS = 24
const ROGUES = 3
const BURST = 40
const BURST_MS = 2_000
/** copies of one frame on their way to one receiver */
const IN_FLIGHT = 1
/** acks of one receiver that a kill may cost: they become durable a moment after they are believed */
const FORGETTABLE = 16
/** nothing is sent again for so long only if everything is acked */
const QUIET_MS = 3 * RETRY_MS
/** pushes with a key that are looked up at the very end */
const ASKED_AGAIN = 300
const CLEAN_PHASE_MS = 60_000

/** SIGKILL; the same on a disk of its own, whose power is cut first (see whyNoDisk); or a clean stop by SIGTERM. */
export type Ending = 'kill' | 'power cut' | 'stop'

export interface LoopOptions {
  readonly rounds: number
  readonly seed: number
  /** of load, on average */
  readonly secondsPerRound: number
  /** what node runs in place of the built hub */
  readonly program?: readonly string[]
  /** how a life ends; unless told otherwise by a kill */
  readonly ending?: Ending
}

export interface LoopResult extends Verdict {
  /** the run's folder with config, data and history; null if all went well, then it is removed */
  readonly kept: string | null
}

interface Run {
  readonly stage: Stage
  readonly chance: Random
  readonly options: LoopOptions
  readonly disk: Disk | null
  readonly burster: Pusher
  readonly receivers: readonly Receiver[]
  /** each resolves when its pushes have their last answer */
  readonly pushing: Promise<void>[]
  /** all others at work; they end when the run is over */
  readonly others: Promise<void>[]
}

/** Runs the whole loop and judges it. */
export async function crashLoop(options: LoopOptions): Promise<LoopResult> {
  const dir = await mkdtemp(join(tmpdir(), 'carillon-crash-'))
  const run = await prepare(options, dir)
  const { history, hub } = run.stage
  try {
    await play(run)
  } finally {
    hub.end()
    for (const receiver of run.receivers) receiver.drop()
    await Promise.all([...run.pushing, ...run.others])
    await hub.stop()
    agent.destroy()
    await run.disk?.close()
  }
  const verdict = check(history, IN_FLIGHT, options.ending === 'stop' ? 0 : FORGETTABLE)
  if (verdict.violations.length > 0) {
    await writeFile(join(dir, 'history.json'), JSON.stringify([...history.pushes.values(), ...history.events], null, 1))
    return { ...verdict, kept: dir }
  }
  await rm(dir, { recursive: true })
  return { ...verdict, kept: null }
}

async function prepare(options: LoopOptions, dir: string): Promise<Run> {
  const { seed, program, ending } = options
  const chance = random(seed, 'loop')
  const token = `crash-loop-token-${seed}-0123456789`
  const config = join(dir, 'config.json')
  const disk = ending === 'power cut' ? await makeDisk(dir) : null
  const dataDir = join(disk?.dir ?? dir, 'data')
  await writeFile(config, JSON.stringify(hubConfig(token)))
  const history = new Recorder()
  const hub = new Lives(history, await freePort(chance), ['--config', config, '--data', dataDir], program, disk)
  const stage: Stage = { seed, token, history, hub, calm: false, sessions: 0 }
  const receivers = roles.map((role) => new Receiver(stage, role))
  const burster = new Pusher(stage, 'burst', absentees)
  return { stage, chance, options, disk, burster, receivers, pushing: [], others: [] }
}

async function play(run: Run): Promise<void> {
  const { stage, receivers, pushing, others } = run
  if (!(await stage.hub.start())) return
  const [absent, present] = [receivers.filter(isAbsent), receivers.filter((receiver) => !isAbsent(receiver))]
  for (const receiver of present) others.push(receiver.live())
  for (let index = 0; index < ROGUES; index++) others.push(new Rogue(stage, `rogue${index}`).work())
  for (let index = 0; index < PUSHERS; index++) pushing.push(new Pusher(stage, `p${index}`, targets).work())

  for (let round = 0; round < run.options.rounds; round++) if (!(await playRound(run))) return
  await load(run)
  for (const receiver of absent) others.push(receiver.live())
  await calmDown(run)
  await restartCleanly(run)
}

function isAbsent({ role }: Receiver): boolean {
  return role.habit === 'absent'
}

/** Load, kill, start; false if the hub does not start any more. */
async function playRound(run: Run): Promise<boolean> {
  const { stage, chance, options, burster, pushing } = run
  const end = () => (options.ending === 'stop' ? stage.hub.stop() : stage.hub.kill())
  await load(run)
  if (chance.chance(0.6)) {
    // the instant after an answer is when it shows whether it was true
    const { some, all } = burster.burst(BURST, chance.between(1, BURST))
    pushing.push(all)
    await Promise.race([some, pause(BURST_MS)])
  }
  await end()
  if (chance.chance(0.25)) {
    const starting = stage.hub.start()
    await Promise.race([starting, pause(chance.between(20, 500))])
    await end()
    await starting
  }
  return stage.hub.start()
}

async function load({ chance, options }: Run): Promise<void> {
  await pause(chance.between(300, 1700) * options.secondsPerRound)
}

/** The clean phase: no new pushes, everybody is there, on a new connection, and acks until nothing comes. */
async function calmDown({ stage, pushing, receivers }: Run): Promise<void> {
  stage.calm = true
  await Promise.all(pushing)
  for (const receiver of receivers) receiver.drop()
  await quiet(stage, receivers)
}

async function quiet({ history }: Stage, receivers: readonly Receiver[]): Promise<void> {
  const begun = performance.now()
  const done = () => {
    const since = Math.min(history.quietFor, performance.now() - begun)
    return since > QUIET_MS && receivers.every((receiver) => receiver.loggedIn)
  }
  if (await until(done, CLEAN_PHASE_MS)) return
  history.add({ type: 'nonsense', what: `not everybody was there and quiet within ${CLEAN_PHASE_MS} ms` })
}

/** After a clean stop nothing is owed any more, and what was asked long ago is remembered to the end. */
async function restartCleanly({ stage, chance, burster, receivers }: Run): Promise<void> {
  const { history, hub } = stage
  await hub.stop()
  const before = history.events.length
  if (!(await hub.start())) return
  await quiet(stage, receivers)
  const answered = new Set(history.events.flatMap((event) => (event.type === 'reply' ? [event.push] : [])))
  const keyed = [...history.pushes.values()].filter(({ id, key }) => key !== null && answered.has(id))
  await burster.askAgain(chance.shuffle(keyed).slice(0, ASKED_AGAIN))
  for (const event of history.events.slice(before)) {
    const fault = faultAtTheEnd(event)
    if (fault !== null) history.add({ type: 'nonsense', what: fault })
  }
}

function faultAtTheEnd(event: Event): string | null {
  if (event.type === 'receive') {
    return `${event.name} got ${event.text} (${event.mid}), which it had acked before a clean stop`
  }
  if (event.type !== 'reply') return null
  const undelivered = Object.entries(event.states).filter(([, state]) => state !== 'ok' && state !== 'full')
  if (undelivered.length === 0) return null
  return `${event.push} (${event.mid}) is ${undelivered.join(' and ')} at the end, though everybody has acked everything`
}

/** Below the ports that clients are given, so that none of them takes it while the hub is down. */
