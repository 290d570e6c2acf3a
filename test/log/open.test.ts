import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configOf } from '../../server/config.ts'
import { openLog, type OpenLog } from '../../server/log/open.ts'
import { testClock } from '../helpers/clock.ts'
import { temporaryFolder } from '../helpers/folder.ts'

const NOW = Date.parse('2026-01-11T00:00:00.000Z')
const TOKEN = 'a-token-of-16-characters-or-more'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let printed = ''
let opened: OpenLog[] = []
beforeEach(async () => {
  folder = await temporaryFolder()
  printed = ''
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map(({ close }) => close()))
  await folder.remove()
})

type LogKeys = NonNullable<Parameters<typeof configOf>[0]['log']>

/** As the section `log` of a config says, its files in the folder of the test. */
async function open(keys: LogKeys = {}): Promise<OpenLog> {
  const config = await configOf({ token: TOKEN, log: { file_path: join(folder.dir, 'log/app.log'), ...keys } })
  const stdout = { write: (line: string) => void (printed += line) }
  const made = openLog(config.log, { clock: testClock(NOW), stdout })
  opened.push(made)
  return made
}

/** Empty while there is no such file. */
function read(name: string): string {
  try {
    return readFileSync(join(folder.dir, 'log', name), 'utf8')
  } catch {
    return ''
  }
}

/** Files that stand aside. */
function aside(): string[] {
  return readdirSync(join(folder.dir, 'log')).filter((name) => name.startsWith('app.log.'))
}

/** The disk works in its own time. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => void setImmediate(resolve))
}

/** Logs one attempt that went well and one that did not, and closes. */
async function attempts({ log, close }: OpenLog): Promise<void> {
  log.debug('unseen')
  log.info({ platform: 'feishu', recipient: 'ops_alert' }, '消息推送成功')
  log.error({ platform: 'dingtalk', error: 'webhook地址无效' }, '消息推送失败')
  await close()
}

test('stdout, unless told: no file', async () => {
  await attempts(await open())
  expect(printed.trimEnd().split('\n')).toHaveLength(2)
  expect(existsSync(join(folder.dir, 'log'))).toBe(false)
})

test('file: the documented lines, and what greps for errors finds them', async () => {
  await attempts(await open({ output: 'file' }))
  expect(printed).toBe('')
  expect(readdirSync(join(folder.dir, 'log')).toSorted()).toEqual(['app.log', 'debug.log', 'error.log', 'info.log'])
  const [success = '', failure = ''] = read('app.log').split('\n')
  expect(JSON.parse(success)).toEqual({
    level: 'info',
    msg: '消息推送成功',
    platform: 'feishu',
    recipient: 'ops_alert',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  })
  expect(failure).toContain('"level":"error"')
  expect(read('error.log')).toBe(`${failure}\n`)
  expect(read('info.log')).toBe(`${success}\n`)
  expect(read('debug.log')).toBe('')
})

test('both: the same lines in both', async () => {
  await attempts(await open({ output: 'both' }))
  expect(printed).not.toBe('')
  expect(read('app.log')).toBe(printed)
})

test('level: debug lines have a file of their own', async () => {
  await attempts(await open({ output: 'file', level: 'debug' }))
  expect(read('debug.log')).toContain('"msg":"unseen"')
  expect(read('app.log')).toContain('"msg":"unseen"')
  expect(read('info.log')).not.toContain('unseen')
})

test('format: text, wherever it goes', async () => {
  await attempts(await open({ output: 'both', format: 'text' }))
  expect(printed).toMatch(/^time=\S+ level=info msg=消息推送成功 platform=feishu recipient=ops_alert\n/)
  expect(read('app.log')).toBe(printed)
  expect(read('error.log')).toMatch(/^time=\S+ level=error msg=消息推送失败 platform=dingtalk error=webhook地址无效\n$/)
})

test.each(['json', 'text'] as const)('secrets are in no output of %s', async (format) => {
  const { log, close } = await open({ output: 'both', format })
  const secrets = { token: 'S3CRET', password: 'S3CRET', authorization: 'S3CRET' }
  log.error({ ...secrets, endpoint: { ...secrets, url: 'https://S3CRET' } }, 'with secrets')
  log.child(secrets).info({ secret: 'S3CRET' }, 'of a child')
  await close()
  for (const text of [printed, read('app.log'), read('error.log'), read('info.log')]) {
    expect(text).not.toContain('S3CRET')
    expect(text).toContain('[secret]')
  }
})

test('a fatal line is in the files at once', async () => {
  const { log } = await open({ output: 'file' })
  log.fatal('the end')
  expect(read('error.log')).toContain('the end')
})

test('what waits is written when the process ends without a word', async () => {
  const before = new Set(process.listeners('exit'))
  const { log } = await open({ output: 'file' })
  const atExit = process.listeners('exit').filter((listener) => !before.has(listener))
  log.info('the last words')
  for (const listener of atExit) listener(1)
  expect(read('app.log')).toContain('the last words')
})

test('max_size and max_backups: full files, and how many of them', async () => {
  const { log } = await open({ output: 'file', max_size: 0.0001, max_backups: 1, compress: false })
  for (const word of ['one', 'two', 'three']) {
    log.warn({ filling: 'x'.repeat(120) }, word)
    await until(() => read('app.log').includes(word))
  }
  await until(() => aside().length === 1)
  expect(read(aside()[0] ?? '')).toContain('two')
})

const OLD = 'app.log.2026-01-01T00-00-00.000Z'
test.each([
  [{ max_age: 9 }, []],
  [{ max_age: 11 }, [`${OLD}.gz`]],
  [{ max_age: 0 }, [`${OLD}.gz`]],
  [{ max_age: 11, compress: false }, [OLD]],
])('%j: what becomes of a file of ten days ago is %j', async (keys, left) => {
  mkdirSync(join(folder.dir, 'log'))
  for (const name of [OLD, 'app.log.2020-01-01T00-00-00.000Z.gz.part']) writeFileSync(join(folder.dir, 'log', name), '')
  await open({ output: 'file', ...keys })
  await until(() => aside().join() === left.join())
})

test('reopen: after a rename', async () => {
  const { log, reopen, close } = await open({ output: 'file' })
  renameSync(join(folder.dir, 'log/app.log'), join(folder.dir, 'log/app.log.1'))
  reopen()
  log.info('after')
  await close()
  expect(read('app.log')).toContain('after')
  expect(read('app.log.1')).toBe('')
})
