import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { markdownToHtml } from '../../../server/channels/email/markdown.ts'

/** Without the styles, which no test is about. */
function html(text: string): string {
  return markdownToHtml(text).replaceAll(/ style="[^"]*"/g, '')
}

describe('within a line', () => {
  test.each([
    ['plain', 'plain'],
    ['**bold** __bold__', '<strong>bold</strong> <strong>bold</strong>'],
    ['*it* _it_', '<em>it</em> <em>it</em>'],
    ['***both***', '<strong><em>both</em></strong>'],
    ['**a *b* c**', '<strong>a <em>b</em> c</strong>'],
    ['~~gone~~', '<s>gone</s>'],
    ['磁盘**已满**！', '磁盘<strong>已满</strong>！'],
    ['**a *b** c', '<strong>a *b</strong> c'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['snake_case_name a__b__c', 'snake_case_name a__b__c'],
    ['**never closed', '**never closed'],
    ['closed only**', 'closed only**'],
    ['` `', '<code> </code>'],
    ['`a **b** <c>`', '<code>a **b** &lt;c&gt;</code>'],
    ['``a``', '<code>a</code>'],
    ['a ` b', 'a ` b'],
    ['\\*not\\* \\<i\\>', '*not* &lt;i&gt;'],
    ['C:\\temp\\new', 'C:\\temp\\new'],
    ['two\nlines', 'two<br>\nlines'],
  ])('%j', (text, expected) => {
    expect(html(text)).toBe(`<p>${expected}</p>`)
  })

  test.each([
    ['[shop](https://x.test/a?b=1&c=2)', '<a href="https://x.test/a?b=1&amp;c=2">shop</a>'],
    ['[**shop** "now"](http://x.test "a title")', '<a href="http://x.test/"><strong>shop</strong> &quot;now&quot;</a>'],
    ['[wiki](https://x.test/A_(b)_c)', '<a href="https://x.test/A_(b)_c">wiki</a>'],
    ['[](https://x.test/__a__)', '<a href="https://x.test/__a__">https://x.test/__a__</a>'],
    ['[write](mailto:ops@example.com)', '<a href="mailto:ops@example.com">write</a>'],
    ['[see https://a.test](https://b.test)', '<a href="https://b.test/">see https://a.test</a>'],
    ['![chart](https://x.test/c.png)', '<a href="https://x.test/c.png">chart</a>'],
    ['<https://x.test/a*b>', '<a href="https://x.test/a*b">https://x.test/a*b</a>'],
    ['https://x.test/a_b_c?d=e&f', '<a href="https://x.test/a_b_c?d=e&amp;f">https://x.test/a_b_c?d=e&amp;f</a>'],
    ['see https://x.test/a.', 'see <a href="https://x.test/a">https://x.test/a</a>.'],
    ['(https://x.test)', '(<a href="https://x.test/">https://x.test</a>)'],
    ['**https://x.test**', '<strong><a href="https://x.test/">https://x.test</a></strong>'],
    ['见https://x.test/a，谢谢', '见<a href="https://x.test/a">https://x.test/a</a>，谢谢'],
  ])('the link %j', (text, expected) => {
    expect(html(text)).toBe(`<p>${expected}</p>`)
  })

  test.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:x)',
    '[x](file:///etc/passwd)',
    '[x](//x.test)',
    '[x](/relative)',
    '![x](cid:1)',
    '<javascript:alert(1)>',
    '<a href="https://x.test">x',
  ])('%j is no link', (text) => {
    const shown = html(text)
    expect(shown).not.toMatch(/href="(?!https?:)/)
    expect(shown).toMatch(/^<p>[^<]*(<a href="https:\/\/x\.test\/">https:\/\/x\.test<\/a>[^<]*)?<\/p>$/)
  })
})

describe('blocks', () => {
  test.each([
    ['# One\n## Two ##\n###### Six', '<h2>One</h2>\n<h3>Two</h3>\n<h6>Six</h6>'],
    ['#hashtag', '<p>#hashtag</p>'],
    ['a\n\n\nb', '<p>a</p>\n<p>b</p>'],
    ['a\r\n\r\nb\rc', '<p>a</p>\n<p>b<br>\nc</p>'],
    ['a\n---\nb', '<p>a</p>\n<hr>\n<p>b</p>'],
    ['* * *', '<hr>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['* a\n\n* b', '<ul><li>a</li><li>b</li></ul>'],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['- a\n  - b\n    1. c\n- d', '<ul><li>a\n<ul><li>b\n<ol><li>c</li></ol></li></ul></li><li>d</li></ul>'],
    ['- a\n  more', '<ul><li>a<br>\nmore</li></ul>'],
    ['- a\n1. b', '<ul><li>a</li></ul>\n<ol><li>b</li></ol>'],
    ['text\n- a', '<p>text</p>\n<ul><li>a</li></ul>'],
    ['-no', '<p>-no</p>'],
    ['> a\n> **b**\nc', '<blockquote><p>a<br>\n<strong>b</strong></p></blockquote>\n<p>c</p>'],
    ['```sh\n<a> **b**\n  c\n\n# d\n```\nend', '<pre>&lt;a&gt; **b**\n  c\n\n# d</pre>\n<p>end</p>'],
    ['~~~\n```\n~~~', '<pre>```</pre>'],
    ['````\n```\n````', '<pre>```</pre>'],
    ['```\nnever closed', '<pre>never closed</pre>'],
    ['- a\n  ```\n  b\n  ```', '<ul><li>a\n<pre>b</pre></li></ul>'],
    ['| a | b |\n|---|---|', '<p>| a | b |<br>\n|---|---|</p>'],
    ['', ''],
    ['\n \n', ''],
  ])('%j', (text, expected) => {
    expect(html(text)).toBe(expected)
  })
})

describe('raw HTML', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '# <h1>\n- <li>\n> <q>',
    '[<b>](https://x.test/"onmouseover="alert(1))',
    '`<i>` **<b>**',
    '&lt;script&gt;',
    '<!-- <a@b> -->',
  ])('%j is shown as it is', (text) => {
    expect(foreign(html(text))).toEqual([])
  })

  test('no text makes markup but ours', () => {
    const words = fc.constantFrom(
      ...'<|>|"|\'|&|<script>|</p>|*|**|_|`|```\n|\n|\n\n|- |> |# |[|]|(|)|](https://x|https://x|a| |\\|~~|1. | on=1'.split(
        '|',
      ),
    )
    fc.assert(
      fc.property(fc.array(words, { maxLength: 40 }), (said) => {
        const shown = html(said.join(''))
        expect(foreign(shown)).toEqual([])
        expect(unbalanced(shown)).toBe('')
      }),
      { numRuns: 3_000 },
    )
  })
})

const SIZE = 64 * 1024
test.each(
  [
    '*',
    '_',
    '**a ',
    '`',
    '`a',
    '[',
    '[a](',
    '[](http://',
    '![a](https://x',
    '> ',
    '- ',
    '- a\n',
    '```\n',
    '#',
    '# # ',
  ].concat([
    '  ',
    '\n',
    '~~~\n\n',
    '*_',
    '**a *b',
    '<',
    'https://',
    '\\',
    '1. a\n  ',
    '> - ',
    '- - ',
    'a_',
    '(((',
    '"',
    '&',
  ]),
)('a text full of %j takes no longer than others', (sign) => {
  for (const text of [sign.repeat(SIZE / sign.length), `# a${sign.repeat(SIZE / sign.length)}b`]) {
    const start = performance.now()
    markdownToHtml(text)
    expect(performance.now() - start).toBeLessThan(1_000)
  }
})

/** Tags that are not written by us as they stand. */
function foreign(shown: string): string[] {
  const known =
    /^<(\/?(p|h[2-6]|ul|li|ol|blockquote|pre|code|strong|em|s|a)|br|hr|a href="(https?:|mailto:)[^"<>]*"|ol start="\d+")>$/
  const tags = shown.match(/<[^>]*>?/g) ?? []
  return [...tags.filter((tag) => !known.test(tag)), ...(/&(?!(amp|lt|gt|quot);)/.exec(shown) ?? [])]
}

/** What is opened and not closed in order. */
function unbalanced(shown: string): string {
  let rest = shown.replaceAll(/<(br|hr)>/g, '').replaceAll(/[^<>]*(<[^>]*>)|[^<>]+$/g, '$1')
  for (let before = ''; rest !== before;) {
    before = rest
    rest = rest.replaceAll(/<(\w+)[^<>]*><\/\1>/g, '')
  }
  return rest
}
