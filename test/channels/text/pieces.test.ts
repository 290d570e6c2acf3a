import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headed, pieces, shortened, sizeOf, type Unit } from '../../../server/channels/text/pieces.ts'

const FAMILY = '👨‍👩‍👧‍👦'
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const charactersOf = (text: string) => [...graphemes.segment(text)].map(({ segment }) => segment)
const bare = (text: string) => text.replaceAll(/\s/g, '')

/** In pieces of so many UTF-16 units, mark included. */
function cut(text: string, max: number, most?: number) {
  return pieces(text, (part, mark) => (part.length + mark.length) / max, most).map((piece) => piece.text)
}

describe('sizes', () => {
  test.each([
    ['bytes', 3 + 4 + 1],
    ['utf16', 1 + 2 + 1],
    ['codepoints', 3],
  ] as const)('%s', (unit, size) => {
    expect(sizeOf('字😀a', unit)).toBe(size)
  })
})

describe('a text that fits', () => {
  test('is left as it is, unmarked', () => {
    expect(pieces(' a\n\n ', () => 1)).toEqual([{ text: ' a\n\n ', mark: '', isLast: true }])
    expect(pieces('', () => 1)).toEqual([{ text: '', mark: '', isLast: true }])
    expect(shortened(' a ', () => 1)).toBe(' a ')
  })

  test('once the space around it is gone, too', () => {
    for (const text of [`a${' '.repeat(99)}`, `${' '.repeat(99)}a`, `${'\n'.repeat(99)}a`]) {
      expect(pieces(text, (part) => part.length / 9)).toEqual([{ text: 'a', mark: '', isLast: true }])
    }
    expect(pieces(' '.repeat(99), (text) => text.length / 9)).toEqual([{ text: '', mark: '', isLast: true }])
  })
})

describe('a text that does not', () => {
  test('is cut at paragraphs, else lines, else words, in the last half of what fits', () => {
    expect(cut('one two\nthree\n\nfour five six', 22)).toEqual(['one two\nthree', 'four five six'])
    expect(cut('one two\nthree four five', 20)).toEqual(['one two\nthree', 'four five'])
    expect(cut('one two three four five', 20)).toEqual(['one two three', 'four five'])
    expect(cut('a bcdefghijklmnopqrstuvw', 20)).toEqual(['a bcdefghijklmn', 'opqrstuvw'])
  })

  test('keeps a word that just fits, and the indentation of a line', () => {
    expect(cut('0123456789abcde fghij', 20)).toEqual(['0123456789abcde', 'fghij'])
    expect(cut('- 23456789\n  - indented', 20)).toEqual(['- 23456789', '  - indented'])
  })

  test('is marked with where each piece stands', () => {
    const parts = pieces('x'.repeat(35), (part, mark) => (part.length + mark.length) / 20)
    expect(parts.map(({ mark }) => mark)).toEqual(['(1/3)', '(2/3)', '(3/3)'])
    expect(parts.map(({ isLast }) => isLast)).toEqual([false, false, true])
  })

  test('ends in … after as many pieces as there may be', () => {
    expect(cut('x'.repeat(999), 10)).toEqual([...Array<string>(4).fill('xxxxx'), 'xxxx…'])
    expect(cut('x'.repeat(999), 10, 2)).toEqual(['xxxxx', 'xxxx…'])
    expect(cut('x'.repeat(999), 10, 1)).toEqual(['xxxx…'])
    expect(cut('x'.repeat(25), 10)).toHaveLength(5)
    expect(cut('x'.repeat(25), 10).at(-1)).toBe('xxxxx')
  })

  test('is shortened to what fits with … behind it', () => {
    expect(shortened('one two three', (text) => text.length / 9)).toBe('one two…')
    expect(shortened('one two three', (text) => text.length / 1)).toBe('…')
    expect(shortened(FAMILY.repeat(2), (text) => text.length / 15)).toBe(`${FAMILY}…`)
    expect(shortened('see [the log](http://a.test/x) now', (text) => text.length / 20)).toBe('see…')
  })
})

describe('a title', () => {
  const of = (title: string, body = 'B', max = 10) => headed({ title, body, at: 1 }, max)

  test('of one line that is short enough stays', () => {
    expect(of(' Disk full\n')).toEqual({ title: 'Disk full', body: 'B', at: 1 })
    expect(of('字'.repeat(10))).toMatchObject({ title: '字'.repeat(10), body: 'B' })
    expect(of('😀'.repeat(10))).toMatchObject({ body: 'B' })
  })

  test('that is longer is shortened, and whole at the head of the body', () => {
    expect(of('0123456789a')).toEqual({ title: '012345678…', body: '0123456789a\n\nB', at: 1 })
    expect(of('0123456789a', '')).toMatchObject({ body: '0123456789a' })
    expect(of('one\ntwo')).toMatchObject({ title: 'one…', body: 'one\ntwo\n\nB' })
    expect(of('0123456789\r\ntwo')).toMatchObject({ title: '012345678…' })
  })
})

describe('code', () => {
  const lines = Array.from({ length: 12 }, (_, at) => `  line ${at}`).join('\n')

  test('is closed and opened again, with its language and its indentation', () => {
    const parts = cut(`before\n\n\`\`\`sh\n${lines}\n\`\`\`\n\nafter`, 80)
    expect(parts.length).toBeGreaterThan(1)
    expect(parts[0]).toMatch(/^before\n\n```sh\n {2}line 0\n[^]*\n```$/)
    expect(parts[1]).toMatch(/^```sh\n {2}line \d\n[^]*```\n\nafter$/)
    expect(parts.join('\n').match(/ {2}line \d+/g)).toEqual(lines.split('\n'))
  })

  test('is fenced with the marks it came with', () => {
    for (const fence of ['~~~', '````']) {
      const parts = cut(`${fence}\n${lines}\n\`\`\`\n${lines}\n${fence}`, 90)
      for (const part of parts.slice(0, -1))
        expect(part.startsWith(`${fence}\n`) && part.endsWith(`\n${fence}`)).toBe(true)
    }
  })

  test('is not left without a line', () => {
    for (let size = 30; size < 140; size += 1) {
      const parts = cut(`${'x'.repeat(20)}\n\n\`\`\`sh\n${lines}\n\`\`\`\n\n${'y'.repeat(20)}`, size, 30)
      for (const part of parts) expect(part).not.toMatch(/```sh\s*```|```sh$/)
    }
  })

  test('without an end is closed where it is cut', () => {
    const parts = cut(`\`\`\`\n${lines}`, 80)
    for (const part of parts) expect(part).toMatch(/^```\n[^]*\n```$/)
  })
})

describe('any text', () => {
  const word = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.constantFrom(
      FAMILY,
      '🇨🇳🇯🇵',
      '字字字字',
      '\n\n',
      '\n',
      '  ',
      '\r\n',
      '[a b](http://a.test/b)',
      '<b>',
      '</b>',
      '<',
      '[',
    ),
  )
  const plain = fc.array(word, { maxLength: 60 }).map((words) => words.join(' '))
  const unit = fc.constantFrom<Unit>('bytes', 'utf16', 'codepoints')
  const filledOf = (max: number, unit: Unit) => (text: string, mark: string) => sizeOf(text + mark, unit) / max

  test('loses nothing but space at the cuts, and every piece fits', () => {
    fc.assert(
      fc.property(plain, fc.integer({ min: 40, max: 200 }), unit, (text, max, unit) => {
        fc.pre(!/^[ \t]*(```|~~~)/m.test(text))
        const parts = pieces(text, filledOf(max, unit), 500)
        expect(parts.map((part) => bare(part.text)).join('')).toBe(bare(text))
        for (const part of parts) expect(sizeOf(part.text + part.mark, unit)).toBeLessThanOrEqual(max)
      }),
    )
  })

  test.each([100, 1_000, 10_000])('fills pieces of %i bytes to the last hundredths, however uneven it is', (max) => {
    const text = Array.from({ length: 60 }, (_, at) => ['x', '字', '😀'][at % 3]?.repeat(at * 7)).join('')
    const sizes = pieces(text, filledOf(max, 'bytes'), 500).map((part) => sizeOf(part.text + part.mark, 'bytes'))
    expect(sizes.length).toBeGreaterThan(2)
    for (const size of sizes) expect(size).toBeLessThanOrEqual(max)
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThan(max * 0.97 - '(500/500)😀'.length)
  })

  test('has no broken character', () => {
    fc.assert(
      fc.property(plain, fc.integer({ min: 60, max: 200 }), (text, max) => {
        const whole = new Set(charactersOf(text).flatMap((character) => [character, bare(character)]))
        for (const part of pieces(text, filledOf(max, 'utf16'), 500)) {
          for (const character of charactersOf(part.text)) expect(whole).toContain(character)
        }
      }),
    )
  })

  test('with code in it fits too, fenced in every piece', () => {
    const block = fc
      .array(fc.stringMatching(/^[a-z (){};]{0,20}$/), { maxLength: 20 })
      .map((lines) => `\n\`\`\`js\n${lines.join('\n')}\n\`\`\`\n`)
    const mixed = fc.array(fc.oneof(fc.stringMatching(/^[a-z ]{0,30}$/), block), { maxLength: 8 })
    fc.assert(
      fc.property(mixed, fc.integer({ min: 60, max: 200 }), (blocks, max) => {
        const text = blocks.join('\n')
        const parts = pieces(text, filledOf(max, 'utf16'), 500)
        for (const { text, mark } of parts) {
          expect(text.length + mark.length).toBeLessThanOrEqual(max)
          expect((text.match(/^```/gm) ?? []).length % 2).toBe(0)
        }
        const inside = (whole: string) => bare(whole.replaceAll(/^```(js)?$/gm, ''))
        expect(parts.map(({ text }) => inside(text)).join('')).toBe(inside(text))
      }),
    )
  })

  test('in few pieces begins as it does, and says where it stops', () => {
    fc.assert(
      fc.property(plain, fc.integer({ min: 40, max: 80 }), (text, max) => {
        const parts = pieces(text, filledOf(max, 'codepoints'), 3)
        const shown = parts.map((part) => bare(part.text)).join('')
        expect(parts.length).toBeLessThanOrEqual(3)
        expect(shown === bare(text) || (shown.endsWith('…') && bare(text).startsWith(shown.slice(0, -1)))).toBe(true)
      }),
    )
  })
})

describe('64 KiB', () => {
  test.each([
    ['words', 'word '],
    ['one word', 'x'],
    ['Chinese', '字'],
    ['families', FAMILY],
    ['brackets', '['],
    ['tags that do not end', '<a '],
    ['links', '[a b](c)'],
    ['fences', '```\n'],
    ['space', ' '],
    ['blank lines', '\n'],
    ['accents', '\u0301'],
    ['flags', '🇨🇳'],
  ])('of %s take less than 50 ms of CPU', (_, word) => {
    const text = word.repeat(Math.ceil((64 * 1024) / Buffer.byteLength(word)))
    const filled = (part: string, mark: string) => Buffer.byteLength(JSON.stringify({ text: part + mark })) / 20_000
    const took = [1, 2, 3].map(() => {
      const start = process.cpuUsage()
      pieces(text, filled)
      return process.cpuUsage(start).user / 1000
    })
    expect(Math.min(...took)).toBeLessThan(50)
  })
})
