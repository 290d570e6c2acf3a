import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Content } from '../../server/channels/content.ts'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import system, { systemChannel } from '../../server/channels/system.ts'
import { noticeOf, sheetOf } from '../../server/channels/system/notice.ts'
import { createLog } from '../../server/ground/log.ts'
import { channelContract, contentOf } from '../contract/channel.ts'
import { ioOf } from '../contract/channel/bench.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { configFolder } from '../helpers/config.ts'
import { temporaryFolder } from '../helpers/folder.ts'
import { startReceiver } from '../helpers/receiver.ts'

const BACKOFF = { firstMs: 1_000, maxMs: 60_000, tries: 3 }
const TOKEN = 'canary-token-of-the-monitor'
const KEYS = 'id title message type strategy style source task_id reason created_at status'.split(' ')

channelContract({
  channel: system,
  platform: (url) => ({
    notifications: [
      { type: 'http', url: `${url}/notify/canary-in-the-path`, headers: { Authorization: `Bearer ${TOKEN}` } },
    ],
  }),
  ok: { status: 204, body: '' },
  check({ method, url, headers, body }) {
    if (method !== 'POST' || url !== '/notify/canary-in-the-path') return `${method} ${url}`
    if (headers.authorization !== `Bearer ${TOKEN}`) return 'who are you?'
    if (headers['content-type'] !== 'application/json; charset=utf-8') return 'no JSON'
    const keys = Object.keys(JSON.parse(body))
    return keys.join() === KEYS.join() ? null : `not the documented keys: ${keys.join()}`
  },
  shown({ body }) {
    const { title, message } = JSON.parse(body)
    return `${title}\n${message}`
  },
  malformed: 'accepted',
  responses: [
    { name: '200', answer: { status: 200, body: 'ok' }, outcome: { kind: 'accepted' } },
    { name: '400', answer: { status: 400, body: 'no' }, outcome: { kind: 'failed', detail: 'HTTP 400' } },
    { name: '302', answer: { status: 302, body: 'there' }, outcome: { kind: 'failed', detail: 'HTTP 302' } },
    { name: '503', answer: { status: 503, body: 'later' }, outcome: { kind: 'retry', detail: 'HTTP 503' } },
  ],
  secrets: [TOKEN, 'canary-in-the-path'],
})

/** Sends through the first endpoint of this entry; what was printed and logged. */
async function send(
  entry: Record<string, unknown>,
  content: Content = contentOf(),
  { fault, turn }: { readonly fault?: Error; readonly turn?: (clock: TestClock) => Promise<void> } = {},
) {
  const printed: string[] = []
  const channel = systemChannel((text) => {
    printed.push(text)
    return fault ? Promise.reject(fault) : Promise.resolve()
  })
  const logged: Record<string, unknown>[] = []
  const log = createLog('trace', { write: (line) => void logged.push(JSON.parse(line)) })
  const clock = testClock(new Date(2024, 0, 1, 12).getTime())
  const http = createOutbound(clock, 15_000)
  onTestFinished(() => http.close())
  const [endpoint] = channel.endpoints({ notifications: [entry] }, undefined, BACKOFF)
  const sent = endpoint?.send(content, ioOf(http, clock, log))
  await turn?.(clock)
  return { outcome: await sent, printed, logged }
}

async function folderOf() {
  const { dir, remove } = await temporaryFolder()
  onTestFinished(remove)
  return dir
}

describe('console', () => {
  test('prints the sheet', async () => {
    const content = contentOf({ level: 'warning' })
    const { outcome, printed, logged } = await send({ type: 'console' }, content)
    expect(outcome).toEqual({ kind: 'accepted' })
    expect(printed).toEqual([sheetOf(content)])
    expect(logged).toEqual([])
  })

  test('a terminal that is gone is no exception', async () => {
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    expect((await send({ type: 'console' }, contentOf(), { fault: gone })).outcome).toEqual({
      kind: 'retry',
      detail: 'EPIPE',
      parts: 0,
    })
  })
})

describe('file', () => {
  test('writes the sheet into its folder', async () => {
    const dir = await folderOf()
    const { outcome } = await send({ type: 'file', path: join(dir, 'n/') })
    expect(outcome).toEqual({ kind: 'accepted' })
    expect(readdirSync(join(dir, 'n'))).toEqual(['system_notify_20240101_120000.txt'])
    expect(readFileSync(join(dir, 'n/system_notify_20240101_120000.txt'), 'utf8')).toBe(sheetOf(contentOf()))
  })

  test('without a path: notifications/ in the working directory', async () => {
    const dir = await folderOf()
    const before = process.cwd()
    onTestFinished(() => process.chdir(before))
    process.chdir(dir)
    await send({ type: 'file' })
    expect(readdirSync(join(dir, 'notifications'))).toHaveLength(1)
  })

  test('a disk that does not let it is no exception, and its path is nowhere', async () => {
    const dir = await folderOf()
    writeFileSync(join(dir, 'file'), '')
    const { outcome } = await send({ type: 'file', path: join(dir, 'file/deeper') })
    expect(outcome).toEqual({ kind: 'retry', detail: 'ENOTDIR', parts: 0 })
  })
})

describe('syslog', () => {
  test.each([
    ['error', 'error'],
    ['warning', 'warn'],
    ['info', 'info'],
    ['success', 'info'],
  ] as const)('%s is logged at %s, with every field', async (level, word) => {
    const content = contentOf({ level, recipient: '运维告警组' })
    const { outcome, printed, logged } = await send({ type: 'syslog' }, content)
    expect(outcome).toEqual({ kind: 'accepted' })
    expect(printed).toEqual([])
    const fields = { ...noticeOf(content), recipient: '运维告警组' }
    expect(logged).toEqual([{ level: word, time: expect.any(String), msg: '系统通知', ...fields }])
  })
})

describe('http', () => {
  test('without a url the inbox of system is all there is', async () => {
    expect((await send({ type: 'http' })).outcome).toEqual({ kind: 'accepted' })
  })

  test('headers of the config win, in any spelling', async () => {
    const receiver = await startReceiver()
    onTestFinished(() => receiver.close())
    await send({ type: 'http', url: receiver.url, headers: { 'Content-Type': 'text/json', 'X-Key': 'v' } })
    expect(receiver.requests[0]?.headers).toMatchObject({ 'content-type': 'text/json', 'x-key': 'v' })
  })

  test('a token that comes back alone is hidden too', async () => {
    const receiver = await startReceiver((response) => void response.writeHead(403).end(`no access for ${TOKEN}`))
    onTestFinished(() => receiver.close())
    const { outcome } = await send({ type: 'http', url: receiver.url, headers: { authorization: `Bearer ${TOKEN}` } })
    expect(outcome).toMatchObject({ kind: 'failed', answer: 'no access for [secret]' })
  })

  test('its own timeout, where it is shorter', async () => {
    const receiver = await startReceiver(() => {})
    onTestFinished(() => receiver.close())
    const turn = async (clock: TestClock) => {
      await receiver.received(1)
      await clock.advance(3_000)
    }
    const { outcome } = await send({ type: 'http', url: receiver.url, timeout: 3 }, contentOf(), { turn })
    expect(outcome).toEqual({ kind: 'unknown', detail: 'no answer within 3 s', parts: 0 })
  })
})

describe('what reaches whom', () => {
  async function reachesOf(text: string) {
    const { file, read } = configFolder()
    file('config.yaml', text)
    const { config } = await read()
    return config.reaches.map(({ recipient, platforms }) => [
      recipient,
      ...platforms.flatMap(({ endpoints }) => endpoints.map(({ id, name }) => `${id} ${name}`)),
    ])
  }

  test.each(['{}', 'system: {}', 'system: {enabled: true, notifications: []}'])(
    '%s: what cannot be delivered is logged',
    async (text) => {
      expect(await reachesOf(text)).toEqual([['system@user', 'system:syslog syslog']])
    },
  )

  test('the section names others', async () => {
    const text = 'system: {notifications: [{type: console, name: C}, {type: syslog, enabled: false}, {type: http}]}'
    expect(await reachesOf(text)).toEqual([['system@user', 'system:console C', 'system:http http']])
  })

  test.each(['system: {enabled: false}', 'system: {notifications: [{type: console, enabled: false}]}'])(
    '%s: nobody',
    async (text) => {
      expect((await reachesOf(text)).flat().join()).not.toContain('system:')
    },
  )

  test('a recipient of its own: beside that of the hub', async () => {
    const text = 'recipients: {ops: {platforms: {system: {notifications: [{type: file, path: a}, {type: console}]}}}}'
    expect(await reachesOf(text)).toEqual([
      ['system@user', 'system:syslog syslog'],
      ['ops@user', expect.stringMatching(/^system:file:[0-9a-f]{12} file$/), 'system:console console'],
    ])
  })

  test('one folder, however it is spelt, is one endpoint', async () => {
    const { file, mistakes } = configFolder()
    file('config.yaml', 'system: {notifications: [{type: file, path: ./a}, {type: file, path: a/}]}')
    expect(await mistakes()).toEqual(['system: system names the same endpoint twice'])
  })
})
