/** Writes what is generated from the schema and the channels; with `--check` only says whether it is fresh. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadChannels } from '../../server/channels/index.ts'
import { pagesOf, staleIn } from './pages.ts'

const folder = join(import.meta.dirname, '..')
const pages = pagesOf(await loadChannels())
const { changed, extra } = staleIn(folder, pages)

if (process.argv.includes('--check')) check()
else write()

function write(): void {
  for (const name of extra) rmSync(join(folder, name))
  for (const name of changed) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), pages.get(name) ?? '')
  }
}

function check(): void {
  const stale = [...changed, ...extra.map((name) => `${name} (of no channel)`)]
  if (stale.length === 0) return
  process.stderr.write(`stale: ${stale.map((name) => `config/${name}`).join(', ')}; run npm run docs\n`)
  process.exit(1)
}
