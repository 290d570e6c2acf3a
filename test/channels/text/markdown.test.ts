import { describe, expect, test } from 'vitest'
import { type Line, readMarkdown, type Span, wordsOf } from '../../../server/channels/text/markdown.ts'

/** Spans as tags, so that a test can be read. */
const tagged = (spans: readonly Span[]): string => spans.map(asTag).join('')
function asTag(span: Span): string {
  if ('spans' in span) return `<${span.kind}>${tagged(span.spans)}</${span.kind}>`
  if (span.kind === 'link') return `<link ${span.url}>${span.text}</link>`
  return span.kind === 'code' ? `<code>${span.text}</code>` : span.text
}
const lineOf = (line: Line): string => {
  if (line.kind === 'code') return `code: ${line.text}`
  if (line.kind === 'item') return `${line.indent} ${line.number ?? '-'}: ${tagged(line.spans)}`
  return line.kind === 'text' ? tagged(line.spans) : `${line.kind}: ${tagged(line.spans)}`
}
const read = (text: string) => readMarkdown(text).map(lineOf)

describe('spans', () => {
  test.each([
    ['**b** and __b__', '<strong>b</strong> and <strong>b</strong>'],
    ['*i* and _i_', '<em>i</em> and <em>i</em>'],
    ['~~s~~', '<strike>s</strike>'],
    ['***both***', '<strong><em>both</em></strong>'],
    ['**a *b***', '<strong>a <em>b</em></strong>'],
    ['*a **b***', '<em>a <strong>b</strong></em>'],
    ['*a **b** c*', '<em>a <strong>b</strong> c</em>'],
    ['**a *b** c', '<strong>a *b</strong> c'],
    ['*a _b_ c*', '<em>a _b_ c</em>'],
    ['**注意：**请看', '<strong>注意：</strong>请看'],
    ['请**注意**。', '请<strong>注意</strong>。'],
    ['`a*b*c` ``x`', '<code>a*b*c</code> ``x`'],
    ['``a b``', '<code>a b</code>'],
    ['\\*a\\* \\_ \\`', '*a* _ `'],
    ['[T](https://a.test/x_y_z) end', '<link https://a.test/x_y_z>T</link> end'],
    ['[**T**](https://a.test/(x))', '<link https://a.test/(x)>T</link>'],
    ['[T](https://a.test "title")', '<link https://a.test/>T</link>'],
    ['![](https://a.test/i.png)', '<link https://a.test/i.png>https://a.test/i.png</link>'],
    ['[M](mailto:a@b.test)', '<link mailto:a@b.test>M</link>'],
    ['<https://a.test/?a=1&b=2>', '<link https://a.test/?a=1&b=2>https://a.test/?a=1&b=2</link>'],
    ['(see https://a.test/x_y_z.)', '(see <link https://a.test/x_y_z>https://a.test/x_y_z</link>.)'],
    ['**https://a.test/**', '<strong><link https://a.test/>https://a.test/</link></strong>'],
    ['见https://a.test/x，再', '见<link https://a.test/x>https://a.test/x</link>，再'],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual([expected])
  })

  test.each([
    '2 * 3 * 4',
    'snake_case_name and __x',
    '* a',
    'a ** b **',
    '**open',
    '*a _b',
    '~a~ ~~',
    '****',
    '~~~~~~ a ~~~~~~',
    '[c](tg://user?id=1)',
    '[c](javascript:alert(1))',
    '[c](/relative)',
    '[c](https://)',
    '[c] (https',
    '`open',
    '<at id=all></at> <!here> a < b > c & d',
  ])('%s stands for itself', (text) => {
    expect(read(`x ${text}`)).toEqual([`x ${text}`])
  })

  test('have words', () => {
    const [line] = readMarkdown('a **b *c*** `d` [e](https://a.test) https://b.test')
    expect(line && 'spans' in line && wordsOf(line.spans)).toBe('a b c d e https://b.test')
  })
})

describe('lines', () => {
  test('of each kind', () => {
    const text = '# Head *x*\nplain\n\n> quote\n>> deeper\n- a\n  * b\n\t+ c\n3. d\n10) e\n---\n* * *'
    expect(read(text)).toEqual([
      'heading: Head <em>x</em>',
      'plain',
      '',
      'quote: quote',
      'quote: deeper',
      '0 -: a',
      '2 -: b',
      '4 -: c',
      '0 3: d',
      '0 10: e',
      '———',
      '———',
    ])
  })

  test('that are none: #tag, 1.5, -5, |', () => {
    expect(read('#tag\n1.5 x\n-5\na | b')).toEqual(['#tag', '1.5 x', '-5', 'a | b'])
  })

  test.each(['\n', '\r\n', '\r'])('end in %j', (end) => {
    expect(read(['a', '# b', 'c'].join(end))).toEqual(['a', 'heading: b', 'c'])
  })

  test('of code are as they are, whatever is in them', () => {
    expect(read('a\n```sh\n# *x*\n\n  y\n```\nb')).toEqual(['a', 'code: # *x*\n\n  y', 'b'])
    expect(read('~~~\n```\nx\n```\n~~~~\nb')).toEqual(['code: ```\nx\n```', 'b'])
    expect(read('````\n```\n````')).toEqual(['code: ```'])
    expect(read('```\nto the end\n```no')).toEqual(['code: to the end\n```no'])
  })

  test('of a table are code', () => {
    expect(read('t\n| a | b |\n|---|:-:|\n| 1 | 2 |\nend')).toEqual([
      't',
      'code: | a | b |\n|---|:-:|\n| 1 | 2 |',
      'end',
    ])
    expect(read('a | b\n---')).toEqual(['a | b', '———'])
  })
})

describe('takes time in proportion to the text', () => {
  const SIZE = 100_000
  test.each([
    '*',
    '**a ',
    '*a **b ',
    '_a',
    '~~a ',
    '`',
    '``a ',
    '[',
    '[a](',
    '[a](b',
    '![a](https://a"',
    '[x](a "',
    '\\',
    '<https://',
    'https://a',
    '> ',
    '# ',
    '- ',
    '| ',
    '|-',
    ' ',
    '*a* ',
    '***a',
    '**a*',
    '```a\n',
    '~~~\n',
    'https://_.',
    'https://a_ ',
    'a|b\n',
    '1. ',
    '[a](https://a(',
  ])('%j', (unit) => {
    const text = unit.repeat(SIZE / unit.length)
    const start = performance.now()
    readMarkdown(text)
    readMarkdown(`${text}\n`)
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})
