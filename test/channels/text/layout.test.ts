import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../../server/channels/text/layout.ts'

const FAMILY = '👨‍👩‍👧‍👦'

/** Where a cut wanted at each place of the text is made. */
function cuts(text: string, from = 0): number[] {
  const { whole } = layoutOf(text)
  return Array.from({ length: text.length - from }, (_, at) => whole(from, from + at + 1))
}

describe('a cut breaks no', () => {
  test.each([
    ['family of four', FAMILY],
    ['flag', '🇨🇳'],
    ['skin tone', '👍🏽'],
    ['accent', 'e\u0301'],
    ['surrogate pair', '😀'],
    ['Hangul syllable', '각'.normalize('NFD')],
    ['line break', '\r\n'],
    ['link', '[the whole log](https://logs.test/a?b=c)'],
    ['image', '![the log](a.png)'],
    ['address', 'https://logs.test/a?b=c&d=e'],
    ['tag', '<font color="red" size="3">'],
    ['closing tag', '</blockquote>'],
    ['comment', '<!-- no -->'],
    ['mention', '<@U123>'],
  ])('%s', (_, one) => {
    const end = 2 + one.length
    const inside = new Set(cuts(`ab${one} d`).filter((cut) => cut > 2 && cut < end))
    expect([...inside]).toEqual([])
    expect(cuts(`ab${one} d`)).toEqual([1, ...Array<number>(one.length).fill(2), end, end + 1, end + 2])
  })

  test('address of ASCII only: what follows in Chinese can be cut', () => {
    expect(cuts('见https://a.test/x，然后')).toEqual([1, ...Array<number>(15).fill(1), 17, 18, 19, 20])
  })

  test('word that only looks like one', () => {
    for (const text of ['a < b and c > d', '[a] (b)', '<', '[a](b c)', 'http:/a', '[a\nb](c)', '<a\nb>']) {
      expect(cuts(text)).toEqual([...text].map((_, at) => at + 1))
    }
  })
})

describe('a cut is made all the same', () => {
  test('in what is longer than it is worth', () => {
    const text = `a [${'b'.repeat(2_000)}](c)`
    expect(layoutOf(text).whole(0, 1_000)).toBe(1_000)
  })

  test('in what begins where the piece does', () => {
    const text = `[a](${'b'.repeat(30)})`
    expect(layoutOf(text).whole(0, 20)).toBe(20)
    expect(layoutOf(`xy${text}`).whole(2, 20)).toBe(20)
  })

  test('in a character that is longer than the piece, between code points', () => {
    expect(cuts(`e${'\u0301'.repeat(5)}`)).toEqual([1, 2, 3, 4, 5, 6])
    expect(cuts('👩‍👩')).toEqual([2, 2, 3, 3, 5])
  })
})

describe('readable is', () => {
  const readable = (text: string, to = text.length) => layoutOf(text).readable(0, to)

  test('a paragraph before a line before a word, in the last half', () => {
    expect(readable('aaaaaaaa\n\nb\nc d')).toBe(8)
    expect(readable('aaaaaaa\nb c d')).toBe(7)
    expect(readable('aaaaaaa b c')).toBe(9)
    expect(readable('a\n\nb b bbbbbbbbb bb')).toBe(16)
    expect(readable('a bbbbbbbb')).toBeNull()
  })

  test('what ends exactly there', () => {
    expect(readable('aaaa bbbb cccc', 9)).toBe(9)
    expect(readable('aaaa\nbbbb\ncccc', 9)).toBe(9)
  })

  test('nothing in a link', () => {
    expect(readable('aaaaaa [b c d](e)')).toBeNull()
    expect(readable('aaaaaaaaaaaaa [b c d](e)')).toBe(13)
  })
})

describe('after a cut', () => {
  test('space is left out, indentation is not', () => {
    const { after } = layoutOf('a  \n\n  - b c')
    expect(after(1)).toBe(5)
    expect(after(10)).toBe(11)
    expect(after(9)).toBe(9)
  })
})

describe('code', () => {
  const text = 'a\n```sh extra\nls\n\n  pwd\n```\nb'
  const { piece, whole, readable } = layoutOf(text)
  const [first, last] = [text.indexOf('ls'), text.indexOf('pwd')]

  test('is closed behind a cut in it and opened again', () => {
    expect(piece(0, last)).toBe('a\n```sh extra\nls\n```')
    expect(piece(last, text.length)).toBe('```sh\npwd\n```\nb')
    expect(piece(first, last, '…')).toBe('```sh\nls…\n```')
    expect(piece(0, text.length)).toBe(text)
  })

  test('is neither opened nor closed behind a cut beside it', () => {
    const [start, end] = [text.indexOf('```'), text.lastIndexOf('```') + 3]
    expect([piece(0, start), piece(start, end), piece(end, text.length)]).toEqual(['a', text.slice(start, end), '\nb'])
  })

  test('keeps a line with each of its fences', () => {
    for (let to = 3; to <= first; to += 1) expect(whole(0, to)).toBe(2)
    expect(whole(0, first + 1)).toBe(first + 1)
    for (const to of [text.lastIndexOf('```') - 1, text.lastIndexOf('```') + 2]) {
      expect(text.slice(whole(0, to), to)).toMatch(/^[^\n]/)
    }
    expect(readable(first, text.lastIndexOf('```') + 1)).not.toBe(text.lastIndexOf('```') - 1)
  })

  test('in other fences, or indented, is code, too', () => {
    for (const [open, close] of [
      ['~~~', '~~~'],
      ['````', '````'],
      ['  ```', '   ```'],
      ['```', '`````'],
    ]) {
      const code = `${open}\none\ntwo\n${close}\n\nend`
      expect(layoutOf(code).piece(0, code.indexOf('two'))).toBe(`${open}\none\n${open?.trim()}`)
      expect(layoutOf(code).piece(code.indexOf('end'), code.length)).toBe('end')
    }
  })

  test('ends at its own fence only, and without one at the end', () => {
    for (const inner of ['~~~', '``', '``` sh', '```sh']) {
      const code = `\`\`\`\none\n${inner}\ntwo`
      expect(layoutOf(code).piece(code.indexOf('two'), code.length)).toBe('```\ntwo\n```')
    }
    expect(layoutOf('````\none\n```\ntwo').piece(13, 16)).toBe('````\ntwo\n````')
  })

  test('of a line with a backtick, or of very many, is none', () => {
    for (const open of ['```a`', '`'.repeat(21), 'x ```']) {
      expect(layoutOf(`${open}\none\ntwo`).piece(open.length + 1, open.length + 4)).toBe('one')
    }
  })

  test('is opened again with its language, however much stands there', () => {
    const code = `\`\`\`${'x'.repeat(500)}\none\ntwo`
    expect(layoutOf(code).piece(code.indexOf('two'), code.length)).toBe(`\`\`\`${'x'.repeat(20)}\ntwo\n\`\`\``)
  })
})

test('whatever the text: a cut lies behind the start and where it was wanted, or before', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('[a](b)', '```\n', '\n', FAMILY, '<b>'),
  )
  const texts = fc.array(word, { minLength: 1, maxLength: 20 }).map((words) => words.join(''))
  fc.assert(
    fc.property(texts, fc.nat(), fc.nat(), (text, a, b) => {
      fc.pre(text.length > 0)
      const from = a % text.length
      const to = from + 1 + (b % (text.length - from))
      const cut = layoutOf(text).whole(from, to)
      expect(cut).toBeGreaterThan(from)
      expect(cut).toBeLessThanOrEqual(Math.max(to, from + 2))
    }),
  )
})
