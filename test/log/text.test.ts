import { expect, test } from 'vitest'
import { textOf } from '../../server/log/text.ts'

const TIME = '2026-01-31T08:00:00.000Z'

function shown(fields: Record<string, unknown>): string {
  return textOf(`${JSON.stringify({ level: 'info', time: TIME, ...fields })}\n`)
}

test('time, level and message come first, then every field', () => {
  expect(shown({ platform: 'feishu', mid: '1800000000000', ms: 12, name: null, msg: '消息推送成功' })).toBe(
    `time=${TIME} level=info msg=消息推送成功 platform=feishu mid=1800000000000 ms=12 name=null\n`,
  )
})

test.each([
  ['two words', 'a="two words"'],
  ['', 'a=""'],
  ['x="y"', 'a="x=\\"y\\""'],
  ['a\nlevel=error msg=forged', 'a="a\\nlevel=error msg=forged"'],
  ['\u001b[2J\u009b\u2028\u202e', 'a="\\u001b[2J\\u009b\\u2028\\u202e"'],
  ['\u{e0001}', 'a="\\udb40\\udc01"'],
])('%j stays one field of one line', (a, expected) => {
  const line = shown({ msg: 'm', a })
  expect(line).toBe(`time=${TIME} level=info msg=m ${expected}\n`)
  expect(JSON.parse(expected.slice(2).startsWith('"') ? expected.slice(2) : '""')).toBe(a)
})

test('what is nested gets dotted keys, lists are JSON, keys are quoted where they must be', () => {
  expect(shown({ err: { type: 'Error', code: { a: 1 } }, to: ['a', 'b c'], 'k =': true })).toBe(
    `time=${TIME} level=info err.type=Error err.code.a=1 to="[\\"a\\",\\"b c\\"]" "k ="=true\n`,
  )
})
