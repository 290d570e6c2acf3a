import { beforeEach, describe, expect, test } from 'vitest'
import { recipientId } from '../../server/protocol/address.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { startHub, type TestHub, TOKEN } from '../helpers/hub.ts'
import { startReceiver, type Receiver } from '../helpers/receiver.ts'

const WEEK_MS = 7 * 24 * 3_600_000

let clock: TestClock
let vendor: Receiver
let hub: TestHub
beforeEach(async () => {
  clock = testClock()
  vendor = await startReceiver((response) => response.writeHead(200).end('{"errcode":0}'))
  hub = await startHub({
    clock,
    config: {
      publicUrl: 'https://push.example.com/',
      recipients: {
        ops: {
          strategy: 'escalate',
          platforms: { wechat: { webhooks: [{ url: `${vendor.url}/a?key=1` }, { url: `${vendor.url}/b?key=2` }] } },
        },
      },
    },
  })
  return () => vendor.close()
})

/** Pushes and returns the path of the link that the robot's card carried. */
async function link(): Promise<string> {
  const count = vendor.requests.length + 1
  void hub.get(`/ops.send?text=${encodeURIComponent('disk <b>full</b>')}&desp=now`, { authorization: TOKEN })
  const { body } = await vendor.received(count)
  const [, path = ''] = /https:\/\/push\.example\.com(\/confirm\/[\w.-]+)/.exec(body) ?? []
  expect(path).not.toBe('')
  return path
}

async function stateOf(): Promise<unknown> {
  const { items } = await hub.store.list({ recipient: recipientId('ops') }, { limit: 1 })
  const [{ state, via, by, open } = {}] = items
  return { state, via, by, open }
}

const page = (path: string, language = 'en', method = 'GET') =>
  fetch(hub.url + path, { method, headers: { 'accept-language': language } })

describe('a confirm link', () => {
  test('shows what is to be confirmed, escaped, and changes nothing however often it is looked at', async () => {
    const path = await link()
    await clock.advance(1)
    for (let n = 0; n < 3; n += 1) {
      const response = await page(path)
      const html = await response.text()
      expect(response.status).toBe(200)
      expect(html).toContain('<h1>disk &lt;b&gt;full&lt;/b&gt;</h1>')
      expect(html).toContain('<form method="post">')
      expect(html).not.toMatch(/<script|https?:\/\//)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'cache-control': 'no-store',
        'x-robots-tag': 'noindex',
      })
    }
    expect((await page(path, 'en', 'HEAD')).status).not.toBe(500)
    expect(await stateOf()).toMatchObject({ state: 'accepted', open: true })
  })

  test('speaks the language of its reader', async () => {
    const path = await link()
    expect(await (await page(path, 'zh-CN,zh;q=0.9,en;q=0.5')).text()).toContain('确认收到')
    expect(await (await page(path, 'en-GB,en')).text()).toContain('>Confirm<')
    expect(await (await page(path, 'fr')).text()).toContain('lang="en"')
  })

  test('confirms when its button is pressed, stops the ladder, and says who was first after that', async () => {
    const path = await link()
    const first = await page(path, 'en', 'POST')
    expect([first.status, await first.text()]).toEqual([200, expect.stringContaining('Confirmed. Thank you.')])
    expect(await stateOf()).toEqual({ state: 'confirmed', via: 'wechat', by: 'wechat', open: false })
    for (const method of ['POST', 'GET']) {
      expect(await (await page(path, 'en', method)).text()).toContain('confirmed before, through wechat')
    }
    await clock.advance(600_000)
    expect(vendor.requests).toHaveLength(1)
    expect((await hub.store.inbox('system@user', { limit: 1 })).items).toEqual([])
  })

  test('that is forged is 403, whatever was changed; expired 410; of a message that is gone 404', async () => {
    const path = await link()
    const [payload = '', signature = ''] = path.slice('/confirm/'.length).split('.')
    const other = Buffer.from(JSON.stringify(['1800000000000', 'ops@user', 'x', 9e12])).toString('base64url')
    const forged = [
      `${payload}.${signature.slice(0, -2)}xx`,
      `${other}.${signature}`,
      payload,
      `${path.slice(9)}.x`,
      'x.y',
    ]
    for (const token of forged) {
      for (const method of ['GET', 'POST']) expect((await page(`/confirm/${token}`, 'en', method)).status).toBe(403)
    }
    expect(await stateOf()).toMatchObject({ state: 'accepted' })

    await clock.advance(WEEK_MS)
    for (const method of ['GET', 'POST']) {
      const response = await page(path, 'en', method)
      expect([response.status, await response.text()]).toEqual([410, expect.stringContaining('has expired')])
    }
  })

  test('is not taken for the proof of a client, nor the other way round', async () => {
    const path = await link()
    const token = path.slice('/confirm/'.length)
    const ack = await hub.post({ cmd: 'CONFIRM', data: { mid: '1' }, auth: `c1.${token}` })
    expect(ack.status).toBe(401)
    const client = await hub.login('anna')
    expect((await page(`/confirm/${client.auth.slice('c1.'.length)}`, 'en', 'POST')).status).toBe(403)
  })
})

test('without publicUrl no card carries a link', async () => {
  const plain = await startHub({
    clock,
    config: {
      recipients: {
        ops: { strategy: 'escalate', platforms: { wechat: { webhooks: [{ url: `${vendor.url}/?key=1` }] } } },
      },
    },
  })
  void plain.get('/ops.send?text=x', { authorization: TOKEN })
  const { body } = await vendor.received(1)
  expect(body).not.toContain('confirm')
})
