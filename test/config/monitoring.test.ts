/** The pages about monitoring say what is so: every metric, every fault, every alert, in both languages. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { FAULTS } from '../../server/http/health.ts'
import { metrics } from '../../server/http/metrics/table.ts'

const config = join(import.meta.dirname, '../../config')
const read = (name: string) => readFileSync(join(config, name), 'utf8')
const english = read('monitoring.md')
const chinese = read('monitoring.zh-CN.md')
const alerts = z
  .object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string() })) })) })
  .parse(parse(read('deploy/alerts.yml')))
  .groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))

/** The cells of each row that begins with a name in backticks: `{name: [cell, …]}`. */
function rowsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const rows = [...text.matchAll(/^\| `([^`]+)` *\|(.*)\|$/gm)]
  return new Map(rows.map(([, name = '', rest = '']) => [name, rest.split('|').map((cell) => cell.trim())]))
}

function fencesOf(text: string): readonly { readonly kind: string; readonly code: string }[] {
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, kind = '', code = '']) => ({ kind, code }))
}

describe.each([
  ['English', english, 0],
  ['Chinese', chinese, 1],
])('the page in %s', (_, text, language) => {
  const rows = rowsOf(text)

  test('has every metric with its type, labels and meaning, in their order, and no other', () => {
    const expected = metrics.map(({ name, type, labels, help }) => [
      name,
      [type, labels.map((label) => `\`${label}\``).join(', '), help[language]],
    ])
    expect([...rows].filter(([name]) => /^(carillon|process|nodejs)_/.test(name))).toEqual(expected)
  })

  test('has every fault and every alert', () => {
    for (const name of [...FAULTS, ...alerts])
      expect(
        rows.get(name)?.every((cell) => cell !== ''),
        name,
      ).toBe(true)
    expect([...rows.keys()].filter((name) => name.startsWith('Carillon'))).toEqual(alerts)
  })
})

test('both have the same commands and configs', () => {
  expect(fencesOf(chinese)).toEqual(fencesOf(english))
})

test('how Prometheus asks is as in the file', () => {
  const shown = fencesOf(english).filter(({ kind, code }) => kind === 'yaml' && code.includes('scrape_configs'))
  expect(shown.map(({ code }) => parse(code))).toEqual([parse(read('deploy/prometheus.yml'))])
})
