import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { isFixed, keysOf, nameOf } from '../../server/config/keys.ts'
import { problemsOf, unknownKey } from '../../server/config/problems.ts'
import { configFolder } from '../helpers/config.ts'

const about = (description: string, zh = '') => ({ description, zh })
const schema = z.strictObject({
  plain: z.int().default(7).meta(about('a number', '数字')),
  robots: z
    .record(
      z.string(),
      z.strictObject({
        hooks: z.array(z.strictObject({ url: z.string(), method: z.enum(['GET', 'POST']).default('POST') })).optional(),
      }),
    )
    .default({}),
  agents: z.record(z.string(), z.string()).default({}),
  sms: z.discriminatedUnion('provider', [
    z.strictObject({
      provider: z.literal('one').meta(about('1')),
      to: z.string(),
      id: z.string().meta(about('of one')),
    }),
    z.strictObject({ provider: z.literal('two').meta(about('2')), to: z.string(), id: z.int().default(3) }),
    z.strictObject({
      provider: z.literal('three'),
      to: z.string(),
      id: z.int().default(3),
      deep: z.strictObject({ x: z.string() }),
    }),
  ]),
  either: z
    .union([
      z.string(),
      z.strictObject({ path: z.string().meta(about('a path', '路径')), mode: z.int().optional() }),
      z.strictObject({ path: z.int().optional().meta(about('its number', '编号')) }),
    ])
    .optional(),
  many: z.array(z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.string() })])).default([]),
})
const keys = keysOf(schema)
const key = (name: string) => keys.find(({ path }) => nameOf(path) === name)

describe('keys', () => {
  test('of names, lists and alternatives are all found', () => {
    expect(keys.map(({ path }) => nameOf(path))).toEqual([
      'plain',
      'robots',
      'robots.<name>.hooks',
      'robots.<name>.hooks[].url',
      'robots.<name>.hooks[].method',
      'agents',
      'sms',
      'sms.provider',
      'sms.to',
      'sms.id',
      'sms.id',
      'sms.deep',
      'sms.deep.x',
      'either',
      'either.path',
      'either.mode',
      'many',
      'many[].a',
      'many[].b',
    ])
  })

  test.each([
    ['plain', 'value', 'whole number'],
    ['robots', 'names', 'sections by name'],
    ['robots.<name>.hooks', 'list', 'list of sections'],
    ['robots.<name>.hooks[].method', 'value', 'GET | POST'],
    ['agents', 'value', 'text by name'],
    ['sms', 'section', 'section'],
    ['sms.provider', 'value', 'one | two | three'],
    ['either.path', 'value', 'text | whole number'],
    ['either', 'section', 'text | section'],
    ['many', 'list', 'list of sections'],
  ])('%s is a %s: %s', (name, kind, type) => {
    expect(key(name)).toMatchObject({ kind, type })
  })

  test('of alternatives with a chooser stand once for all that say the same, and say for whom', () => {
    expect(keys.filter(({ path }) => path[0] === 'sms').map(({ path, only }) => [nameOf(path), only])).toEqual([
      ['sms', []],
      ['sms.provider', []],
      ['sms.to', []],
      ['sms.id', ['one']],
      ['sms.id', ['two', 'three']],
      ['sms.deep', ['three']],
      ['sms.deep.x', ['three']],
    ])
    expect(key('sms.provider')).toMatchObject({ description: '1; 2', isRequired: true })
    expect(key('sms.id')).toMatchObject({ description: 'of one', type: 'text', isRequired: true })
  })

  test('of alternatives without one are united', () => {
    expect(key('either.path')).toMatchObject({ description: 'a path; its number', zh: '路径；编号', isRequired: false })
    expect(key('plain')).toMatchObject({ default: 7, description: 'a number', zh: '数字', isRequired: false, only: [] })
  })

  test('are fixed where no name and no list stands in their way', () => {
    expect(keys.filter((one) => !isFixed(one)).map(({ path }) => nameOf(path))).toEqual([
      'robots.<name>.hooks',
      'robots.<name>.hooks[].url',
      'robots.<name>.hooks[].method',
      'many[].a',
      'many[].b',
    ])
  })
})

describe('mistakes', () => {
  const problems = (value: unknown) => problemsOf(schema.safeParse(value).error?.issues ?? [], keys)
  const sms = { provider: 'one', to: 'a', id: 'b' }

  test.each([
    [{ sms: { ...sms, idd: 1 } }, ['sms.idd: there is no such key; did you mean sms.id?']],
    [{ sms: { to: 'a' } }, [`sms.provider: expected 'one' | 'two' | 'three'`]],
    [{ sms, either: { pth: 'x', path: 'y' } }, ['either.pth: there is no such key; did you mean either.path?']],
    [{ sms, either: { path: 1, mode: 1 } }, ['either.mode: there is no such key']],
    [{ sms: { ...sms, deep: 1 } }, ['sms.deep: there is no such key; it belongs to three']],
    [{ sms, either: { mode: 1 } }, ['either.mode: there is no such key']],
    [{ sms, either: 7 }, ['either: expected string or object']],
    [{ sms, many: [{ a: '1', c: 2 }] }, ['many[0].c: there is no such key']],
    [{ sms, robots: { r2: { hook: [] } } }, ['robots.r2.hook: there is no such key; did you mean robots.r2.hooks?']],
  ])('%j', (value, expected) => {
    expect(problems(value)).toEqual(expected)
  })

  test.each([
    [['robots', 'r2', 'hooks', 0, 'ulr'], 'robots.r2.hooks[].url'],
    [['robots', 'r2', 'method'], 'robots.r2.hooks[].method'],
    [['sms', 'plian'], 'plain'],
  ])('%j: did you mean %s?', (path, expected) => {
    expect(unknownKey(path, keys)).toMatch(`; did you mean ${expected}?`)
  })
})

describe('recipients in the environment', () => {
  const platforms = { webhook: { webhooks: [{ url: 'http://127.0.0.1:1/' }] } }

  test('are one section in JSON, beside those of the file', async () => {
    const { file, read } = configFolder()
    file('config.yaml', 'recipients: {night: {name: Night}, Ops_1: {name: Old, group: g}}')
    const env = { CARILLON_RECIPIENTS: JSON.stringify({ Ops_1: { name: 'New', platforms } }) }
    const { reaches } = (await read({}, env)).config
    expect(reaches).toMatchObject([
      { recipient: 'system@user' },
      { recipient: 'night@user', name: 'Night', platforms: [] },
      { recipient: 'Ops_1@user', name: 'New', groups: ['g@group'], platforms: [{ channel: 'webhook' }] },
    ])
  })

  test('are not set key by key, for their names would be lost', async () => {
    const { mistakes } = configFolder()
    expect(await mistakes({}, { CARILLON_RECIPIENTS__OPS_1__NAME: 'x' })).toEqual([
      'CARILLON_RECIPIENTS__OPS_1__NAME: set all of recipients as JSON in CARILLON_RECIPIENTS',
    ])
  })

  test('that are no JSON are a mistake', async () => {
    const { mistakes } = configFolder()
    expect(await mistakes({}, { CARILLON_RECIPIENTS: '{ops: ' })).toEqual([
      'recipients: expected record, received string',
    ])
  })
})
