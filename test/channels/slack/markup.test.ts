import { describe, expect, test } from 'vitest'
import { escaped, linked, mrkdwn } from '../../../server/channels/slack/markup.ts'

describe('Markdown becomes mrkdwn', () => {
  test.each([
    ['**b** *i* ~~s~~ `c`', '*b* _i_ ~s~ `c`'],
    ['***x***', '*_x_*'],
    ['# Head **b** x', '*Head b x*'],
    ['- a\n  - b\n2. c', '• a\n  • b\n2. c'],
    ['> q', '> q'],
    ['[T](https://a.test/?a=1&b=2)', '<https://a.test/?a=1&amp;b=2|T>'],
    ['https://a.test/x', '<https://a.test/x>'],
    ['**[T](https://a.test/)**', '*<https://a.test/|T>*'],
    ['```sh\na **b** <c>\n```', '```\na **b** &lt;c&gt;\n```'],
    ['~~~\n```\n~~~', '```\n``\u200B`\n```'],
    ['| a | b |\n|---|---|\n| 1 | 2 |', '```\n| a | b |\n|---|---|\n| 1 | 2 |\n```'],
    ['a < b & c > d', 'a &lt; b &amp; c &gt; d'],
  ])('%j', (markdown, expected) => {
    expect(mrkdwn(markdown)).toBe(expected)
  })

  test.each([
    ['请**注意**事项', '请\u200B*注意*\u200B事项'],
    ['a**b**c', 'a\u200B*b*\u200Bc'],
    ['看`x`。', '看\u200B`x`\u200B。'],
    ['**a**`b`', '*a*`b`'],
    ['(**a**), **b**.', '(*a*), *b*.'],
  ])('marks count at the border of a word only: %s', (markdown, expected) => {
    expect(mrkdwn(markdown)).toBe(expected)
  })
})

test('nothing calls anybody, in links neither', () => {
  const calls = '<!here> <@U1> <!subteam^S1> <#C1> [x](!here) [<!here>](https://a.test/) `<!here>` **<@U1>**'
  const printed = mrkdwn(`${calls}\n\`\`\`\n<!here>\n\`\`\``)
  expect(printed).not.toMatch(/<[@!#]/)
  expect(printed).toContain('<https://a.test/|&lt;!here&gt;>')
})

test('a link ends where its URL does', () => {
  expect(linked('https://a.test/x|y>z<', 'T')).toBe('<https://a.test/x%7Cy%3Ez%3C|T>')
  expect(linked('https://a.test/x|y')).toBe('<https://a.test/x%7Cy>')
})

test('three signs are escaped, no more', () => {
  expect(escaped('<a href="x">\'&amp;\'')).toBe('&lt;a href="x"&gt;\'&amp;amp;\'')
})
