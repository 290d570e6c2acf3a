import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { codeOf, createFolder } from '../../../server/channels/system/file.ts'
import { temporaryFolder } from '../../helpers/folder.ts'

/** In the zone of this machine, wherever it stands. */
const NOW = new Date(2024, 0, 1, 9, 5, 7).getTime()
const NAME = 'system_notify_20240101_090507'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

test('the folder is made, the name has the time', async () => {
  const dir = join(folder.dir, 'a/notifications/')
  await createFolder().write(dir, 'text\n', NOW)
  expect(readdirSync(dir)).toEqual([`${NAME}.txt`])
  expect(readFileSync(join(dir, `${NAME}.txt`), 'utf8')).toBe('text\n')
})

test('none is written over another, of this hub or an earlier one', async () => {
  for (const name of [NAME, `${NAME}_3`]) writeFileSync(join(folder.dir, `${name}.txt`), 'earlier')
  const { write } = createFolder()
  await Promise.all(['one', 'two', 'three'].map((text) => write(folder.dir, text, NOW)))
  await createFolder().write(folder.dir, 'four', NOW)
  await write(folder.dir, 'next', NOW + 1_000)

  const names = readdirSync(folder.dir).toSorted()
  expect(names).toEqual(
    [NAME, `${NAME}_2`, `${NAME}_3`, `${NAME}_4`, `${NAME}_5`, `${NAME}_6`, 'system_notify_20240101_090508'].map(
      (name) => `${name}.txt`,
    ),
  )
  const texts = names.map((name) => readFileSync(join(folder.dir, name), 'utf8'))
  expect(texts.toSorted()).toEqual(['earlier', 'earlier', 'four', 'next', 'one', 'three', 'two'])
})

test('a link that somebody laid there is not followed', async () => {
  symlinkSync(join(folder.dir, 'elsewhere'), join(folder.dir, `${NAME}.txt`))
  await createFolder().write(folder.dir, 'text', NOW)
  expect(existsSync(join(folder.dir, 'elsewhere'))).toBe(false)
  expect(readFileSync(join(folder.dir, `${NAME}_2.txt`), 'utf8')).toBe('text')
})

test('a folder that is a file: the code of the disk', async () => {
  writeFileSync(join(folder.dir, 'file'), '')
  const error: unknown = await createFolder()
    .write(join(folder.dir, 'file'), 'text', NOW)
    .catch((thrown: unknown) => thrown)
  expect(codeOf(error)).toBe('EEXIST')
  expect(codeOf('no error')).toBe('unknown error')
})
