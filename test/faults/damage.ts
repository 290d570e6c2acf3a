/** Data folders of hubs that were killed, with a bit, a sector or an end gone wrong: what a start makes of them. */
import { readdirSync, statSync } from 'node:fs'
import { open, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { hubs } from '../crash/hubs/index.ts'
import { random, type Random } from '../crash/random.ts'
import { ended, push, receiveAll, Scene } from './scene.ts'

const SECTOR = 4_096
/** of all damage, what is done to these alone */
const JOURNALS = 0.4
const JOURNAL = 'journal-N.log'
/** small segments, so that there are some */
const OLD = 320
/** in the journal alone, when the hub is killed */
const NEW = 60
const TOGETHER = 40
/** longer than the hub waits before it notes, in its journal, that all before is on disk */
const NOTED_MS = 500

/** A folder as a kill left it, and what the hub had accepted on it. */
interface Killed {
  readonly data: string
  readonly accepted: readonly string[]
  /** it was at rest when it was killed: nothing in its journal is in doubt */
  readonly atRest: boolean
}

interface Damage {
  /** relative to the data folder */
  readonly file: string
  readonly how: 'flip' | 'cut' | 'zero'
  readonly offset: number
}

export interface Violation {
  readonly kind: 'lost' | 'silent' | 'stack' | 'unnamed' | 'badExit'
  readonly what: string
}

type Ending = 'unharmed' | 'mended' | 'refused'

/** Damages `rounds` copies, each at one place, and starts a hub on each. */
export async function damage({ rounds, seed, together = 2 }: { rounds: number; seed: number; together?: number }) {
  const chance = random(seed, 'damage')
  const scene = await Scene.make()
  const atRest = await killAtRest(scene)
  const folders = [atRest, await killAtWork(scene, atRest)] as const
  const violations: Violation[] = []
  const figures = { trials: rounds, unharmed: 0, mended: 0, refused: 0, files: {} as Record<string, number> }
  const trials = Array.from({ length: rounds }, () => {
    const folder = chance.pick(folders)
    return { folder, harm: anyDamage(chance, folder.data) }
  }).values()
  async function work(): Promise<void> {
    for (const { folder, harm } of trials) {
      const { ending, found } = await tryStart(scene, folder, harm)
      figures[ending] += 1
      const kind = `${kindOf(harm.file)} ${ending}`
      figures.files[kind] = (figures.files[kind] ?? 0) + 1
      violations.push(...found.map((one) => ({ ...one, what: `${print(harm, folder)}: ${one.what}` })))
    }
  }
  await Promise.all(Array.from({ length: together }, work))
  const kept = violations.length > 0 ? scene.dir : null
  if (kept === null) await scene.remove()
  return { violations, figures, kept }
}

/** Segments that nobody waits for, others, a journal behind them, and nothing in doubt. */
async function killAtRest(scene: Scene): Promise<Killed> {
  const data = scene.folder()
  const restless = hubs.get('restless') ?? []
  const first = await scene.start(data, { program: restless })
  await pushMany(first.url, 'read', OLD / 2)
  await receiveAll(first.url)
  const old = await pushMany(first.url, 'old', OLD)
  await first.stop()
  const second = await scene.start(data)
  const accepted = [...old, ...(await pushMany(second.url, 'new', NEW))]
  await noted(data)
  await second.stop('SIGKILL')
  return { data, accepted, atRest: true }
}

/** The same, started again and killed while it has more to write. */
async function killAtWork(scene: Scene, { data: before, accepted }: Killed): Promise<Killed> {
  const data = await scene.copyOf(before)
  const hub = await scene.start(data)
  const answered: string[] = []
  const pushes = Array.from({ length: TOGETHER }, async (_, n) => {
    const { text, status } = await push(hub.url, `work-${n}`)
    if (status === 200) answered.push(text)
  })
  await Promise.race(pushes)
  await hub.stop('SIGKILL')
  await Promise.all(pushes)
  return { data, accepted: [...accepted, ...answered], atRest: false }
}

async function pushMany(url: string, word: string, count: number): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, n) => `${word}-${n}`)
  for (let at = 0; at < count; at += TOGETHER) {
    const told = await Promise.all(
      texts.slice(at, at + TOGETHER).map((text) => push(url, text, { 'idempotency-key': text })),
    )
    const refused = told.find(({ status }) => status !== 200)
    if (refused) throw new Error(`${refused.text} was answered ${refused.status} ${refused.body}`)
  }
  return texts
}

/** Waits for the line without changes that follows the last batch. */
async function noted(data: string): Promise<void> {
  const journal = filesIn(data).findLast((file) => file.startsWith('journal-')) ?? ''
  await until(async () => (await readFile(join(data, journal), 'utf8')).endsWith(' []\n'), NOTED_MS)
}

async function until(holds: () => Promise<boolean>, ms: number): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await holds())) if (performance.now() > deadline) throw new Error('that takes too long')
}

function filesIn(data: string): string[] {
  const paths = readdirSync(data, { recursive: true, encoding: 'utf8' }).toSorted()
  return paths.filter((path) => statSync(join(data, path)).isFile() && path !== 'LOCK')
}

/** A journal, or a file of any kind: one kind is as likely as another. */
function anyDamage(chance: Random, data: string): Damage {
  const kinds = new Map<string, string[]>()
  for (const file of filesIn(data)) {
    const kind = kindOf(file)
    kinds.set(kind, [...(kinds.get(kind) ?? []), file])
  }
  const of = chance.chance(JOURNALS) ? JOURNAL : (chance.shuffle([...kinds.keys()])[0] ?? '')
  const [file = ''] = chance.shuffle(kinds.get(of) ?? [])
  return { file, how: chance.pick(['flip', 'cut', 'zero']), offset: chance.between(0, statSync(join(data, file)).size) }
}

function kindOf(file: string): string {
  return file.replaceAll(/\d+/g, 'N')
}

async function apply(data: string, { file, how, offset }: Damage): Promise<void> {
  const path = join(data, file)
  if (how === 'cut') return truncate(path, offset)
  const handle = await open(path, 'r+')
  const { size } = await handle.stat()
  if (how === 'zero') {
    const from = offset - (offset % SECTOR)
    await handle.write(Buffer.alloc(Math.min(SECTOR, size - from)), 0, undefined, from)
  } else {
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, offset)
    byte[0] = (byte[0] ?? 0) ^ (1 << (offset % 8))
    await handle.write(byte, 0, 1, offset)
  }
  await handle.close()
}

async function tryStart(scene: Scene, folder: Killed, harm: Damage): Promise<{ ending: Ending; found: Violation[] }> {
  const data = await scene.copyOf(folder.data)
  await apply(data, harm)
  const hub = scene.spawn(data)
  const listening = await hub.listening.catch(() => null)
  if (!listening) {
    await ended(hub)
    const found = checkRefusal(hub.child.exitCode, hub.output(), join(data, harm.file))
    if (found.length === 0) await rm(data, { recursive: true })
    return { ending: 'refused', found }
  }
  const received = await receiveAll(listening.url)
  const code = await listening.stop()
  const isTold = hub.output().includes('was torn by a crash')
  const journal = harm.file.startsWith('journal-') ? await readFile(join(folder.data, harm.file), 'utf8') : ''
  const found = checkStart(folder, harm, { received: new Set(received), isTold, journal })
  if (code !== 0) found.push({ kind: 'badExit', what: `SIGTERM ended with ${code}` })
  if (found.length === 0) await rm(data, { recursive: true })
  return { ending: isTold ? 'mended' : 'unharmed', found }
}

/** One line that names the file, and the byte where that has places. */
function checkRefusal(code: number | null, output: string, path: string): Violation[] {
  const found: Violation[] = []
  const said = output.split('\n').find((line) => line.startsWith('carillon: ')) ?? ''
  if (code !== 1) found.push({ kind: 'badExit', what: `it ended with ${code}: ${output.slice(-500)}` })
  if (/^ {4}at /m.test(output)) found.push({ kind: 'stack', what: output.slice(-500) })
  if (!said.includes(path)) found.push({ kind: 'unnamed', what: said || output.slice(-500) })
  if (path.includes('journal-') && !/ at byte \d+ /.test(said)) found.push({ kind: 'unnamed', what: said })
  return found
}

/** Only what stood behind the damage may be missing, and only if the hub says that something is. */
function checkStart(
  { accepted }: Killed,
  { how, offset }: Damage,
  { received, isTold, journal }: { received: ReadonlySet<string>; isTold: boolean; journal: string },
): Violation[] {
  const found: Violation[] = []
  const from = how === 'zero' ? offset - (offset % SECTOR) : offset
  const begin = journal.lastIndexOf('\n', from - 1) + 1
  // an end that is cut off between two lines leaves no trace
  const isSeamless = how === 'cut' && begin === from
  const behind = how === 'flip' ? journal.slice(begin, journal.indexOf('\n', from)) : journal.slice(begin)
  for (const text of accepted) {
    if (received.has(text)) continue
    if (!behind.includes(JSON.stringify(text))) found.push({ kind: 'lost', what: text })
    else if (!isTold && !isSeamless) found.push({ kind: 'silent', what: text })
  }
  if (journal !== '' && !isTold && !isSeamless) found.push({ kind: 'silent', what: 'the hub just started' })
  return found
}

function print({ file, how, offset }: Damage, { atRest }: Killed): string {
  return `${how} at byte ${offset} of ${file}, ${atRest ? 'killed at rest' : 'killed at work'}`
}
