/** A disk that fails under a hub: what it says of it, and what a restart finds. */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type HubSpawn } from '../helpers/process.ts'
import { random, type Random } from '../crash/random.ts'
import { ended, type How, push, receiveAll, Scene, type Told } from './scene.ts'

/** What fails. `after` so many calls that go well; `times` calls fail. */
export interface DiskFault {
  readonly call: 'fdatasync' | 'fsync' | 'pwrite64' | 'rename'
  readonly error: 'EIO' | 'ENOSPC'
  readonly after: number
  readonly times: number
}

/** Writes to the journal that take only a part of what they are given. */
export const SHORT = 'short writes'

export interface Violation {
  readonly kind: 'lost' | 'phantom' | 'twice' | 'silent' | 'mute' | 'unhealthy' | 'stack'
  readonly what: string
}

export interface Trial {
  /** the fault came: a later place than the hub ever got to is none */
  readonly happened: boolean
  readonly told: readonly Told[]
  /** null: it went on, and was told to stop in the end */
  readonly ended: number | string | null
  readonly violations: readonly Violation[]
}

/** before the fault: replayed, and written to files, at the start under test */
const BEFORE = 40
const WAVES = 25
const SHORT_SHARE = 0.4
const FULL = 507
const TRIES = 50
const PAUSE_MS = 100

/** Why a machine cannot have such a disk; null where it can. */
export function whyNoDiskErrors(): string | null {
  const absent = ['strace', 'fiu-run'].find((name) => spawnSync(name, [name === 'strace' ? '-V' : '-h']).error)
  if (absent !== undefined) return `there is no ${absent} here`
  return spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0 ? null : 'strace may not trace here'
}

/** A scene whose folder `data` a hub was killed on, with what it had accepted. */
export async function prepare(): Promise<{ scene: Scene; data: string; accepted: readonly string[] }> {
  const scene = await Scene.make()
  const data = scene.folder()
  const hub = await scene.start(data)
  const told = await Promise.all(Array.from({ length: BEFORE }, (_, n) => push(hub.url, `before-${n}`)))
  await hub.stop('SIGKILL')
  const accepted = told.filter(({ status }) => status === 200).map(({ text }) => text)
  return { scene, data, accepted }
}

/** One hub on a copy of what `prepare` left, with this fault under it; then one without, which must have it all. */
export async function tryDisk(
  { scene, data, accepted: before }: Awaited<ReturnType<typeof prepare>>,
  fault: DiskFault | typeof SHORT,
): Promise<Trial> {
  const copy = await scene.copyOf(data)
  const trace = join(scene.dir, 'trace')
  const hub = scene.spawn(copy, fault === SHORT ? shortWrites() : failing(fault, trace))
  const told = await pushTo(hub)
  const isOver = hub.child.exitCode !== null || hub.child.signalCode !== null
  const code = isOver ? (hub.child.exitCode ?? hub.child.signalCode) : null
  const stopped = isOver ? code : await stop(hub)
  const happened = fault === SHORT || (await readFile(trace, 'utf8')).includes('(INJECTED)')

  const again = await scene.start(copy)
  const received = await receiveAll(again.url)
  await again.stop()
  const violations = [
    ...checkMessages([...before.map((text) => ({ text, status: 200, body: '' })), ...told], received),
    ...(happened && fault !== SHORT ? checkWords(fault, hub.output(), told, code) : []),
    ...(code === null ? checkStop(stopped, hub.output()) : []),
    ...(fault === SHORT ? checkUnharmed(told, code) : []),
  ]
  return { happened, told, ended: code, violations }
}

/** A fault of any kind, at any place. */
export function anyFault(chance: Random): DiskFault | typeof SHORT {
  const at = (last: number) => chance.between(0, last)
  return chance.pick<() => DiskFault | typeof SHORT>([
    () => ({ call: 'fdatasync', error: 'EIO', after: at(45), times: 1 }),
    () => ({ call: 'fdatasync', error: 'EIO', after: at(45), times: 1 }),
    () => ({ call: 'fsync', error: 'EIO', after: at(8), times: 1 }),
    () => ({ call: 'pwrite64', error: 'EIO', after: at(30), times: 1 }),
    () => ({ call: 'pwrite64', error: 'ENOSPC', after: at(30), times: 1 + at(4) }),
    () => ({ call: 'rename', error: chance.pick(['EIO', 'ENOSPC']), after: at(8), times: 1 }),
    () => SHORT,
  ])()
}

/** `rounds` trials; the place of a violation names the fault. */
export async function diskErrors({ rounds, seed }: { readonly rounds: number; readonly seed: number }) {
  const chance = random(seed, 'disk errors')
  const ready = await prepare()
  const violations: Violation[] = []
  const figures = { trials: rounds, happened: 0, endedByItself: 0, wentOn: 0, accepted: 0, refused: 0, unanswered: 0 }
  for (let round = 0; round < rounds; round++) {
    const fault = anyFault(chance)
    const trial = await tryDisk(ready, fault)
    violations.push(...trial.violations.map(({ kind, what }) => ({ kind, what: `${print(fault)}: ${what}` })))
    figures.happened += Number(trial.happened)
    figures[trial.ended === null ? 'wentOn' : 'endedByItself'] += 1
    for (const { status } of trial.told) figures[status === 200 ? 'accepted' : status ? 'refused' : 'unanswered'] += 1
  }
  const kept = violations.length > 0 ? ready.scene.dir : null
  if (kept === null) await ready.scene.remove()
  return { violations, figures, kept }
}

function print(fault: DiskFault | typeof SHORT): string {
  return fault === SHORT ? SHORT : `${fault.call} ${fault.error} after ${fault.after}, ${fault.times} times`
}

/** With one libuv thread, since strace counts calls by thread. */
function failing({ call, error, after, times }: DiskFault, trace: string): How {
  const when = `${after + 1}..${after + times}`
  const inject = `inject=${call}:error=${error}:when=${when}`
  return {
    // the hub stays a child of ours
    command: ['strace', '-D', '-f', '-o', trace, '-e', `trace=${call}`, '-e', inject, process.execPath],
    env: { UV_THREADPOOL_SIZE: '1' },
  }
}

function shortWrites(): How {
  const enable = `enable_random name=posix/io/rw/pwrite/reduce,probability=${SHORT_SHARE}`
  return { command: ['fiu-run', '-x', '-f', '', '-c', enable, process.execPath] }
}

/** Waves of pushes, until the hub is gone or all are made. */
async function pushTo(hub: HubSpawn): Promise<Told[]> {
  const told: Told[] = []
  const listening = await hub.listening.catch(() => null)
  for (let wave = 0; listening && wave < WAVES; wave++) {
    const texts = Array.from({ length: 1 + (wave % 3) }, (_, n) => `wave-${wave}-${n}`)
    const answers = await Promise.all(texts.map((text) => push(listening.url, text)))
    told.push(...answers)
    if (answers.some(({ status }) => status === null || status === 503)) {
      await ended(hub)
      return told
    }
  }
  if (listening && told.at(-1)?.status === FULL) told.push(await pushAgain(listening.url))
  return told
}

/** Once there is space again; what it is told at last. */
async function pushAgain(url: string): Promise<Told> {
  for (let tries = 0; ; tries++) {
    const told = await push(url, `again-${tries}`)
    if (told.status !== FULL || tries === TRIES) return told
    await pause(PAUSE_MS)
  }
}

async function stop(hub: HubSpawn): Promise<number | string | null> {
  hub.child.kill('SIGTERM')
  await ended(hub)
  return hub.child.exitCode ?? hub.child.signalCode
}

function checkMessages(told: readonly Told[], received: readonly string[]): Violation[] {
  const found: Violation[] = []
  const got = new Set(received)
  for (const { text, status, body } of told) {
    if (status === 200 && !got.has(text)) found.push({ kind: 'lost', what: text })
    if (body.includes('nothing was accepted') && got.has(text)) found.push({ kind: 'phantom', what: text })
  }
  if (got.size < received.length) found.push({ kind: 'twice', what: received.join() })
  return found
}

/** Either the hub ended by itself and said why, or it went on, and said what it could not do. */
function checkWords({ error }: DiskFault, output: string, told: readonly Told[], ended: Trial['ended']): Violation[] {
  const found: Violation[] = []
  const last = output.trim().split('\n').slice(-3).join('\n').slice(0, 600)
  if (ended === null) {
    if (told.at(-1)?.status === FULL) found.push({ kind: 'unhealthy', what: 'it never took anything again' })
    const isTold = told.some(({ status }) => status === FULL) || /checkpoint failed|the disk/.test(output)
    if (!isTold) found.push({ kind: 'silent', what: `the fault went unheard: ${last}` })
  } else {
    if (ended !== 1) found.push({ kind: 'unhealthy', what: `it ended with ${ended}: ${last}` })
    if (!output.includes(error) && !output.includes('the disk is full')) found.push({ kind: 'silent', what: last })
    if (/^ {4}at /m.test(output)) found.push({ kind: 'stack', what: last })
    if (told.some(({ status }) => status === null) && !told.some(({ status }) => status === 503)) {
      found.push({ kind: 'mute', what: 'senders were not answered when the disk failed' })
    }
  }
  const first = told.findIndex(({ status }) => status === null || status === 503)
  const later = first < 0 ? [] : told.slice(first).filter(({ status }) => status === 200)
  // those of the same wave may have been in the batch before
  if (later.some(({ text }) => !text.startsWith(told[first]?.text.slice(0, -1) ?? ''))) {
    found.push({ kind: 'unhealthy', what: 'it accepted more after the disk had failed' })
  }
  return found
}

/** A clean end, or a fault that came in the midst of it and that it tells of. */
function checkStop(code: Trial['ended'], output: string): Violation[] {
  if (code === 0 || (code === 1 && output.includes('the disk cannot be trusted'))) return []
  return [{ kind: 'unhealthy', what: `SIGTERM ended with ${code}: ${output.slice(-600)}` }]
}

function checkUnharmed(told: readonly Told[], ended: Trial['ended']): Violation[] {
  const isWell = ended === null && told.every(({ status }) => status === 200)
  return isWell ? [] : [{ kind: 'unhealthy', what: `short writes ended with ${ended}` }]
}
