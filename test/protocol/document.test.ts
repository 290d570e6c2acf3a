import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { closeCodes, errors } from '../../server/protocol/errors.ts'
import { handlers } from '../../server/ws/packets.ts'

const text = readFileSync(new URL('../../server/protocol/PROTOCOL.md', import.meta.url), 'utf8')
const rowsOf = (heading: string) =>
  (text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
    .map((line) =>
      line
        .replaceAll('\\_', '_')
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

test('the error table is that of the code', () => {
  expect(rowsOf('Errors')).toEqual(
    Object.entries(errors).map(([name, { status, text }]) => [String(status), name, text]),
  )
})

test('every close code is explained', () => {
  const explained = rowsOf('Close codes').flatMap(([codes = '']) => codes.split(', ').map(Number))
  expect(explained).toEqual(expect.arrayContaining(Object.values(closeCodes)))
})

test('every packet has its heading', () => {
  const headings = text
    .split('\n')
    .filter((line) => line.startsWith('### '))
    .join(' ')
    .match(/[A-Z_]{4,}/g)
  for (const cmd of [...handlers.keys(), 'MESSAGE_REPLY', 'INFO', 'PONG', 'CLEAR', 'TEST_HTTP'])
    expect(headings).toContain(cmd)
})
