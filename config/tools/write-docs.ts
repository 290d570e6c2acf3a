/** Writes what is generated from the schema; with `--check` only says whether it is fresh. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadChannels } from '../../server/channels/index.ts'
import { keysOf } from '../../server/config/keys.ts'
import { configSchema } from '../../server/config/schema.ts'
import { exampleOf } from './example.ts'
import { referenceOf } from './reference.ts'

const folder = join(import.meta.dirname, '..')
const keys = keysOf(configSchema(await loadChannels()))
const pages = new Map([
  ['README.md', referenceOf(keys)],
  ['config.example.yaml', exampleOf(keys)],
])

if (process.argv.includes('--check')) check()
else for (const [name, text] of pages) writeFileSync(join(folder, name), text)

function check(): void {
  const stale = [...pages].filter(([name, text]) => readIfThere(join(folder, name)) !== text)
  if (stale.length === 0) return
  process.stderr.write(`stale: ${stale.map(([name]) => `config/${name}`).join(', ')}; run npm run docs\n`)
  process.exit(1)
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
