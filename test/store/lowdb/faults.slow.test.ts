/** Disks that are full or broken for real: a small one in memory, and system calls that are made to fail. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { StoreFull } from '../../../server/store/store.ts'
import { ALICE, accept, ackOf, deliveryOf, openMids } from '../../contract/store/words.ts'
import { temporaryFolder } from '../../helpers/folder.ts'
import { openRig } from './rig.ts'

const WRITER = new URL('./writer.ts', import.meta.url).pathname
const COUNT = 30
/** flushes of a start: the reserve, two journals and a manifest; then one for each message */
const FLUSHES = 4
const NTH_FLUSH = 14
const DISK_BYTES = 3 * 1024 * 1024
/** what remains must hold twice: in the journal, and in segments before the journal can go */
const BALLAST = Buffer.alloc((DISK_BYTES * 2) / 3)
const LARGE = 'x'.repeat(20_000)

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let dir = ''
let mounted = ''

beforeEach(async () => {
  folder = await temporaryFolder()
  dir = join(folder.dir, 'data')
})
afterEach(async () => {
  // lazily: a test that failed may have files open
  if (mounted) execFileSync('umount', ['-l', mounted])
  mounted = ''
  await folder.remove()
})

const hasStrace = spawnSync('strace', ['-V']).status === 0

/** Runs the writer under strace with one libuv thread, since strace counts calls by thread. */
function trace(args: readonly string[]): { readonly lines: string[]; readonly calls: string[] } {
  const log = join(folder.dir, 'calls')
  const program = [process.execPath, '--import', 'tsx', WRITER, dir, String(COUNT)]
  const { stdout } = spawnSync('strace', ['-f', '-o', log, '-e', 'trace=fdatasync,write', ...args, ...program], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  return { lines: stdout.trim().split('\n'), calls: readFileSync(log, 'utf8').split('\n') }
}

test('each message is flushed, once, before it is told to be accepted', ({ skip }) => {
  skip(!hasStrace, 'there is no strace here')
  const { lines, calls } = trace([])
  expect(lines.filter((line) => line.startsWith('accepted'))).toHaveLength(COUNT)
  const order = calls.flatMap((call) => {
    if (call.includes('"accepted')) return ['told']
    // only what returned counts: a call that goes on meanwhile is two lines
    return /fdatasync.*= 0$/.test(call) ? ['flushed'] : []
  })
  const first = order.indexOf('told')
  expect(order.slice(first - 1, first - 1 + 2 * COUNT)).toEqual(
    Array.from({ length: COUNT }, () => ['flushed', 'told']).flat(),
  )
})

test('after a flush that failed nothing is accepted, and a restart has all that was', async ({ skip }) => {
  skip(!hasStrace, 'there is no strace here')
  const { lines } = trace(['-e', `inject=fdatasync:error=EIO:when=${NTH_FLUSH}`])
  const accepted = lines.filter((line) => line.startsWith('accepted')).map((line) => line.slice('accepted '.length))
  expect(accepted).toHaveLength(NTH_FLUSH - 1 - FLUSHES)
  expect(lines.slice(accepted.length)).toEqual([
    'onFailed StoreFailed',
    ...Array.from({ length: COUNT - accepted.length }, () => 'refused StoreFailed'),
    `holds ${accepted.length}`,
  ])
  const { store } = await openRig(dir)
  expect((await openMids(store, ALICE)).slice(0, accepted.length)).toEqual(accepted)
  await store.close()
})

test('a disk that is full refuses, holds what it took, and goes on once there is space', async ({ skip }) => {
  mkdirSync(dir)
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir]).status === 0
  skip(!isMounted, 'nothing can be mounted here')
  mounted = dir
  const ballast = join(dir, 'ballast')
  writeFileSync(ballast, BALLAST)
  const rig = await openRig(dir, { segmentMessages: 10 })
  const { store, clock } = rig
  const accepted: string[] = []
  const push = () => accept(store, clock, [ALICE], { text: LARGE }).then((mid) => void accepted.push(mid))
  const refusal = await (async () => {
    for (;;) await push()
  })().catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(StoreFull)
  expect(accepted.length).toBeGreaterThan(20)
  for (let n = 0; n < 20; n += 1) await expect(push()).rejects.toBeInstanceOf(StoreFull)
  expect(await openMids(store, ALICE)).toEqual(accepted)
  expect(store.health()).toMatchObject({ writable: false, reason: 'the disk is nearly full' })

  const [first = ''] = accepted
  await store.write([ackOf(first, ALICE)], 'lazy')
  expect((await deliveryOf(store, first, ALICE)).state).toBe('delivered')
  // a checkpoint that finds no space
  await clock.advance(1_000)
  expect(await openMids(store, ALICE)).toEqual(accepted.slice(1))

  rmSync(ballast)
  await rig.recovered()
  await push()
  await rig.checkpoint()
  const copy = join(folder.dir, 'copy')
  execFileSync('cp', ['-r', dir, copy])
  await store.close()
  expect(rig.failures).toEqual([])
  for (const at of [copy, dir]) {
    const again = await openRig(at, { clock })
    expect(again.torn).toEqual([])
    expect(await openMids(again.store, ALICE)).toEqual(accepted.slice(1))
    expect((await deliveryOf(again.store, first, ALICE)).state).toBe('delivered')
    await again.store.close()
  }
})
