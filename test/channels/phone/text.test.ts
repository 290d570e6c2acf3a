import { describe, expect, test } from 'vitest'
import { inOneLine, plainOf, withoutAddresses } from '../../../server/channels/phone/text.ts'

describe('Markdown', () => {
  test.each([
    ['# Title\n\n## Part', 'Title\n\nPart'],
    ['**bold** __bold__ *it* _it_ ~~gone~~ `code`', 'bold bold it it gone code'],
    ['这是**重点**和*次要*', '这是重点和次要'],
    ['- a\n* b\n+ c\n> d\n> > e', 'a\nb\nc\nd\ne'],
    ['```sh\nls -l\n```\nend', 'ls -l\nend'],
    ['a\n\n---\n\nb', 'a\n\n\nb'],
    ['|a|b|\n|---|:-:|\n|1|2|', '|a|b|\n|1|2|'],
    ['[Open](https://x.example.com/a) ![graph](https://x.example.com/b.png)', 'Open https://x.example.com/a graph'],
    ['\\*not bold\\* \\__nor\\__', '*not bold* __nor__'],
  ])('%j', (markdown, plain) => {
    expect(plainOf(markdown)).toBe(plain)
  })

  test.each(['snake_case_name', '2 * 3 * 4', 'a - b', 'C:\\dir', 'R&D "100%"', '#5 of 7', '[1] [2]', '5*6*7'])(
    '%j is none',
    (text) => {
      expect(plainOf(text)).toBe(text)
    },
  )
})

describe('addresses', () => {
  test.each([
    ['see https://x.example.com/a?b=c#d now', 'see now'],
    ['请访问https://x.example.com/a查看', '请访问 查看'],
    ['ftp://a.example.com/x', ''],
    ['mail ops@example.com please', 'mail please'],
    ['10.0.0.1 is down', 'is down'],
    ['10.0.0.1:8080/x is down', 'is down'],
    ['ping 10.0.0.1.', 'ping .'],
    ['web1.example.com is down', 'web1 is down'],
    ['服务器web1.example.com宕机', '服务器web1宕机'],
    ['www.example.com', ''],
    ['t.cn/abc', ''],
    ['example.com:8443', ''],
    ['nginx.service failed', 'nginx failed'],
  ])('%j', (text, rest) => {
    expect(inOneLine(withoutAddresses(text))).toBe(rest)
  })

  test.each([
    '85.5% of 3.5GB',
    'at 12:30:45',
    'v1.2.3',
    'CPU/内存',
    '/data has 3 GB left',
    'e.g. this',
    'ratio 1:2',
    'done. Next',
  ])('%j has none', (text) => {
    expect(withoutAddresses(text)).toBe(text)
  })
})

test('one line has no control characters', () => {
  expect(inOneLine(' a\r\n\tb\u0000\u0007c\u2028d ')).toBe('a b c d')
})

test.each(['[', '**', '*a', '_', '`', 'a.', '1.', 'a@', '-', '![', 'a://', '|'])(
  'a long row of %j does not take long',
  (bit) => {
    const text = bit.repeat(65_536 / bit.length)
    const before = process.cpuUsage().user
    withoutAddresses(plainOf(text))
    expect((process.cpuUsage().user - before) / 1000).toBeLessThan(500)
  },
)
