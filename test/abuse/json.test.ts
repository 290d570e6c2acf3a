/** JSON that is too deep, not JSON, or would change what all objects are made of: at every door that reads any. */
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { startHub, TOKEN } from '../helpers/hub.ts'
import { type Door, doors, quiet, wideHub } from './doors.ts'

const KEYS = ['__proto__', 'constructor', 'prototype']

/** so many arrays, or objects, one in the other */
const arrays = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const objects = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)

afterEach(() => {
  if ('polluted' in {}) throw new Error('the prototype of all objects was changed')
})

/** What is sent, and what must come back; null: it is taken. */
type Row = readonly [what: string, text: string, told: unknown]

const deep = expect.stringContaining('32')
const named = expect.stringMatching(/__proto__|constructor|prototype/)
const words = expect.any(String)
const taken = null

const rowsOf = ({ levels, around }: Door): readonly Row[] => [
  ['32 levels of arrays', around(arrays(32 - levels)), taken],
  ['32 levels of objects', around(objects(32 - levels)), taken],
  ['33 levels of arrays', around(arrays(33 - levels)), deep],
  ['33 levels of objects', around(objects(33 - levels)), deep],
  ['6,000 levels', around(arrays(6_000)), deep],
  ['1,000,000 levels', around(arrays(1_000_000)), deep],
  ['1,000,000 levels that never end', '{"a":'.repeat(1_000_000), words],
  ['1,000,000 levels around it all', `${'['.repeat(1_000_000)}${around('1')}${']'.repeat(1_000_000)}`, deep],
  ...KEYS.flatMap((key): Row[] => [
    [`the key ${key}`, around(`{"${key}":{"polluted":1}}`), named],
    [`the key ${key} deep inside`, around(`[1,{"a":[{"${key}":{"polluted":1}}]}]`), named],
    [`the key ${key} on top`, around('1').replace('{', `{"${key}":{"polluted":1},`), named],
    [`the text ${key}`, around(`"${key}"`), taken],
  ]),
  ['the key __proto__ in escapes', around('{"\\u005f\\u005fproto__":{"polluted":1}}'), named],
  ['the same key twice', around('{"a":1,"a":2}'), taken],
  ['names that every object has', around('{"toString":1,"hasOwnProperty":2,"valueOf":3,"then":4}'), taken],
  ['a number beyond all numbers', around('1e999'), taken],
  ['half a character', around('"\\ud83d"'), taken],
  ['NUL in escapes', around('"\\u0000"'), taken],
  ['NUL', around('"\0"'), words],
  ['NaN', around('NaN'), words],
  ['Infinity', around('-Infinity'), words],
  ['undefined', around('undefined'), words],
  ['a number in hex', around('0x10'), words],
  ['a comma too many', around('[1,]'), words],
  ['quotes of one stroke', around("'x'"), words],
  ['a comment', around('1/**/'), words],
  ['a byte order mark', `\ufeff${around('1')}`, words],
  ['two packets', around('1') + around('1'), words],
  ['half a packet', around('1').slice(0, -1), words],
  ['nothing', '', words],
  ['null', 'null', words],
  ['an array', '[]', words],
  ['a text', '"cmd"', words],
  ['a number', '7', words],
]

test.each(doors)('$name', async (door) => {
  const hub = await wideHub()
  for (const [what, text, told] of rowsOf(door)) {
    expect.soft(await door.send(hub, text), what).toEqual(told)
  }
  expect((await hub.get('/health')).status).toBe(200)
})

test('after 1,000 payloads with such keys, at all doors, nothing is changed and nothing was taken', async () => {
  const hub = await startHub(quiet)
  const path = fc.array(fc.oneof(fc.constant(null), fc.string({ maxLength: 5 })), { maxLength: 12 })
  const payload = fc.tuple(fc.constantFrom(...doors), path, fc.constantFrom(...KEYS), fc.jsonValue({ maxDepth: 2 }))
  await fc.assert(
    fc.asyncProperty(payload, async ([door, steps, key, beside]) => {
      const inner = `{"a":${JSON.stringify(beside)},"${key}":{"polluted":true}}`
      const value = steps.reduceRight<string>(
        (inside, step) => (step === null ? `[0,${inside}]` : `{${JSON.stringify(step)}:${inside}}`),
        inner,
      )
      expect(await door.send(hub, door.around(value))).toMatch(/__proto__|constructor|prototype/)
      expect(Reflect.get({}, 'polluted')).toBeUndefined()
    }),
    { seed: 71, numRuns: 1_000 },
  )
  expect((await hub.store.inbox('me@user', { limit: 1 })).items).toEqual([])
}, 30_000)

test.each(KEYS)('%s in a form or a query is refused too', async (key) => {
  const hub = await startHub(quiet)
  const form = (path: string) => hub.request(path, { method: 'POST', body: new URLSearchParams([[key, 'polluted']]) })
  expect((await form('/me.send')).status).toBe(400)
  expect((await form('/sms/send')).json).toEqual({ code: 1, message: `a key named ${key} is not allowed` })
  expect((await hub.get(`/me.send?${key}=polluted`)).status).toBe(400)
  expect((await hub.get(`/me.send?${key}%5Bpolluted%5D=1`)).status).toBe(200)
})

test.each(KEYS)('%s names nobody, and no group', async (name) => {
  const hub = await startHub(quiet)
  const client = await hub.connect()
  for (const data of [{ name }, { name: 'me', group: name }, { name: 'me', device: name }]) {
    client.send('AUTH', { token: TOKEN, ...data })
    expect(await client.next('INFO')).toMatchObject({ data: expect.stringContaining('is a reserved word') })
  }
  for (const path of [`/${name}.send`, `/${name}.group`]) expect((await hub.get(path)).status).toBe(400)
})
