/** The SDK as it is shipped: the compiled files. Needs `npm run build`. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '../../../dist/clients/sdk')
const MAX_GZIP_BYTES = 7 * 1024

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.js'))
  .map((name) => ({ name, code: readFileSync(join(folder, name), 'utf8') }))

test('imports nothing but its own files, so that a browser can load it as it is', () => {
  const names = new Set(files.map(({ name }) => `./${name}`))
  const imported = files.flatMap(({ code }) =>
    [...code.matchAll(/^(?:import|export) (?:.* from )?['"](.+)['"]|\bimport\s*\((.*)/gm)].map(
      ([, from, dynamic]) => from ?? dynamic ?? '',
    ),
  )
  expect(imported.length).toBeGreaterThan(10)
  expect(imported.filter((from) => !names.has(from))).toEqual([])
  expect(files.filter(({ code }) => /\b(require|process|Buffer)\b[.(]/.test(code)).map(({ name }) => name)).toEqual([])
})

test(`is no more than ${MAX_GZIP_BYTES} bytes of code, as it is and compressed`, () => {
  const code = files.map(({ code }) => code.replaceAll(/\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')).join('')
  const [bytes, whole] = [code, files.map(({ code }) => code).join('')].map(
    (text) => gzipSync(text, { level: 9 }).length,
  )
  process.stdout.write(`carillon/sdk: ${bytes} bytes of code by gzip, ${whole} with its comments\n`)
  expect(bytes).toBeLessThanOrEqual(MAX_GZIP_BYTES)
})
