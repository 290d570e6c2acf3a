import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockFolder } from '../../../server/store/lowdb/lock.ts'
import { StoreLocked } from '../../../server/store/store.ts'
import { quickFolder } from './rig.ts'

const LOCK = new URL('../../../server/store/lowdb/lock.ts', import.meta.url).pathname
const PATH = process.env['PATH']

let folder: Awaited<ReturnType<typeof quickFolder>>
let other: ChildProcess | null = null

beforeEach(async () => {
  folder = await quickFolder()
})
afterEach(async () => {
  if (PATH !== undefined) process.env['PATH'] = PATH
  await kill()
  await folder.remove()
})

/** Another process takes the lock; returns its pid. */
async function lockElsewhere(): Promise<number> {
  const program = `const { lockFolder } = await import(${JSON.stringify(LOCK)})
    lockFolder(${JSON.stringify(folder.dir)}); console.log('locked'); setInterval(() => {}, 1000)`
  other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (other.stdout) await once(other.stdout, 'data')
  return other.pid ?? 0
}

async function kill(): Promise<void> {
  const child = other
  other = null
  if (!child) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const lock = () => lockFolder(folder.dir)

describe.each([
  ['flock', () => {}],
  ['a file with a pid', () => void (process.env['PATH'] = withoutFlock())],
])('with %s', (_, prepare) => {
  beforeEach(() => prepare())

  test('another process is refused, by pid; and is free right after kill -9', async () => {
    const pid = await lockElsewhere()
    expect(lock).toThrow(StoreLocked)
    expect(lock).toThrow(`in use by process ${pid}`)
    await kill()
    lock()()
  })

  test('the same process is refused too, until it lets go', () => {
    const unlock = lock()
    expect(lock).toThrow(`in use by process ${process.pid}`)
    unlock()
    lock()()
  })

  test('the file is its owner alone to read', () => {
    const unlock = lock()
    expect(statSync(join(folder.dir, 'LOCK')).mode & 0o777).toBe(0o600)
    unlock()
  })

  test('what stands in the file of a process that is gone does not matter', () => {
    for (const left of ['', 'garbage', '999999999\n', `999999999\nsome time\n`, `${process.pid}\nanother time\n`]) {
      writeFileSync(join(folder.dir, 'LOCK'), left)
      lock()()
    }
  })
})

test('without flock a later process of the same pid is not taken for the one that had the lock', () => {
  process.env['PATH'] = withoutFlock()
  const unlock = lock()
  const mine = readFileSync(join(folder.dir, 'LOCK'), 'utf8')
  unlock()
  writeFileSync(join(folder.dir, 'LOCK'), mine)
  expect(lock).toThrow(StoreLocked)
  writeFileSync(join(folder.dir, 'LOCK'), mine.replace(/\d+\n$/, '1\n'))
  lock()()
})

test('without flock and a start to tell by, the pid must do', () => {
  process.env['PATH'] = withoutFlock()
  writeFileSync(join(folder.dir, 'LOCK'), `${process.ppid}\n\n`)
  expect(lock).toThrow(`in use by process ${process.ppid}`)
  writeFileSync(join(folder.dir, 'LOCK'), `${process.pid}\n\n`)
  lock()()
})

/** A PATH in which there is nothing. */
function withoutFlock(): string {
  const empty = join(folder.dir, 'empty')
  mkdirSync(empty, { recursive: true })
  return empty
}
