import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../server/protocol/errors.ts'
import { checkKey, parseJson } from '../../server/protocol/json.ts'

const FORBIDDEN = ['__proto__', 'constructor', 'prototype'] as const

function refusalOf(call: () => unknown): Refusal {
  try {
    call()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** `levels` arrays, or objects, one in the other. */
const arrays = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const objects = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)
const mixed = (levels: number) => '{"a":['.repeat(levels / 2) + ']}'.repeat(levels / 2)

afterEach(() => {
  if ('polluted' in {}) throw new Error('the prototype of all objects was changed')
})

describe('a body', () => {
  test.each(['{}', '[]', 'null', '0', '-1.5e3', '"x"', 'true', ' {"a" : [1, {"b": null}] } ', '"\\ud83d\\udd14"'])(
    '%s is read as JSON has it',
    (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text))
    },
  )

  test.each([
    '',
    ' ',
    '{',
    '{"a":1,}',
    "{'a':1}",
    'undefined',
    'NaN',
    '[1',
    '{"a":1}x',
    '// c\n{}',
    '\ufeff{}',
    '"\n"',
  ])('%j is refused, and the answer is ours', (text) => {
    const refusal = refusalOf(() => parseJson(text))
    expect(refusal.code).toBe('bad-json')
    expect(refusal.message).toBe('the body is not valid JSON')
  })
})

describe('depth', () => {
  test.each([
    ['arrays', arrays],
    ['objects', objects],
    ['both', mixed],
  ])('32 levels of %s are read, 34 and more refused', (_, nested) => {
    expect(parseJson(nested(32))).toEqual(JSON.parse(nested(32)))
    for (const levels of [34, 6_000, 100_000]) expect(refusalOf(() => parseJson(nested(levels))).code).toBe('too-deep')
  })

  test('33 levels are one too many', () => {
    expect(refusalOf(() => parseJson(arrays(33))).code).toBe('too-deep')
    expect(refusalOf(() => parseJson(objects(33))).code).toBe('too-deep')
    expect(refusalOf(() => parseJson(`[1,2,{"a":${arrays(31)}}]`)).code).toBe('too-deep')
    expect(parseJson(`[1,2,{"a":${arrays(30)}}]`)).toHaveLength(3)
  })

  test('a million levels are refused without breaking the stack, closed or not', () => {
    expect(refusalOf(() => parseJson(arrays(1_000_000))).code).toBe('too-deep')
    expect(refusalOf(() => parseJson(objects(1_000_000))).code).toBe('too-deep')
    expect(refusalOf(() => parseJson('['.repeat(1_000_000))).code).toBe('bad-json')
    expect(refusalOf(() => parseJson('{"a":'.repeat(1_000_000))).code).toBe('bad-json')
  })

  test('what is wide is not deep', () => {
    expect(parseJson(`[${'[],'.repeat(50_000)}[]]`)).toHaveLength(50_001)
  })
})

describe('keys that could change a prototype', () => {
  test.each(FORBIDDEN)('%s is refused by name', (key) => {
    for (const text of [`{"${key}":1}`, `[{"a":[{"${key}":{"polluted":1}}]}]`]) {
      const refusal = refusalOf(() => parseJson(text))
      expect([refusal.code, refusal.message]).toEqual(['forbidden-key', `a key named ${key} is not allowed`])
    }
    expect(refusalOf(() => checkKey(key)).code).toBe('forbidden-key')
  })

  test('an escaped one is refused too', () => {
    expect(refusalOf(() => parseJson('{"\\u005f_proto__":{"polluted":1}}')).code).toBe('forbidden-key')
    expect(refusalOf(() => parseJson('{"a":1,"__proto__":1,"__proto__":2}')).code).toBe('forbidden-key')
  })

  test.each(['proto', '__proto', 'Constructor', 'constructor ', 'toString', 'hasOwnProperty', ''])(
    '%j is a key like any other',
    (key) => {
      expect(parseJson(JSON.stringify({ [key]: 1 }))).toEqual({ [key]: 1 })
      expect(() => checkKey(key)).not.toThrow()
    },
  )

  test('as a value they are text', () => {
    expect(parseJson('["__proto__",{"a":"constructor"}]')).toEqual(['__proto__', { a: 'constructor' }])
  })

  test('wherever one lies, the whole is refused', () => {
    const place = fc.array(fc.oneof(fc.constant(null), fc.string({ maxLength: 5 })), { maxLength: 12 })
    fc.assert(
      fc.property(place, fc.constantFrom(...FORBIDDEN), fc.jsonValue({ maxDepth: 3 }), (path, key, beside) => {
        const inner = `{"a":${JSON.stringify(beside)},"${key}":{"polluted":true}}`
        const text = path.reduceRight<string>(
          (inside, step) => (step === null ? `[0,${inside}]` : `{${JSON.stringify(step)}:${inside}}`),
          inner,
        )
        expect(refusalOf(() => parseJson(text)).code).toBe('forbidden-key')
        expect(Reflect.get({}, 'polluted')).toBeUndefined()
      }),
      { seed: 61, numRuns: 1_000 },
    )
  })

  test('any JSON is refused, or read and safe to copy', () => {
    const key = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom(...FORBIDDEN, 'polluted'))
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, 1, 'text'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
      ),
    }))
    fc.assert(
      fc.property(value, (sent) => {
        const text = JSON.stringify(sent)
        const isSafe = !FORBIDDEN.some((word) => text.includes(`"${word}":`))
        if (isSafe) {
          const read = parseJson(text)
          expect(JSON.stringify(read)).toBe(text)
          Object.assign({}, read)
        } else {
          expect(refusalOf(() => parseJson(text)).code).toBe('forbidden-key')
        }
        expect(Reflect.get({}, 'polluted')).toBeUndefined()
      }),
      { seed: 62, numRuns: 1_000 },
    )
  })
})
