import { expect, test } from 'vitest'
import { printable } from '../../server/cli/output.ts'

test.each([
  ['no\r\n\u001B[2Jway\u2028\u009B1m', 'no [2Jway 1m'],
  ['日志 👩‍💻 é', '日志 👩‍💻 é'],
])('%j is one line without anything that a terminal obeys', (text, line) => {
  expect(printable(text)).toBe(line)
})
