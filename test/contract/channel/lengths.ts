/** Texts around and beyond the limit: whole, in order, no character broken, no request too big. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Content } from '../../../server/channels/content.ts'
import { sizeOf } from '../../../server/channels/text/pieces.ts'
import type { Bench, ChannelUnderTest } from './bench.ts'
import { CONFIRM_URL, contentOf, LINK, numbered, numbersIn } from './content.ts'

const MOST_PIECES = 5
/** nothing has more than a message may have */
const LONGEST = 64 * 1024
const fillings = [
  ['ASCII', 'Q'],
  ['Chinese', '字'],
  ['emoji', '👨‍👩‍👧‍👦'],
] as const

export function testLengths(subject: ChannelUnderTest, bench: Bench): void {
  const { styles = ['text', 'card'], overflow = 'split', links = true, parts = 1 } = subject
  const { limits } = bench.capabilities
  afterEach(() => expect(tooBig(subject, bench)).toEqual([]))

  describe.each(styles)('%s', (style) => {
    const read = (said: Partial<Content>) => bench.read(contentOf({ style, ...said }))
    const limit = limits?.[style].max ?? LONGEST
    const twice = numbered(limit * 2.5, 'w')

    if (limits === null) atOnce()
    else if (overflow === 'split') inPieces()
    else cutShort()
    if (links) withLinks()

    function atOnce() {
      test('a text as long as one likes is one request', async () => {
        const shown = await read({ body: twice })
        expect(shown).toHaveLength(parts)
        expect(numbersIn(shown[0] ?? '')).toEqual(numbersIn(twice))
      })
    }

    function inPieces() {
      test.each(fillings)('%s at the limit is one, one more makes two', async (_, filling) => {
        const one = await longest(async (count) => (await read({ body: filling.repeat(count) })).length === 1, limit)
        expect(countOf(filling, await read({ body: filling.repeat(one) }))).toBe(one)
        const two = await read({ body: filling.repeat(one + 1) })
        expect(two).toHaveLength(2)
        expect(two[0]).toContain('(1/2)')
        expect(two[1]).toContain('(2/2)')
        expect(countOf(filling, two)).toBe(one + 1)
        expect(two.map((text) => rubbleOf(filling, text))).toEqual(['', ''])
      })

      test.each(['w', '字'])('a long text (%s) arrives whole and in order', async (word) => {
        const body = numbered(limit * 2.5, word)
        const shown = await read({ body })
        expect(shown.length).toBeGreaterThan(1)
        expect(shown.length).toBeLessThanOrEqual(MOST_PIECES)
        expect(shown.flatMap(numbersIn)).toEqual(numbersIn(body))
      })

      test('so does one that is all title', async () => {
        const shown = await read({ title: twice, body: '' })
        expect(shown.length).toBeLessThanOrEqual(MOST_PIECES)
        const seen = [...new Set(shown.flatMap(numbersIn))]
        expect(seen.toSorted((a, b) => a - b)).toEqual(numbersIn(twice))
      })

      test('no more than five go out, and the last says that there was more', async () => {
        const shown = await read({ body: numbered(limit * 12, 'w') })
        expect(shown).toHaveLength(MOST_PIECES)
        expect(shown.at(-1)).toContain('…')
        expect(shown.flatMap(numbersIn)).toEqual(upTo(shown.flatMap(numbersIn).length))
      })

      test('code is fenced in each of them', async () => {
        const shown = await read({
          title: 'Log',
          body: `\`\`\`sh\n${twice.replaceAll(' ', '\n')}\n\`\`\`\n\nend of log`,
        })
        expect(shown.length).toBeGreaterThan(1)
        for (const text of shown) expect(text.split('```').length % 2).toBe(1)
        expect(shown.at(-1)).toContain('end of log')
      })

      test('what did not go out goes out by the next attempt, and nothing twice', async () => {
        const content = contentOf({ style, body: twice })
        const failure = subject.responses.find(({ outcome: { kind } }) => kind === 'retry' || kind === 'failed')
        const { ok } = subject
        bench.vendor.answer = (_, count) => (count === 2 ? (failure?.answer ?? { status: 503, body: '' }) : ok)
        const outcome = await bench.send(content)
        expect(outcome).toMatchObject({ kind: failure?.outcome.kind ?? 'retry', parts: 1 })
        expect(bench.vendor.messages).toHaveLength(2)
        bench.vendor.answer = ok
        expect(await bench.send(content, { skip: 1 })).toMatchObject({ kind: bench.capabilities.success })
        const [first, , ...rest] = bench.vendor.messages.map((request) => subject.shown(request))
        expect([first ?? '', ...rest].flatMap(numbersIn)).toEqual(numbersIn(twice))
      })
    }

    function cutShort() {
      test.each(fillings)('%s is not broken', async (_, filling) => {
        for (const times of [0.9, 1, 1.1, 3]) {
          const count = Math.ceil((limit * times) / filling.length)
          const shown = await read({ body: filling.repeat(count) })
          expect(shown).toHaveLength(parts)
          expect(rubbleOf(filling, shown[0] ?? '')).toBe('')
        }
      })

      test.each(['w', '字'])('a long text (%s) says that there was more', async (word) => {
        const shown = await read({ body: numbered(limit * 2.5, word) })
        expect(shown).toHaveLength(parts)
        expect(shown[0]).toContain('…')
        expect(numbersIn(shown[0] ?? '')).toEqual(upTo(numbersIn(shown[0] ?? '').length))
      })
    }

    function withLinks() {
      test('the link and where to confirm survive every length', async () => {
        for (const said of [
          { body: twice },
          { body: numbered(limit * 12, '字') },
          { title: twice, body: '' },
          { title: twice, body: twice },
        ]) {
          const shown = await read({ ...said, link: LINK, confirmUrl: CONFIRM_URL })
          expect(shown.join('\n')).toContain(CONFIRM_URL)
          expect(shown.join('\n')).toContain(LINK)
        }
      })
    }
  })
}

/** The most of `count` for which `holds`, by halving; it holds for 1. */
async function longest(holds: (count: number) => Promise<boolean>, limit: number): Promise<number> {
  let low = 1
  let high = limit + 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (await holds(middle)) low = middle
    else high = middle - 1
  }
  expect(low, 'a text that is over the limit').toBeLessThanOrEqual(limit)
  return low
}

function countOf(filling: string, shown: readonly string[]): number {
  return shown.join('').split(filling).length - 1
}

/** What is left of broken characters once the whole ones are taken out. */
function rubbleOf(filling: string, shown: string): string {
  const rest = shown.replaceAll(filling, '')
  return (
    rest.match(/[\u200D\uFFFD]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|[👨👩👧👦]/gu) ??
    []
  ).join('')
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}

/** A line for each request that is more than the channel itself says the vendor takes. */
function tooBig({ counted }: ChannelUnderTest, bench: Bench): string[] {
  const { limits } = bench.capabilities
  if (limits === null) return []
  const most = (unit: string) =>
    Math.max(...[limits.text, limits.card].filter((l) => l.unit === unit).map((l) => l.max))
  return bench.vendor.messages.flatMap((request) => {
    const sizes = [limits.text, limits.card].map(({ unit }) => {
      if (unit === 'body') return { unit, size: Buffer.byteLength(request.body) }
      return { unit, size: counted ? sizeOf(counted(request), unit) : 0 }
    })
    return sizes.filter(({ unit, size }) => size > most(unit)).map(({ unit, size }) => `${size} ${unit}`)
  })
}
