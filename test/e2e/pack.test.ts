/** What `npm pack` makes, unpacked into an empty folder and installed there, as a user without the sources has it. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startShell } from '../helpers/shell.ts'

const root = join(import.meta.dirname, '../..')
/** Of the hub, and of its clients. */
const settings: NodeJS.ProcessEnv = {
  CARILLON_HTTP__PORT: '0',
  CARILLON_HTTP__HOST: '127.0.0.1',
  CARILLON_TOKEN: undefined,
  CARILLON_URL: undefined,
}
let folder = ''
let installed = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-pack-'))
  installed = join(folder, 'package')
  // built already: this is what is under test
  await sh(`npm pack --ignore-scripts --silent --pack-destination '${folder}'`, root)
  await sh('tar xzf *.tgz', folder)
  // npx remembers folders, and this one will be gone
  settings['npm_config_cache'] = join(folder, 'npm')
  await sh('npm install --omit=dev --prefer-offline --no-audit --no-fund --silent', installed)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

async function sh(command: string, cwd = installed, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd, env: { ...process.env, ...env } })
  return stdout
}

test('npm start runs the hub, npx carillon listens and sends', async () => {
  const hub = startShell('npm start', { cwd: installed, env: settings })
  onTestFinished(() => hub.stop())
  const [, url = ''] = await hub.printed(/"url":"(http:[^"]+)"/)
  const listener = startShell(`npx carillon listen me --once --url ${url}`, { cwd: installed, env: settings })
  onTestFinished(() => listener.stop())
  await listener.printed('listening as me')

  expect(await sh(`npx carillon send me hello --url ${url}`, installed, settings)).toBe('me: ok, delivered\n')
  await listener.printed(/^\d{13} {2}hello$/m)
  expect(await listener.ended).toBe(0)
})

test('the SDK and the server can be imported by their names', async () => {
  const names = `Promise.all(['carillon/sdk', 'carillon'].map((name) => import(name)))
    .then((all) => console.log(all.map((one) => Object.keys(one).join()).join(' ')))`
  const [sdk = '', server = ''] = (await sh(`node --eval "$CODE"`, installed, { CODE: names })).trim().split(' ')
  expect(sdk.split(',')).toEqual(expect.arrayContaining(['connect', 'createSender']))
  expect(server.split(',')).toContain('startServer')
})

test('it holds what runs and what its pages link to, not the tests, the tools and the sources', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.startsWith('node_modules'),
  )
  expect(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([])
  expect(files.filter((name) => /^(test|dist\/test|config\/tools\/(?!build-if))/.test(name))).toEqual([])
  const dead = files
    .filter((name) => name.endsWith('.md'))
    .flatMap((page) => linksIn(page).map((link) => join(dirname(page), link)))
    .filter((target) => !existsSync(join(installed, target)))
  expect(dead).toEqual([])
})

/** Links of a page to other files of the package. */
function linksIn(page: string): string[] {
  const text = readFileSync(join(installed, page), 'utf8')
  return [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, link = '']) => link).filter((link) => !/^\w+:/.test(link))
}
