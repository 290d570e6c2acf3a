/** The seven calls of the multi-platform SDK, each against a vendor of its own. */
import { beforeEach, describe, expect, test } from 'vitest'
import { startHub, type TestHub, TOKEN } from '../helpers/hub.ts'
import { type MailServer, startMailServer } from '../helpers/mail.ts'
import { startReceiver, type Received, type Receiver } from '../helpers/receiver.ts'

let vendor: Receiver
let mail: MailServer
let hub: TestHub
/** what the vendor answers to messages; tokens are always given */
let says: string
beforeEach(async () => {
  says = '{"ok":true,"errcode":0,"errmsg":"ok","sid":"SM1","openDingId":"d"}'
  vendor = await startReceiver((response, request) => {
    response.writeHead(/Messages|Calls/.test(request.url) ? 201 : 200)
    if (request.url.includes('gettoken')) response.end('{"errcode":0,"access_token":"t","expires_in":7200}')
    else if (request.url.includes('accessToken')) response.end('{"accessToken":"t","expireIn":7200}')
    else response.end(says)
  })
  mail = await startMailServer()
  const twilio = {
    provider: 'twilio',
    accountSid: 'AC1',
    authToken: 'twilio-secret',
    from: '+15550001111',
    baseUrl: vendor.url,
  }
  hub = await startHub({
    config: {
      sdk: {
        email: { host: '127.0.0.1', port: mail.port, from: 'ops@example.com', tls: false },
        slack: { token: 'xoxb-secret', baseUrl: vendor.url },
        dingding: { url: `${vendor.url}/robot/send?access_token=dingding-secret` },
        wx: { corpid: 'corp', agents: { '1000002': 'wx-secret' }, baseUrl: vendor.url },
        call: { appKey: 'key', appSecret: 'ding-secret', robotCode: 'r', baseUrl: vendor.url },
        sms: twilio,
        vms: twilio,
      },
    },
  })
  return async () => {
    await vendor.close()
    await mail.close()
  }
})

const valid: Readonly<Record<string, Record<string, unknown>>> = {
  '/email/send/message': { subject: '磁盘告警', from: 'ops@example.com', to: ['a@example.com'], content: 'disk' },
  '/slack/send/message': { channel: '#ops', content: '*disk* full' },
  '/dingding/send/message': { content: 'disk', isAtAll: false, atMobiles: ['13800138000'] },
  '/wx/apps/send': { touser: 'name_a|name_b', agentid: '1000002', content: 'disk' },
  '/dingding/call': { userIds: ['u1', 'u2'], content: 'disk' },
  '/sms/send': { to: ['+8613800138000'], content: 'disk' },
  '/vms/send': { to: ['+8613800138000'], content: 'disk' },
}

const call = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  hub.post(body, { authorization: TOKEN, ...headers }, path)

const message = (): Received | undefined =>
  vendor.requests.filter(({ url }) => !/token/i.test(url.split('?')[0] ?? '')).at(-1)

describe('a call that the provider takes', () => {
  test.each(Object.keys(valid))('%s answers code 0 and nothing else', async (path) => {
    const answer = await call(path, valid[path])
    expect([answer.status, answer.text]).toEqual([200, '{"code":0}'])
  })

  test('says to the provider what was asked for', async () => {
    await call('/slack/send/message', valid['/slack/send/message'])
    expect(JSON.parse(message()?.body ?? '')).toMatchObject({ channel: '#ops', text: '*disk* full' })
    await call('/dingding/send/message', valid['/dingding/send/message'])
    expect(JSON.parse(message()?.body ?? '')).toMatchObject({
      msgtype: 'text',
      text: { content: expect.stringMatching(/disk[^]*@13800138000/) },
      at: { atMobiles: ['13800138000'], isAtAll: false },
    })
    await call('/wx/apps/send', valid['/wx/apps/send'])
    expect(JSON.parse(message()?.body ?? '')).toMatchObject({
      touser: 'name_a|name_b',
      agentid: 1000002,
      msgtype: 'text',
      text: { content: 'disk' },
    })
    await call('/dingding/call', valid['/dingding/call'])
    expect(JSON.parse(message()?.body ?? '')).toMatchObject({
      receiverUserIdList: ['u1', 'u2'],
      remindType: 3,
      content: 'disk',
    })
    await call('/sms/send', valid['/sms/send'])
    expect(Object.fromEntries(new URLSearchParams(message()?.body))).toMatchObject({
      To: '+8613800138000',
      Body: 'disk',
    })
    await call('/vms/send', valid['/vms/send'])
    expect(new URLSearchParams(message()?.body).get('Twiml')).toContain('disk')
  })

  test('mails from the account, with a copy', async () => {
    await call('/email/send/message', { ...valid['/email/send/message'], cc: 'b@example.com' })
    expect(mail.mails).toHaveLength(1)
    expect(mail.mails[0]).toMatchObject({ from: 'ops@example.com', to: ['a@example.com', 'b@example.com'] })
  })

  test('may come as a form', async () => {
    const form = (path: string, text: string) =>
      hub.request(path, {
        method: 'POST',
        body: text,
        headers: { authorization: TOKEN, 'content-type': 'application/x-www-form-urlencoded' },
      })
    expect(
      (await form('/email/send/message', 'subject=s&from=ops@example.com&to=a@x.org&to=b@x.org&content=c')).json,
    ).toEqual({ code: 0 })
    expect(mail.mails[0]?.to).toEqual(['a@x.org', 'b@x.org'])
    expect((await form('/dingding/send/message', 'content=c&isAtAll=true')).json).toEqual({ code: 0 })
    expect((await form('/sms/send', 'to=%2B8613800138000,%2B8613800138001&content=c')).json).toEqual({ code: 0 })
    expect(vendor.requests.filter(({ url }) => url.includes('Messages'))).toHaveLength(2)
  })
})

describe('a call that goes wrong', () => {
  test('answers 200, code 1 and what the provider said, word for word', async () => {
    says = '{"errcode":81013,"errmsg":"user & party & tag all invalid, hint: [1589355369_79]","invaliduser":"test"}'
    const answer = await call('/wx/apps/send', valid['/wx/apps/send'])
    expect([answer.status, answer.json]).toEqual([200, { code: 1, message: says }])
  })

  test('is tried once: whoever called may call again', async () => {
    says = '{"ok":false,"error":"internal_error"}'
    const answer = await call('/slack/send/message', valid['/slack/send/message'])
    expect(answer.json).toEqual({ code: 1, message: says })
    expect(vendor.requests).toHaveLength(1)
    expect((await hub.store.inbox('system@user', { limit: 1 })).items).toEqual([])
  })

  test.each([
    ['/email/send/message', { subject: '' }, 'subject 不能为空'],
    ['/email/send/message', { from: undefined }, 'from 不能为空'],
    ['/email/send/message', { to: [] }, 'to 不能为空'],
    ['/email/send/message', { to: { a: 1 } }, 'to 必须是数组'],
    ['/slack/send/message', { channel: undefined }, 'channel 不能为空'],
    ['/dingding/send/message', { isAtAll: undefined }, 'isAtAll 必须是布尔值'],
    ['/dingding/send/message', { atMobiles: [] }, 'atMobiles isAtAll 为 false 时不能为空'],
    ['/wx/apps/send', { agentid: '' }, 'agentid 不能为空'],
    ['/dingding/call', { userIds: '' }, 'userIds 不能为空'],
    ['/sms/send', { content: undefined }, 'content 不能为空'],
    ['/vms/send', { to: undefined }, 'to 必须是数组'],
  ])('%s with %j names the parameter', async (path, change, text) => {
    const answer = await call(path, { ...valid[path], ...change })
    expect([answer.status, answer.json]).toEqual([200, { code: 1, message: text }])
    expect(vendor.requests).toEqual([])
    expect(mail.mails).toEqual([])
  })

  test('from and agentid must be those of the account', async () => {
    for (const [path, change] of [
      ['/email/send/message', { from: 'boss@example.com' }],
      ['/wx/apps/send', { agentid: '1000003' }],
    ] as const) {
      expect((await call(path, { ...valid[path], ...change })).json).toMatchObject({ code: 1 })
    }
    expect(vendor.requests).toEqual([])
    expect(mail.mails).toEqual([])
  })

  test('a body that is none is code 1, a wrong method 405', async () => {
    const bad = await hub.request('/sms/send', {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    })
    expect([bad.status, bad.json]).toMatchObject([200, { code: 1 }])
    const get = await hub.get('/sms/send')
    expect([get.status, get.headers.get('allow'), get.json]).toMatchObject([405, 'POST, OPTIONS', { code: 1 }])
  })

  test('no secret is in any answer', async () => {
    vendor.answer = (response, request) => response.writeHead(400).end(JSON.stringify(request))
    for (const path of Object.keys(valid)) {
      const { text } = await call(path, valid[path])
      expect(text).not.toMatch(/(twilio|dingding|wx|ding)-secret|xoxb-secret/)
    }
  })
})

test('a call without an account says so; a push to its recipient goes nowhere', async () => {
  const bare = await startHub()
  const answer = await bare.post(valid['/sms/send'], {}, '/sms/send')
  expect([answer.status, answer.json]).toEqual([200, { code: 1, message: 'sdk.sms 未配置' }])
  expect((await hub.get('/sdk-sms@app.send?text=x', { authorization: TOKEN })).status).toBe(400)
})

test.each([{ http: { verifyToken: true } }, { api: { token: 'the token of the api' } }])(
  'with %j calls need a token',
  async (config) => {
    const closed = await startHub({ config })
    const answer = await closed.post(valid['/sms/send'], {}, '/sms/send')
    expect([answer.status, answer.json]).toMatchObject([401, { code: 1 }])
    expect((await closed.post(valid['/sms/send'], { authorization: TOKEN }, '/sms/send')).status).toBe(200)
  },
)
