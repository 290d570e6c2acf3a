import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFolder } from '../../server/channels/system/file.ts'
import { openLogFiles } from '../../server/log/files.ts'
import { shareNew } from '../../server/ground/sharing.ts'
import { testClock } from '../helpers/clock.ts'
import { temporaryFolder } from '../helpers/folder.ts'

/** as the program has it */
const UMASK = 0o077

let umask = 0
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let dir = ''
beforeEach(async () => {
  folder = await temporaryFolder()
  dir = join(folder.dir, 'log')
  mkdirSync(dir)
  umask = process.umask(UMASK)
})
afterEach(() => {
  process.umask(umask)
  return folder.remove()
})

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

function file(name: string): string {
  const path = join(dir, name)
  writeFileSync(path, '')
  return path
}

test.each([
  [0o700, '600'],
  [0o750, '600'],
  [0o755, '600'],
  [0o2700, '600'],
  [0o2710, '600'],
  [0o2750, '640'],
  [0o2755, '640'],
])('in a folder of mode %o a new file has %s', async (mode, expected) => {
  chmodSync(dir, mode)
  const path = file('app.log')
  await shareNew(path)
  expect(modeOf(path)).toBe(expected)
})

test('whoever may read it already still may', async () => {
  chmodSync(dir, 0o2750)
  const path = file('app.log')
  chmodSync(path, 0o664)
  await shareNew(path)
  expect(modeOf(path)).toBe('664')
})

describe('in a folder that was given to its group', () => {
  beforeEach(() => chmodSync(dir, 0o2750))

  test('every file of the log is readable, also before its first line, after it was full, and compressed', async () => {
    const path = join(dir, 'app.log')
    const backups = { count: 0, ageMs: 0, compress: true }
    const unheard = { tell: () => {}, onLost: () => {} }
    const files = openLogFiles({ path, maxBytes: 10, backups, clock: testClock(), ...unheard })
    files.write(30, 'a line of more than ten bytes\n')
    files.write(30, 'another one\n')
    const isPacked = () => readdirSync(dir).some((name) => /^app\.log\..*Z\.gz$/.test(name))
    while (!isPacked()) {
      files.write(30, 'one more line to fill the file\n')
      await new Promise((resolve) => void setImmediate(resolve))
    }
    await files.close()
    // what the end of the program cut short is never read
    const names = readdirSync(dir).filter((name) => !name.endsWith('.part'))
    const modes = names.map((name) => [name, modeOf(join(dir, name))])
    expect(modes.length).toBeGreaterThan(4)
    expect(modes.filter(([, mode]) => mode !== '640')).toEqual([])
  })

  test('a file that was there before keeps its mode', async () => {
    const path = file('app.log')
    writeFileSync(path, 'before\n')
    const unheard = { tell: () => {}, onLost: () => {} }
    const backups = { count: 0, ageMs: 0, compress: false }
    const files = openLogFiles({ path, maxBytes: 1_000, backups, clock: testClock(), ...unheard })
    files.write(30, 'a line\n')
    await files.close()
    expect(modeOf(path)).toBe('600')
  })

  test('a notification is readable', async () => {
    await createFolder().write(dir, 'text', Date.now())
    const [name = ''] = readdirSync(dir)
    expect(modeOf(join(dir, name))).toBe('640')
  })
})
