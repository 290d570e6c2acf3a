import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Content } from '../../server/channels/content.ts'
import { segmentsOf } from '../../server/channels/phone/segments.ts'
import sms from '../../server/channels/sms.ts'
import { type ChannelUnderTest, channelContract, CONFIRM_URL, contentOf, LINK } from '../contract/channel.ts'
import { type Phones, startPhones } from '../helpers/phones.ts'
import { formOf, paramsOf } from '../helpers/phone-vendors.ts'
import type { Received } from '../helpers/receiver.ts'
import { aliyun, tencent, TO, twilio } from '../helpers/sms-providers.ts'

describe('Twilio', () => channelContract(twilio))
describe('Aliyun', () => channelContract(aliyun))
describe('Tencent Cloud', () => channelContract(tencent))

describe('in particular', () => {
  let phones: Phones
  beforeEach(async () => {
    phones = await startPhones(sms)
  })
  afterEach(() => phones.close())

  const send = (subject: ChannelUnderTest, more: object, said: Partial<Content> = {}) =>
    phones.send(subject, more, contentOf(said))
  const body = async (said: Partial<Content>, more: object = {}) => {
    await send(twilio, more, said)
    return formOf(phones.last())['Body'] ?? ''
  }

  describe('several numbers', () => {
    const other = '+8613900139000'

    test.each([
      [twilio, (request: Received) => formOf(request)['To'], [TO, other]],
      [aliyun, (request: Received) => paramsOf(request)['PhoneNumbers'], ['13800138000', '13900139000']],
      [tencent, ({ body }: Received) => JSON.parse(body).PhoneNumberSet.join(), [TO, other]],
    ] as const)('are a request each, each of them once', async (subject, numberOf, expected) => {
      expect(await send(subject, { to: [TO, other, '+86 138-0013-8000'] })).toEqual({ kind: 'accepted' })
      expect(phones.requests.map(numberOf)).toEqual(expected)
    })

    test('one that is refused does not keep the others back', async () => {
      const [refusal] = twilio.responses
      phones.answer = ({ body }) => (body.includes('139') ? (refusal?.answer ?? twilio.ok) : twilio.ok)
      expect(await send(twilio, { to: [other, TO] })).toMatchObject({
        kind: 'accepted',
        detail: expect.stringContaining('1 of 2 refused: 21211'),
      })
      expect(phones.requests).toHaveLength(2)
    })

    test('all refused is a failure', async () => {
      phones.answer = () => twilio.responses[0]?.answer ?? twilio.ok
      expect(await send(twilio, { to: [other, TO] })).toMatchObject({ kind: 'failed' })
    })
  })

  describe('a text', () => {
    test('is title and body, as they are', async () => {
      expect(await body({ title: 'CPU\n95%', body: 'nas1: **hot**\nfan off' })).toBe('CPU 95%: nas1: **hot**\nfan off')
      expect(await body({ title: 'CPU', body: '' })).toBe('CPU')
      expect(await body({ title: '\n', body: 'nas1' })).toBe('nas1')
    })

    test('of a card has no Markdown', async () => {
      const markdown = '# nas1\n\n- **hot**\n- see [graph](https://g.example.com/1)'
      expect(await body({ style: 'card', title: 'CPU', body: markdown })).toBe(
        'CPU: nas1\n\nhot\nsee graph https://g.example.com/1',
      )
    })

    test.each([
      ['ASCII', 'x', 459, '...'],
      ['Chinese', '字', 201, '…'],
    ])('%s is cut where a fourth segment would begin', async (_, character, most, ellipsis) => {
      const whole = character.repeat(most)
      expect(await body({ title: whole, body: '' })).toBe(whole)
      const cut = await body({ title: `${whole}${character}`, body: '' })
      expect(cut).toBe(character.repeat(most - ellipsis.length) + ellipsis)
      expect(segmentsOf(cut)).toBe(3)
    })

    test('has as many segments as the config says', async () => {
      expect(segmentsOf(await body({ body: 'x'.repeat(5000) }, { segments: 1 }))).toBe(1)
      expect(segmentsOf(await body({ body: 'x'.repeat(5000) }, { segments: 10 }))).toBe(10)
      expect(sms.platform.safeParse({ ...Object(twilio.platform('http://v')), segments: 11 }).success).toBe(false)
    })

    test('keeps the confirm link and is cut for it', async () => {
      const cut = await body({ body: 'x'.repeat(5000), link: LINK, confirmUrl: CONFIRM_URL })
      expect(cut).toMatch(/^Disk full: x{100,}\.\.\.\n/)
      expect(cut.endsWith(`...\n${LINK}\nConfirm: ${CONFIRM_URL}`)).toBe(true)
      expect(segmentsOf(cut)).toBe(3)
    })

    test('says where to confirm in its own alphabet', async () => {
      expect(await body({ title: '磁盘已满', body: '', confirmUrl: CONFIRM_URL })).toBe(
        `磁盘已满\n确认: ${CONFIRM_URL}`,
      )
    })

    test('loses the message’s own link first, then the other, where there is no room', async () => {
      const said = { body: '', link: LINK, confirmUrl: CONFIRM_URL }
      expect(await body({ ...said, title: 'x'.repeat(40) }, { segments: 1 })).toBe(
        `${'x'.repeat(40)}\nConfirm: ${CONFIRM_URL}`,
      )
      expect(await body({ ...said, title: '字'.repeat(40) }, { segments: 1 })).toBe('字'.repeat(40))
    })

    test('goes out by a messaging service where one is named', async () => {
      const from = `MG${'0123456789abcdef'.repeat(2)}`
      await send(twilio, { from })
      const form = formOf(phones.last())
      expect(form).toMatchObject({ MessagingServiceSid: from })
      expect(form).not.toHaveProperty('From')
    })
  })

  describe('a template', () => {
    const hostile = {
      title: 'web1.example.com 10.0.0.1:8080',
      body: 'see https://x.example.com/a?b=c\n请查看',
      link: LINK,
      confirmUrl: CONFIRM_URL,
    }

    test('of Aliyun is filled as the config says, without addresses', async () => {
      await send(aliyun, { params: { name: 'title', msg: 'body', to: 'recipient', level: 'level' } }, hostile)
      expect(paramsOf(phones.last())).toMatchObject({
        SignName: '测试(*)',
        TemplateCode: 'SMS_1',
        TemplateParam: '{"name":"web1","msg":"see 请查看","to":"ops","level":"info"}',
      })
    })

    test('of Tencent Cloud is filled in order, 12 characters each unless told', async () => {
      const { maxLength: _, ...platform } = Object(tencent.platform(''))
      await send(
        { ...tencent, platform: (baseUrl) => ({ ...platform, baseUrl }) },
        { params: ['body', 'title'] },
        {
          title: '一二三四五六七八九十一二三',
          body: 'ok',
        },
      )
      expect(JSON.parse(phones.last().body)).toEqual({
        PhoneNumberSet: [TO],
        SmsSdkAppId: '1400006666',
        SignName: '测试',
        TemplateId: '1110',
        TemplateParamSet: ['ok', '一二三四五六七八九十一…'],
      })
    })

    test('that a call names is filled with the call’s own values', async () => {
      const target = { to: ['13800138000'], template: 'SMS_9', params: { code: 1234, at: 'web1.example.com' } }
      expect(await phones.direct(aliyun, contentOf({}, { target }))).toEqual({ kind: 'accepted' })
      expect(paramsOf(phones.last())).toMatchObject({
        PhoneNumbers: '13800138000',
        TemplateCode: 'SMS_9',
        TemplateParam: '{"code":"1234","at":"web1"}',
      })
    })
  })

  test('a bare number is one of mainland China, but not to Twilio', async () => {
    await send(tencent, { to: ['138 0013 8000'] })
    expect(JSON.parse(phones.last().body)).toMatchObject({ PhoneNumberSet: [TO] })
    await expect(send(twilio, { to: ['13800138000'] })).rejects.toThrow(/country code/)
  })

  test('an endpoint is named as the operator named it, else by its provider and the end of its number', () => {
    const named = (more: object) => phones.endpoint(twilio, more).name
    expect(named({ name: 'On call' })).toBe('On call')
    expect(named({})).toBe('Twilio …8000')
    expect(named({ to: [TO, '+8613900139000', '+8613700137000'] })).toBe('Twilio …8000 +2')
  })

  test('endpoints differ by provider, account, sender and numbers', () => {
    const ids = [
      phones.endpoint(twilio, {}),
      phones.endpoint(twilio, { from: 'Acme' }),
      phones.endpoint(twilio, { to: ['+8613900139000'] }),
      phones.endpoint(aliyun, {}),
      phones.endpoint(aliyun, { template: 'SMS_3' }),
      phones.endpoint(tencent, {}),
    ].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('what may have been sent is not sent again', () => {
    expect(sms.capabilities).toMatchObject({ onUnknown: 'skip', success: 'accepted', ordered: false })
  })
})
