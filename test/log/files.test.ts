import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LogFiles, type LogFilesOptions, openLogFiles } from '../../server/log/files.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { temporaryFolder } from '../helpers/folder.ts'

const INFO = 30
const WARN = 40
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const KEEP_ALL = { count: 0, ageMs: 0, compress: false }

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let clock: TestClock
let told: string[] = []
let lost: [string, number][] = []
let opened: LogFiles[] = []
beforeEach(async () => {
  folder = await temporaryFolder()
  clock = testClock(Date.parse('2026-01-31T08:00:00.000Z'))
  told = []
  lost = []
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((files) => files.close()))
  await folder.remove()
})

function at(name: string): string {
  return join(folder.dir, name)
}

function open(options: Partial<LogFilesOptions> = {}): LogFiles {
  const files = openLogFiles({
    path: at('app.log'),
    maxBytes: 1_000_000,
    backups: KEEP_ALL,
    clock,
    tell: (text) => void told.push(text),
    onLost: (path, lines) => void lost.push([path, lines]),
    ...options,
  })
  opened.push(files)
  return files
}

/** Empty while there is no such file. */
function read(name: string): string {
  try {
    return readFileSync(at(name), 'utf8')
  } catch {
    return ''
  }
}

/** Files that stand aside. */
function aside(): string[] {
  return readdirSync(folder.dir)
    .filter((name) => name.startsWith('app.log.'))
    .toSorted()
}

/** The disk works in its own time. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => void setImmediate(resolve))
}

async function written(files: LogFiles, line: string, level = INFO): Promise<void> {
  files.write(level, line)
  await until(() => read('app.log').endsWith(line))
}

test('the whole log, and beside it errors, infos and debug lines alone', async () => {
  const files = open()
  for (const [level, word] of [
    [10, 'trace'],
    [20, 'debug'],
    [30, 'info'],
    [40, 'warn'],
    [50, 'error'],
    [60, 'fatal'],
  ] as const)
    files.write(level, `${word}\n`)
  await files.close()

  expect(read('app.log')).toBe('trace\ndebug\ninfo\nwarn\nerror\nfatal\n')
  expect(read('error.log')).toBe('error\nfatal\n')
  expect(read('info.log')).toBe('info\n')
  expect(read('debug.log')).toBe('debug\n')
})

test('lines keep their order and go behind what is there', async () => {
  writeFileSync(at('app.log'), 'before\n')
  const files = open()
  const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n} 消息\n`)
  for (const [n, line] of lines.entries()) {
    files.write(INFO, line)
    if (n % 1_000 === 0) await new Promise((resolve) => void setImmediate(resolve))
  }
  await files.close()
  expect(read('app.log')).toBe(`before\n${lines.join('')}`)
})

test('what waits is written at once when the process ends', () => {
  const files = open()
  files.write(50, 'the last words\n')
  files.flushSync()
  expect(read('app.log')).toBe('the last words\n')
  expect(read('error.log')).toBe('the last words\n')
})

describe('somebody else rotates', () => {
  test.each([
    ['renamed', () => renameSync(at('app.log'), at('app.log.1')), 'before\n'],
    [
      'renamed and made anew',
      () => {
        renameSync(at('app.log'), at('app.log.1'))
        writeFileSync(at('app.log'), '')
      },
      'before\n',
    ],
    ['removed', () => unlinkSync(at('app.log')), ''],
    ['removed with its folder', () => rmSync(folder.dir, { recursive: true }), ''],
  ])('a file that was %s is written anew within a second', async (_, rotate, old) => {
    const files = open()
    await written(files, 'before\n')
    rotate()
    await clock.advance(999)
    await written(files, 'after\n')
    expect(read('app.log')).toBe('after\n')
    expect(read('app.log.1')).toBe(old)
  })

  test('a signal opens the files at once, with nothing to write', async () => {
    const files = open()
    await written(files, 'before\n')
    for (const name of ['app.log', 'info.log']) renameSync(at(name), at(`${name}.1`))
    files.reopen()
    await until(() => existsSync(at('app.log')) && existsSync(at('info.log')))
    await written(files, 'after\n')
    expect(read('app.log.1')).toBe('before\n')
  })

  test('a file that was emptied is not taken for full', async () => {
    const files = open({ maxBytes: 10 })
    await written(files, 'ten bytes and more\n')
    truncateSync(at('app.log'), 0)
    await clock.advance(999)
    await written(files, 'after\n')
    expect(read('app.log')).toBe('after\n')
    expect(aside()).toEqual([])
  })
})

describe('a full file', () => {
  test('is put aside under its time', async () => {
    const files = open({ maxBytes: 10 })
    await written(files, 'ten bytes and more\n')
    await written(files, 'next\n')
    expect(aside()).toEqual(['app.log.2026-01-31T08-00-00.000Z'])
    expect(read('app.log.2026-01-31T08-00-00.000Z')).toBe('ten bytes and more\n')
    expect(read('app.log')).toBe('next\n')
  })

  test('of an earlier run counts', async () => {
    writeFileSync(at('app.log'), 'ten bytes and more\n')
    await written(open({ maxBytes: 10 }), 'next\n')
    expect(read('app.log')).toBe('next\n')
  })

  test('is compressed, and only so many are kept', async () => {
    const files = open({ maxBytes: 1, backups: { count: 2, ageMs: 0, compress: true } })
    for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) {
      await written(files, line)
      clock.jump(1_000)
    }
    const expected = ['app.log.2026-01-31T08-00-02.000Z.gz', 'app.log.2026-01-31T08-00-03.000Z.gz']
    await until(() => aside().join() === expected.join())
    expect(gunzipSync(readFileSync(at(expected[0] ?? ''))).toString()).toBe('two\n')
    expect(read('app.log')).toBe('four\n')
  })

  test('that grew old is dropped within an hour', async () => {
    const files = open({ maxBytes: 10, backups: { ...KEEP_ALL, ageMs: DAY_MS } })
    await written(files, 'ten bytes and more\n')
    await written(files, 'next\n')
    await clock.advance(DAY_MS)
    expect(aside()).toHaveLength(1)
    await clock.advance(HOUR_MS)
    await until(() => aside().length === 0)
  })

  test('that cannot be renamed grows on, and the operator is told once', async () => {
    // a name that bears no time behind it
    const name = `${'n'.repeat(240)}.log`
    const files = open({ path: at(name), maxBytes: 1 })
    for (const line of ['one\n', 'two\n', 'three\n']) {
      files.write(WARN, line)
      await until(() => read(name).endsWith(line))
    }
    await files.close()
    expect(read(name)).toBe('one\ntwo\nthree\n')
    expect(told).toEqual([`${at(name)} is full and cannot be renamed (ENAMETOOLONG): it grows on`])
  })
})

describe('a disk that takes nothing', () => {
  /** Beside the timer for old files stands one for the next try. */
  const isToBeTriedAgain = () => clock.pending === 2

  test('is told of once, and nothing is lost that fits in memory', async () => {
    symlinkSync('/dev/full', at('app.log'))
    const files = open()
    files.write(50, 'one\n')
    await until(isToBeTriedAgain)
    files.write(50, 'two\n')
    await clock.advance(1_000)
    await until(() => isToBeTriedAgain() && read('error.log') === 'one\ntwo\n')
    unlinkSync(at('app.log'))
    await clock.advance(1_000)
    await until(() => read('app.log') === 'one\ntwo\n')
    expect(told).toEqual([`${at('app.log')} cannot be written (ENOSPC): its lines wait in memory for a while`])
    expect(lost).toEqual([])

    unlinkSync(at('app.log'))
    symlinkSync('/dev/full', at('app.log'))
    await clock.advance(1_000)
    files.write(50, 'three\n')
    await until(() => told.length > 1)
  })

  test('costs what does not fit, and says how much', async () => {
    symlinkSync('/dev/full', at('app.log'))
    const files = open({ maxBytes: 100_000_000 })
    const mebibyte = `${'x'.repeat(1_048_575)}\n`
    files.write(WARN, 'first\n')
    await until(() => told.length > 0)
    for (let n = 0; n < 10; n += 1) files.write(WARN, mebibyte)

    unlinkSync(at('app.log'))
    await clock.advance(1_000)
    await until(() => lost.length > 0)
    expect(lost).toEqual([[at('app.log'), 5]])
    await written(files, 'and on\n')
    expect(read('app.log').length).toBe('first\n'.length + 5 * mebibyte.length + 'and on\n'.length)
  })

  test('is tried once more at the end', async () => {
    symlinkSync('/dev/full', at('app.log'))
    const files = open()
    files.write(WARN, 'one\n')
    await until(isToBeTriedAgain)
    unlinkSync(at('app.log'))
    await clock.advance(999)
    await files.close()
    expect(read('app.log')).toBe('one\n')
  })

  test('does not hold up the end', async () => {
    symlinkSync('/dev/full', at('app.log'))
    const files = open()
    files.write(INFO, 'one\n')
    await files.close()
    files.flushSync()
    expect(read('info.log')).toBe('one\n')
    expect(clock.pending).toBe(0)
  })
})

describe('what cannot be written at the start', () => {
  test.each([
    ['a folder that is a file', () => appendFileSync(at('log'), ''), 'log/app.log', 'ENOTDIR|EEXIST'],
    ['a file that is a folder', () => mkdirSync(at('app.log')), 'app.log', 'EISDIR'],
    ['also beside it', () => mkdirSync(at('error.log')), 'error.log', 'EISDIR'],
  ])('%s', (_, arrange, name, code) => {
    arrange()
    const start = () => open({ path: at(name === 'error.log' ? 'app.log' : name) })
    expect(start).toThrow(new RegExp(`${name} cannot be written \\((${code})\\): change log.file_path`))
    expect(clock.pending).toBe(0)
  })
})
