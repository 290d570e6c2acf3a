import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inSegments, isGsm, segmentsOf } from '../../../server/channels/phone/segments.ts'

describe('segments', () => {
  test.each([
    ['', 1],
    ['x'.repeat(160), 1],
    ['x'.repeat(161), 2],
    ['x'.repeat(306), 2],
    ['x'.repeat(307), 3],
    ['x'.repeat(459), 3],
    ['x'.repeat(460), 4],
    ['€'.repeat(80), 1],
    ['€'.repeat(81), 2],
    // 153 is odd: the escape and its character stay together
    ['€'.repeat(152), 2],
    ['€'.repeat(153), 3],
    ['字'.repeat(70), 1],
    ['字'.repeat(71), 2],
    ['字'.repeat(201), 3],
    ['字'.repeat(202), 4],
    ['😀'.repeat(35), 1],
    ['😀'.repeat(66), 2],
    ['😀'.repeat(67), 3],
    [`${'x'.repeat(69)}…`, 1],
    [`${'x'.repeat(70)}…`, 2],
  ])('%#', (text, expected) => {
    expect(segmentsOf(text)).toBe(expected)
  })

  test('GSM-7 has accents, Greek capitals and brackets, but no typographic marks', () => {
    expect(isGsm('Ün éèàñ ΔΩ [x] {y} ~|^\\ €\n')).toBe(true)
    for (const other of ['…', '’', '“', 'ç', '`', '\t', 'α', '字', '😀']) expect(isGsm(other)).toBe(false)
  })
})

describe('a text in so many segments', () => {
  test('is whole where it fits', () => {
    expect(inSegments('x'.repeat(150), '\nhttps://', 1)).toBe(`${'x'.repeat(150)}\nhttps://`)
  })

  test('is cut in its own alphabet', () => {
    expect(inSegments('x'.repeat(500), '', 1)).toBe(`${'x'.repeat(157)}...`)
    expect(inSegments('字'.repeat(500), '', 1)).toBe(`${'字'.repeat(69)}…`)
    expect(inSegments('x'.repeat(500), '\n字', 1)).toBe(`${'x'.repeat(67)}…\n字`)
  })

  test('is never longer, keeps its tail and the start of the text', () => {
    const characters = fc.constantFrom('x', ' ', '\n', '€', '[', 'é', '字', '😀', '👨‍👩‍👧‍👦', '…', '.')
    const text = fc.array(characters, { maxLength: 700 }).map((list) => list.join(''))
    const tail = fc.constantFrom('', '\nhttps://hub.example.com/c/1', '\n确认: https://hub.example.com/c/1')
    fc.assert(
      fc.property(text, tail, fc.integer({ min: 1, max: 10 }), (said, end, most) => {
        const fitted = inSegments(said, end, most)
        expect(segmentsOf(fitted)).toBeLessThanOrEqual(most)
        expect(fitted.endsWith(end)).toBe(true)
        const start = fitted.slice(0, fitted.length - end.length)
        if (start !== said) expect(said.startsWith(start.replace(/(…|\.\.\.)$/, ''))).toBe(true)
      }),
    )
  })
})
