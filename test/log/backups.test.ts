import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { asideName, tidyBackups } from '../../server/log/backups.ts'
import { temporaryFolder } from '../helpers/folder.ts'

const NOW = Date.parse('2026-02-10T00:00:00.000Z')
const DAY_MS = 86_400_000
const ALL = { count: 0, ageMs: 0, compress: false }
const signal = new AbortController().signal

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let path = ''
beforeEach(async () => {
  folder = await temporaryFolder()
  path = join(folder.dir, 'app.log')
})
afterEach(() => folder.remove())

/** A file that was put aside on this day of January. */
function aside(day: number, ending = '', text = `day ${day}\n`): string {
  const name = `app.log.2026-01-${String(day).padStart(2, '0')}T00-00-00.000Z${ending}`
  writeFileSync(join(folder.dir, name), text)
  return name
}

function names(): string[] {
  return readdirSync(folder.dir).toSorted()
}

test('a name says when, and is never one that is taken', async () => {
  const first = await asideName(path, NOW)
  expect(first).toBe(`${path}.2026-02-10T00-00-00.000Z`)
  writeFileSync(first, '')
  writeFileSync(`${path}.2026-02-10T00-00-00.001Z.gz`, '')
  expect(await asideName(path, NOW)).toBe(`${path}.2026-02-10T00-00-00.002Z`)
})

test('more than are kept: the oldest go', async () => {
  aside(3)
  aside(3, '.gz.part')
  const kept = [aside(8), aside(9, '.gz')]
  aside(7, '.gz')
  await tidyBackups(path, { ...ALL, count: 2 }, NOW, signal)
  expect(names()).toEqual(kept)
})

test('older than they are kept: they go by the time in their name', async () => {
  aside(30)
  aside(10)
  const kept = aside(31)
  await tidyBackups(path, { ...ALL, ageMs: 10 * DAY_MS }, NOW, signal)
  expect(names()).toEqual([kept])
})

test('0 keeps any number of any age', async () => {
  const kept = [aside(1), aside(2), aside(3)]
  await tidyBackups(path, ALL, NOW, signal)
  expect(names()).toEqual(kept)
})

test('what is kept is compressed, whole', async () => {
  const text = 'a line\n'.repeat(100_000)
  const name = aside(5, '', text)
  await tidyBackups(path, { ...ALL, compress: true }, NOW, signal)
  expect(names()).toEqual([`${name}.gz`])
  expect(gunzipSync(readFileSync(join(folder.dir, `${name}.gz`))).toString()).toBe(text)
})

test('what a crash left half done is ended', async () => {
  const half = aside(5)
  aside(5, '.gz.part', 'torn')
  const whole = aside(6)
  aside(6, '.gz', 'whole')
  await tidyBackups(path, { ...ALL, compress: true }, NOW, signal)
  expect(names()).toEqual([`${half}.gz`, `${whole}.gz`])
  expect(gunzipSync(readFileSync(join(folder.dir, `${half}.gz`))).toString()).toBe('day 5\n')
  expect(readFileSync(join(folder.dir, `${whole}.gz`), 'utf8')).toBe('whole')
})

test('a stop in the middle loses nothing', async () => {
  const name = aside(5)
  const stop = new AbortController()
  stop.abort()
  await expect(tidyBackups(path, { ...ALL, compress: true }, NOW, stop.signal)).rejects.toThrow('abort')
  expect(existsSync(join(folder.dir, name))).toBe(true)
  expect(names().filter((file) => file.endsWith('.gz'))).toEqual([])
})

test('files of other names are nobody of ours', async () => {
  const others = ['app.log', 'app.log.1', 'app.log.2.gz', 'app.log.2020-01-01', 'other.log.2020-01-01T00-00-00.000Z']
  for (const name of others) writeFileSync(join(folder.dir, name), '')
  mkdirSync(join(folder.dir, 'app.log.2020-01-01T00-00-00.000Z.d'))
  await tidyBackups(path, { count: 1, ageMs: 1, compress: true }, NOW, signal)
  expect(names()).toEqual([...others, 'app.log.2020-01-01T00-00-00.000Z.d'].toSorted())
})
