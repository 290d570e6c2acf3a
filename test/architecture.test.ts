/** The plan of the house as a table: who may import whom. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const MAX_LINES = 300

/** Each room with the rooms that it may import from; its own files are always allowed. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  protocol: [],
  store: ['ground', 'protocol'],
  directory: ['ground', 'protocol', 'store'],
  channels: ['ground', 'protocol'],
  hub: ['ground', 'protocol', 'store', 'directory', 'channels'],
  http: ['ground', 'protocol', 'store', 'directory', 'hub'],
  ws: ['ground', 'protocol', 'store', 'directory', 'hub'],
  smtp: ['ground', 'protocol', 'store', 'directory', 'hub'],
  config: ['ground', 'protocol', 'directory', 'channels'],
  cli: ['ground', 'protocol', 'store', 'channels', 'config'],
  log: ['ground', 'config'],
  ports: ['ground'],
  wiring: [
    'ground',
    'protocol',
    'store',
    'directory',
    'channels',
    'hub',
    'http',
    'ws',
    'smtp',
    'config',
    'cli',
    'log',
    'ports',
  ],
  clients: ['protocol'],
  commands: ['clients', 'cli', 'wiring'],
}

/** Files that stand in no folder of their own. */
const roomsOfFiles: Readonly<Record<string, string>> = {
  'server/config.ts': 'config',
}

/** Rooms that also run in browsers, and the only packages they may use. */
const packagesOf: Readonly<Record<string, readonly string[]>> = { protocol: ['zod'] }

function roomOf(path: string): string {
  const [top = '', folder = ''] = path.split('/')
  if (top === 'clients') return folder === 'cli' ? 'commands' : 'clients'
  return roomsOfFiles[path] ?? (folder.endsWith('.ts') ? 'wiring' : folder)
}

/** One line for each import that the table does not allow. */
function violations(path: string, source: string): string[] {
  const room = roomOf(path)
  const allowed = mayImport[room]
  if (!allowed) return [`${path} is in no room of the table`]
  return importsOf(source).flatMap((target) => {
    if (!target.startsWith('.')) {
      const packages = packagesOf[room]
      return packages && !packages.includes(target) ? [`${path} (${room}) imports the package ${target}`] : []
    }
    const other = roomOf(normalize(join(dirname(path), target)))
    return other === room || allowed.includes(other) ? [] : [`${path} (${room}) imports ${target} (${other})`]
  })
}

function importsOf(source: string): string[] {
  const found = source.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\s*\(?\s*['"]([^'"]+)['"]/g,
  )
  return [...found].map(([, from, bare]) => from ?? bare ?? '')
}

function filesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|js)$/.test(file))
    .map((file) => join(folder, file))
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

describe('who may import whom', () => {
  const files = [...filesIn('server'), ...filesIn('clients')]

  test('every file keeps to the table', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(files.flatMap((path) => violations(path, read(path)))).toEqual([])
  })

  test.each([
    ['a door that imports a door', 'server/ws/x.ts', `import { a } from '../http/door.ts'`],
    ['a type counts too', 'server/ws/x.ts', `import type { A } from '../http/door.ts'`],
    ['a channel that imports the hub', 'server/channels/x.ts', `import { a } from '../hub/hub.ts'`],
    [
      'the store that imports a door, over several lines',
      'server/store/x.ts',
      `import {\n  a,\n  b,\n} from '../ws/server.ts'`,
    ],
    ['a client that imports the directory', 'clients/sdk/x.ts', `import { a } from '../../server/directory/access.ts'`],
    ['the SDK that imports the command line', 'clients/sdk/x.ts', `import { a } from '../cli/carillon.ts'`],
    ['the command line that imports a door', 'clients/cli/x.ts', `import { a } from '../../server/http/door.ts'`],
    ['the hub that imports the config', 'server/hub/x.ts', `export { a } from '../config.ts'`],
    ['the hub that imports the wiring', 'server/hub/x.ts', `const a = await import('../server.ts')`],
    ['the protocol that imports a package', 'server/protocol/x.ts', `import { readFileSync } from 'node:fs'`],
    ['a bare import', 'server/store/x.ts', `import '../hub/hub.ts'`],
    ['a new folder without a rule', 'server/manager/x.ts', ''],
  ])('%s is found', (_, path, source) => {
    expect(violations(path, source)).toHaveLength(1)
  })

  test.each([
    ['server/hub/x.ts', `import { a } from '../store/store.ts'`],
    ['server/protocol/x.ts', `import * as z from 'zod'`],
    ['clients/cli/x.ts', `import { a } from '../../server/serve.ts'\nimport { b } from '../sdk/index.ts'`],
    ['clients/sdk/x.ts', `import type { A } from '../../server/protocol/packets.ts'`],
  ])('%s may: %s', (path, source) => {
    expect(violations(path, source)).toEqual([])
  })
})

test(`no file is longer than ${MAX_LINES} lines`, () => {
  const files = ['server', 'clients', 'test', 'config/tools'].flatMap(filesIn)
  const tooLong = files.filter((path) => read(path).split('\n').length - 1 > MAX_LINES)
  expect(tooLong).toEqual([])
})

test('every channel and what channels share has a test', () => {
  const without = filesIn('server/channels')
    .map((path) => path.slice('server/channels/'.length, -'.ts'.length))
    .filter((name) => !['channel', 'reach', 'index'].includes(name))
    .filter((name) => !existsSync(join(root, `test/channels/${name}.test.ts`)))
  expect(without).toEqual([])
})
