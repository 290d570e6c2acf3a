/** What is generated in config/: complete, valid, and known to be stale when it is. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { pagesOf, staleIn } from '../../config/tools/pages.ts'
import { loadChannels } from '../../server/channels/index.ts'
import { defineChannel } from '../../server/channels/channel.ts'
import { configFolder } from '../helpers/config.ts'

const channels = await loadChannels()
const pages = pagesOf(channels)
const names = [...channels.keys()]
const page = (name: string) => pages.get(name) ?? ''

describe.each(names)('the page of %s', (name) => {
  const text = page(`channels/${name}.md`)

  test('shows a platform that works as it stands', async () => {
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(text) ?? []
    const { file, read } = configFolder()
    file('config.yaml', example)
    const [ops] = (await read()).config.reaches.filter(({ recipient }) => recipient === 'ops@user')
    expect(ops?.platforms).toMatchObject([{ channel: name }])
    expect(ops?.platforms[0]?.endpoints.length).toBeGreaterThan(0)
  })

  test('tells every key in two languages', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| `'))
    const cells = rows.map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    expect(cells.find(([, key]) => key === '`enabled`')).toBeDefined()
    expect(cells.filter(([, , , , en, zh]) => !en || !/\p{Script=Han}|[A-Z]/u.test(zh ?? ''))).toEqual([])
  })

  test('is linked to, and its keys stand nowhere else', () => {
    expect(page('README.md')).toContain(`[\`${name}\`](channels/${name}.md)`)
    expect(page('README.md')).not.toContain(`platforms.${name}`)
  })
})

describe('what a page says of a channel', () => {
  const made = defineChannel<{ enabled: boolean }, null, string>({
    name: 'made',
    title: { en: 'Made', zh: '造' },
    credentials: { en: 'From *nobody*.', zh: '无处可得。' },
    platform: z.strictObject({
      enabled: z.boolean().default(true),
      kind: z.enum(['a', 'b']).meta({ description: 'a | b', zh: '甲' }),
    }),
    example: { kind: 'a' },
    capabilities: {
      ordered: false,
      onUnknown: 'skip',
      shared: true,
      success: 'accepted',
      limits: { text: { max: 2048, unit: 'bytes' }, card: { max: 20_000, unit: 'body' } },
      rates: [
        { count: 5, perMs: 1_000 },
        { count: 20, perMs: 600_000 },
      ],
    },
    addresses: () => [],
    server: () => null,
    render: () => [],
    send: () => Promise.resolve({ kind: 'accepted' }),
  })
  const text = pagesOf(new Map([['made', made]])).get('channels/made.md') ?? ''

  test.each([
    '# Made · 造',
    'From *nobody*.\n\n无处可得。',
    'the state is `accepted`',
    'A text holds 2,048 bytes of UTF-8, a card 20,000 bytes with all that is around it;',
    '文本最多 2,048 字节（UTF-8），卡片最多 20,000 字节（整个请求体）',
    'No more than 5 a second and 20 in 600 s to one of them',
    '每个地址最多每秒 5 条、每 600 秒 20 条',
    'A retry may come after a newer message.',
    'it is not sent again',
    '| `kind` | a \\| b | required | a \\| b | 甲 |',
    'recipients:\n  ops:\n    platforms:\n      made:\n        kind: a\n',
  ])('%s', (part) => {
    expect(text).toContain(part)
  })
})

test('the recipient of the example is one, without its comment signs', async () => {
  const [, commented = ''] = /\nrecipients: \{\}\n((?:#.*\n)+)/.exec(page('config.example.yaml')) ?? []
  const { file, read } = configFolder()
  file('config.yaml', `recipients:\n${commented.replaceAll(/^# /gm, '  ')}`)
  const [ops] = (await read()).config.reaches.filter(({ recipient }) => recipient === 'ops@user')
  expect(ops?.platforms.map(({ channel }) => channel)).toEqual(names)
})

test('the example as it stands has no recipients, and no account that nobody has', () => {
  const example: unknown = parse(page('config.example.yaml'))
  expect(example).toMatchObject({ recipients: {} })
  expect(example).not.toHaveProperty('sdk')
})

test('keys of one alternative say so', () => {
  expect(page('channels/sms.md')).toMatch(/\| `accountSid` \| text \| required \| twilio: .* \| twilio：/)
  expect(page('channels/sms.md')).toMatch(/\| `to` \| list of text \| required \| numbers/)
})

test('names of the operator have no name in the environment', () => {
  const rows = page('README.md')
    .split('\n')
    .filter((line) => line.startsWith('| `recipients'))
  expect(rows.filter((row) => row.includes('CARILLON_'))).toEqual([rows[0]])
  expect(rows[0]).toContain('`CARILLON_RECIPIENTS`')
})

test('a page that is missing, changed or of no channel is stale', () => {
  const { cwd } = configFolder()
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
  for (const [name, text] of pages) put(name, text)
  expect(staleIn(cwd, pages)).toEqual({ changed: [], extra: [] })

  put('README.md', `${page('README.md')} `)
  put('channels/fax.md', '# Fax')
  expect(staleIn(cwd, pages)).toEqual({ changed: ['README.md'], extra: ['channels/fax.md'] })
  expect(staleIn(join(cwd, 'none'), pages).changed).toEqual([...pages.keys()])
})
