import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Content } from '../../server/channels/content.ts'
import voice from '../../server/channels/voice.ts'
import { type ChannelUnderTest, channelContract, CONFIRM_URL, contentOf, LINK } from '../contract/channel.ts'
import { type Phones, startPhones } from '../helpers/phones.ts'
import {
  aliyunAccount,
  checkAliyun,
  checkTwilio,
  complaintAboutVariables,
  formOf,
  paramsOf,
  spokenOf,
  twilioAccount,
} from '../helpers/phone-vendors.ts'
import type { Received } from '../helpers/receiver.ts'

const TO = '+8613800138000'
const nonces = new Set<string>()

function json(status: number, body: unknown) {
  return { status, body: JSON.stringify(body) }
}

const twilio: ChannelUnderTest = {
  channel: voice,
  platform: (baseUrl) => ({ provider: 'twilio', ...twilioAccount, from: '+12025550100', baseUrl, to: [TO] }),
  ok: json(201, { sid: 'CA0123456789abcdef0123456789abcdef', status: 'queued' }),
  check: (request) => checkTwilio('Calls', request),
  shown: (request) => spokenOf(twimlOf(request)),
  counted: twimlOf,
  overflow: 'cut',
  links: false,
  responses: [
    {
      name: 'no such number',
      answer: json(400, { code: 21211, message: 'Invalid phone number', status: 400 }),
      outcome: { kind: 'failed', detail: '21211 Invalid phone number' },
    },
    {
      name: 'too many at once',
      answer: json(429, { code: 20429, message: 'Too Many Requests', status: 429 }),
      outcome: { kind: 'retry' },
    },
  ],
  secrets: [twilioAccount.authToken, btoa(`${twilioAccount.accountSid}:${twilioAccount.authToken}`)],
  direct: {
    account: (baseUrl) => ({ provider: 'twilio', ...twilioAccount, from: '+12025550100', baseUrl }),
    target: { to: [TO] },
    refused: [{}, { to: [] }, { to: ['13800138000'] }, { to: [TO], template: 'TTS_1' }],
  },
}

function twimlOf(request: Received): string {
  return formOf(request)['Twiml'] ?? ''
}

function aliyun(signature: 'acs3' | 'rpc'): ChannelUnderTest {
  const account = { provider: 'aliyun', ...aliyunAccount, signature }
  return {
    channel: voice,
    platform: (baseUrl) => ({
      ...account,
      template: 'TTS_10001',
      params: { title: 'title', msg: 'body' },
      baseUrl,
      to: [TO],
    }),
    ok: json(200, { Code: 'OK', Message: 'OK', CallId: '116012354148^10281378****', RequestId: 'D9CB3933' }),
    check: (request, now) => {
      const values = Object.values(ttsParams(request))
      const complaint = checkAliyun('SingleCallByTts', request, now, nonces) ?? complaintAboutVariables(values, 200)
      return complaint ?? (values.join('').length < 250 ? null : 'isv.TEMPLATE_PARAMS_ILLEGAL')
    },
    shown: (request) => Object.values(ttsParams(request)).join('\n'),
    counted: (request) => Object.values(ttsParams(request)).join(''),
    overflow: 'cut',
    links: false,
    responses: [
      {
        name: 'no such template',
        answer: json(200, { Code: 'isv.TTS_TEMPLATE_ILLEGAL', Message: 'TTS模板不合法' }),
        outcome: { kind: 'failed', detail: 'isv.TTS_TEMPLATE_ILLEGAL TTS模板不合法' },
      },
      {
        name: 'called a minute ago',
        answer: json(200, { Code: 'isv.BUSINESS_LIMIT_CONTROL', Message: '触发分钟级流控Permits:1' }),
        outcome: { kind: 'retry', retryAfterMs: 60_000 },
      },
      {
        name: 'called too often this hour',
        answer: json(200, { Code: 'isv.BUSINESS_LIMIT_CONTROL', Message: '触发小时级流控Permits:5' }),
        outcome: { kind: 'failed' },
      },
      {
        name: 'overloaded',
        answer: json(503, { Code: 'ServiceUnavailable', Message: 'temporary failure' }),
        outcome: { kind: 'retry' },
      },
    ],
    secrets: [aliyunAccount.accessKeySecret],
    direct: {
      account: (baseUrl) => ({ ...account, baseUrl }),
      target: { to: ['13800138000'], template: 'TTS_2', params: { what: 'disk' } },
      refused: [{ to: [TO] }, { to: [TO], template: 'TTS_2', params: ['disk'] }],
    },
  }
}

function ttsParams(request: Received): Record<string, unknown> {
  return JSON.parse(paramsOf(request)['TtsParam'] ?? '') as Record<string, unknown>
}

describe('Twilio', () => channelContract(twilio))
describe('Aliyun', () => channelContract(aliyun('acs3')))
describe('Aliyun, signed the older way', () => channelContract(aliyun('rpc')))

describe('in particular', () => {
  let phones: Phones
  beforeEach(async () => {
    phones = await startPhones(voice)
  })
  afterEach(() => phones.close())

  const twiml = async (said: Partial<Content>, more: object = {}) => {
    expect(await phones.send(twilio, more, contentOf(said))).toEqual({ kind: 'accepted' })
    return twimlOf(phones.last())
  }

  test('Twilio says title and text twice, in Chinese unless told', async () => {
    expect(await twiml({ title: '磁盘已满', body: 'R&D <nas1> "full"' })).toBe(
      '<Response><Say language="zh-CN" loop="2">磁盘已满. R&amp;D &lt;nas1&gt; &quot;full&quot;</Say></Response>',
    )
    expect(await twiml({ body: '' }, { language: 'en-GB', voice: 'Polly.Amy', loop: 1 })).toBe(
      '<Response><Say language="en-GB" loop="1" voice="Polly.Amy">Disk full</Say></Response>',
    )
  })

  test('no Markdown, address or line break is spoken', async () => {
    const body = `**nas1** is [full](${LINK})\n\n> see web1.example.com/status and 10.0.0.1`
    const said = { body, link: LINK, confirmUrl: CONFIRM_URL }
    expect(spokenOf(await twiml(said))).toBe('Disk full. nas1 is full see and')
  })

  test('the title is said, then about 200 characters, in one call', async () => {
    const words = spokenOf(await twiml({ title: '题'.repeat(300), body: '字'.repeat(3000) }))
    expect(words).toBe(`${'题'.repeat(99)}…. ${'字'.repeat(199)}…`)
    expect(phones.requests).toHaveLength(1)
  })

  test('a message of which nothing can be spoken still calls', async () => {
    expect(spokenOf(await twiml({ title: LINK, body: LINK }))).toMatch(/message/)
  })

  test('what XML has no place for is left out', async () => {
    expect(spokenOf(await twiml({ title: 'a\u0000\u001Fb\uFFFFc\uD800', body: '' }))).toBe('a bc\uFFFD')
  })

  test('Aliyun is asked for a call of the template, shorter than 250 characters in all', async () => {
    const content = contentOf({ title: '题'.repeat(300), body: '字'.repeat(3000) })
    const more = { to: [TO, '+862112345678', '+85221234567'], playTimes: 3, from: '057112345678' }
    expect(await phones.send(aliyun('acs3'), more, content)).toEqual({ kind: 'accepted' })
    expect(phones.requests.map((request) => paramsOf(request)['CalledNumber'])).toEqual([
      '13800138000',
      '02112345678',
      '85221234567',
    ])
    const request = phones.last()
    expect(paramsOf(request)).toMatchObject({ TtsCode: 'TTS_10001', PlayTimes: '3', CalledShowNumber: '057112345678' })
    expect(ttsParams(request)).toEqual({ title: `${'题'.repeat(123)}…`, msg: `${'字'.repeat(123)}…` })
  })

  test('a number of the shared pool calls unless another is named', async () => {
    await phones.send(aliyun('rpc'), {}, contentOf())
    expect(paramsOf(phones.last())).not.toHaveProperty('CalledShowNumber')
  })

  test('one number is called once a minute at most, and never again where it may have rung', () => {
    expect(voice.capabilities).toMatchObject({ onUnknown: 'skip', rates: [{ count: 1, perMs: 60_000 }] })
  })
})
