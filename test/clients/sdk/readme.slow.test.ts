/** What the SDK's page shows, run as in a project that has installed the package. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { startHub, TOKEN } from '../../helpers/hub.ts'
import { type Background, startShell } from '../../helpers/shell.ts'

const root = join(import.meta.dirname, '../../..')
const blocksOf = (page: string) =>
  [...readFileSync(join(root, 'clients/sdk', page), 'utf8').matchAll(/```js\n(.*?)```/gs)].map(([, code = '']) => code)
const [receive = '', send = '', fail = '', browser = ''] = blocksOf('README.md')

let project = ''
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'carillon-project-'))
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules/carillon'))
  symlinkSync(join(root, 'node_modules/ws'), join(project, 'node_modules/ws'))
  return () => rmSync(project, { recursive: true })
})

function run(name: string, code: string, url: string): Background {
  writeFileSync(join(project, `${name}.mjs`), code.replaceAll('http://127.0.0.1:9093', url))
  const running = startShell(`exec node ${name}.mjs`, { cwd: project, env: { CARILLON_TOKEN: TOKEN } })
  onTestFinished(() => running.stop('SIGKILL'))
  return running
}

test('receiving, sending and failing do what the page says', async () => {
  const hub = await startHub({ config: { http: { verifyToken: true } } })
  const receiver = run('receive', receive, hub.url)
  await expect.poll(async () => (await hub.get('/health')).json, { timeout: 20_000 }).toMatchObject({ sessions: 1 })

  const sender = run('send', send, hub.url)
  expect(await sender.ended).toBe(0)
  expect(sender.output()).toMatch(/^\d{13} \{ me: 'ok' \}\n$/)
  await receiver.printed('dinner at seven\n')

  const refused = run('fail', fail, hub.url)
  expect(await refused.ended).toBe(0)
  expect(refused.output()).toContain("code: 'need-token'")
  expect(refused.output()).toContain('status: 401')
})

test('the code for a page is well formed, and both languages have the same', async () => {
  writeFileSync(join(project, 'browser.mjs'), browser)
  const check = startShell('exec node --check browser.mjs', { cwd: project })
  expect([await check.ended, check.output()]).toEqual([0, ''])
  const plain = (code: string) => code.replaceAll(/\/\/.*/g, '')
  expect(blocksOf('README.zh-CN.md').map(plain)).toEqual(blocksOf('README.md').map(plain))
})
