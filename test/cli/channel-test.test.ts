import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint, Sent } from '../../server/channels/channel.ts'
import webhook from '../../server/channels/webhook.ts'
import { BadArguments } from '../../server/cli/arguments.ts'
import { type Result, testChannel } from '../../server/cli/channel-test.ts'
import { configOf } from '../../server/config.ts'
import { STRONG } from '../helpers/config.ts'
import { closedPort, type Receiver, startReceiver, status } from '../helpers/receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver.close())

/** What came of each endpoint, in words. */
function told() {
  const lines: string[] = []
  const tell = async ({ recipient, channel, endpoint, outcome, detail }: Result) => {
    lines.push([recipient, channel, endpoint, outcome, detail].filter((part) => part !== '').join(' / '))
  }
  return { lines, tell }
}

/** Tests over a config in which ops and night share a hook, and what was printed. */
async function run(target: string, platform?: string) {
  const shared = { name: 'Shared', url: `${receiver.url}/shared` }
  const config = await configOf(
    {
      token: STRONG,
      recipients: {
        ops: { platforms: { webhook: { webhooks: [shared, { name: 'Jobs', url: `${receiver.url}/jobs` }] } } },
        night: { platforms: { webhook: { webhooks: [shared] } } },
        mute: {},
        ['Jos\u00e9']: { platforms: { webhook: { webhooks: [{ name: 'J', url: `${receiver.url}/jose` }] } } },
      },
    },
    { webhook: { clients: [{ name: 'wh', url: `${receiver.url}/wh` }] } },
  )
  const { lines, tell } = told()
  const ok = await testChannel(config, { target, platform }, tell)
  return { ok, lines, urls: receiver.requests.map(({ url }) => url) }
}

describe('a target', () => {
  test.each(['ops', 'ops@user'])('%s is a recipient: each of its endpoints once', async (target) => {
    expect(await run(target)).toEqual({
      ok: true,
      lines: ['ops / webhook / Shared / delivered', 'ops / webhook / Jobs / delivered'],
      urls: ['/shared', '/jobs'],
    })
  })

  test('that is a channel: each endpoint of it once, whoever shares it', async () => {
    const { ok, urls } = await run('webhook')
    expect({ ok, urls }).toEqual({ ok: true, urls: ['/wh', '/shared', '/jobs', '/jose'] })
  })

  test('is no account of an SDK call', async () => {
    const slack = { webhooks: { '#ops': `${receiver.url}/slack` } }
    const config = await configOf({ token: STRONG, sdk: { slack } })
    for (const target of ['slack', 'sdk-slack@app', 'sdk-slack']) {
      await expect(testChannel(config, { target, platform: undefined }, told().tell)).rejects.toThrow(BadArguments)
    }
  })

  test('is compared in NFC, as everywhere', async () => {
    expect((await run('Jose\u0301')).urls).toEqual(['/jose'])
  })

  test('with a platform', async () => {
    expect((await run('night', 'webhook')).urls).toEqual(['/shared'])
  })

  test.each([
    [
      'opps',
      undefined,
      'nobody is reached by the name opps; recipients: system, wh, ops, night, José; channels: system, webhook',
    ],
    [
      'mute',
      undefined,
      'nobody is reached by the name mute; recipients: system, wh, ops, night, José; channels: system, webhook',
    ],
    [
      'feishu',
      undefined,
      'nobody is reached by the name feishu; recipients: system, wh, ops, night, José; channels: system, webhook',
    ],
    ['ops', 'feishu', 'ops is not reached by feishu; platforms: webhook'],
    ['a/b', undefined, 'nobody is reached by the name a/b'],
  ])('%s %s is unknown, and nothing is sent', async (target, platform, text) => {
    const tried = run(target, platform)
    await expect(tried).rejects.toThrow(BadArguments)
    await expect(tried).rejects.toThrow(text)
    expect(receiver.requests).toEqual([])
  })
})

test('the message speaks both languages and carries the hub token where the operator sends it', async () => {
  await run('wh')
  const [request] = receiver.requests
  expect(request?.headers['authorization']).toBe(STRONG)
  expect(JSON.parse(request?.body ?? '')).toEqual({
    cmd: 'MESSAGE',
    data: {
      sendType: 'personal',
      target: 'wh',
      from: { method: 'http', name: 'carillon' },
      message: {
        text: 'Carillon 测试消息 · Test message',
        desp: '这是一条测试消息，无需处理。\nThis is a test message. Nothing needs to be done.',
        extra: { type: 'info' },
      },
      mid: expect.stringMatching(/^\d{13}$/),
    },
  })
})

describe('what was not taken', () => {
  test.each([
    ['with what the other side wrote', () => Promise.resolve<Sent>({ kind: 'failed', detail: 'no way' }), 'no way'],
    ['without the words of a fault', () => Promise.reject(new TypeError('a secret')), 'the channel threw: TypeError'],
  ])('is told %s', async (_, send, detail) => {
    const endpoint: Endpoint = {
      id: 'fax:1',
      channel: 'fax',
      name: 'F',
      capabilities: webhook.capabilities,
      backoff: { firstMs: 1, maxMs: 1, tries: 1 },
      server: null,
      send,
    }
    const platforms = [{ channel: 'fax', endpoints: [endpoint] }]
    const reach = { recipient: 'ops@user', name: 'ops', groups: [], platforms, strategy: null, ladder: null }
    const config = { ...(await configOf({ token: STRONG })), reaches: [reach] }
    const { lines, tell } = told()
    await testChannel(config, { target: 'fax', platform: undefined }, tell)
    expect(lines).toEqual([`ops / fax / F / failed / ${detail}`])
  })

  test('is told with its detail, and the others are tried all the same', async () => {
    receiver.answer = (response, request) => status(request.url === '/shared' ? 410 : 204)(response, request)
    expect(await run('ops')).toMatchObject({
      ok: false,
      lines: ['ops / webhook / Shared / failed / HTTP 410', 'ops / webhook / Jobs / delivered'],
    })
  })

  test('nobody listens', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/`
    const config = await configOf({
      token: STRONG,
      recipients: { ops: { platforms: { webhook: { webhooks: [{ url }] } } } },
    })
    const { lines, tell } = told()
    expect(await testChannel(config, { target: 'ops', platform: undefined }, tell)).toBe(false)
    expect(lines).toEqual(['ops / webhook / 127.0.0.1 / retry / ECONNREFUSED'])
  })
})
