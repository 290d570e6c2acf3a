/**
 * SMS through Twilio (texts), Aliyun or Tencent Cloud (templates). Every number is a message of its own, and each
 * is paid for: nothing is split, and what may have been sent is not sent again.
 */
import * as z from 'zod'
import { aliyunAccount, aliyunTo, callAliyun } from './phone/aliyun.ts'
import { type Addressed, defineChannel } from './channel.ts'
import type { Content } from './content.ts'
import { addressOf } from './text/links.ts'
import { dialled, nameOf, numbersOf, phonePlatform, type PhoneTarget, phoneTarget } from './phone/numbers.ts'
import { chosenTemplate, filled, listedParams, namedParams, type Template } from './phone/template.ts'
import { inOneLine, plainOf } from './phone/text.ts'
import { fingerprint } from './outbound/secrets.ts'
import { inSegments, isGsm, segmentsOf } from './phone/segments.ts'
import { sendTencentSms, tencentAccount } from './phone/tencent.ts'
import { postTwilio, twilioAccount, twilioTo } from './phone/twilio.ts'

/** https://www.twilio.com/docs/api/errors/21617 */
const LONGEST = { max: 1600, unit: 'utf16' } as const
/** of the text, that links leave room for */
const LEAST_TEXT = 40

const signName = z
  .string()
  .min(1)
  .meta({ description: 'approved signature, without brackets', zh: '已审核的短信签名，不含【】' })
const templateCode = z
  .string()
  .min(1)
  .meta({ description: 'code of an approved template', zh: '已审核的模板代码或 ID' })

const twilio = {
  provider: z.literal('twilio').meta({ description: 'Twilio: texts', zh: 'Twilio：文本短信' }),
  ...twilioAccount,
  from: z.string().min(1).meta({
    description: 'number or name of the sender, or the SID of a messaging service (MG…)',
    zh: '发送方号码或名称，也可填 Messaging Service 的 SID（MG…）',
  }),
  segments: z.int().min(1).max(10).default(3).meta({
    description: 'paid segments per message at most; longer texts are cut, and the confirm link always stays',
    zh: '每条消息最多计费的短信条数；超出部分截断，确认链接始终保留',
  }),
}

const aliyun = {
  provider: z.literal('aliyun').meta({ description: 'Aliyun: templates', zh: '阿里云：模板短信' }),
  ...aliyunAccount,
  signName,
  template: templateCode,
  params: namedParams,
  maxLength: z.int().min(1).max(500).default(35).meta({
    description: 'characters per variable; longer ones are cut',
    zh: '每个变量的最大字符数，超出部分截断',
  }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://dysmsapi.aliyuncs.com')
    .meta({ description: 'where the API is', zh: 'API 地址' }),
}

const tencent = {
  provider: z.literal('tencent').meta({ description: 'Tencent Cloud: templates', zh: '腾讯云：模板短信' }),
  ...tencentAccount,
  sdkAppId: z.string().min(1).meta({ description: 'SdkAppId of the SMS application', zh: '短信应用的 SdkAppId' }),
  signName,
  template: templateCode,
  params: listedParams,
  maxLength: z.int().min(1).max(500).default(12).meta({
    description: 'characters per variable; longer ones are cut. Some accounts may have more than 12',
    zh: '每个变量的最大字符数，超出部分截断；部分账户可超过 12',
  }),
}

const platform = z.discriminatedUnion('provider', [
  z.strictObject({ ...phonePlatform, ...twilio }),
  z.strictObject({ ...phonePlatform, ...aliyun }),
  z.strictObject({ ...phonePlatform, ...tencent }),
])
const account = z.discriminatedUnion('provider', [
  z.strictObject(twilio),
  z.strictObject({ ...aliyun, template: templateCode.optional() }),
  z.strictObject({ ...tencent, template: templateCode.optional() }),
])
type Account = z.infer<typeof account>
type Of<Provider extends Account['provider']> = Extract<Account, { provider: Provider }>

/** An account with the people that it writes to. */
type Address =
  | (Of<'twilio'> & { readonly to: readonly string[] })
  | ((Of<'aliyun'> | Of<'tencent'>) & { readonly to: readonly string[]; readonly chosen: Template })

export default defineChannel<z.infer<typeof platform>, Address, string, undefined, Account, PhoneTarget>({
  name: 'sms',
  title: { en: 'SMS', zh: '短信' },
  credentials: {
    en: '[Twilio](https://console.twilio.com): account SID, auth token and a number. [Aliyun](https://dysms.console.aliyun.com) and [Tencent Cloud](https://console.cloud.tencent.com/smsv2) send approved templates only: an access key, a signature and a template whose variables `params` fills. Templates cannot carry the confirm link.',
    zh: '[Twilio](https://console.twilio.com)：账户 SID、Auth Token 和号码。[阿里云](https://dysms.console.aliyun.com)与[腾讯云](https://console.cloud.tencent.com/smsv2)只能发送已审核的模板：需要访问密钥、签名和模板，变量由 `params` 填充。模板短信不能携带确认链接。',
  },
  platform,
  example: {
    provider: 'aliyun',
    accessKeyId: 'LTAI5tExample',
    accessKeySecret: 'example-access-key-secret',
    signName: '示例科技',
    template: 'SMS_123456789',
    params: { title: 'title', msg: 'body' },
    to: ['+8613800138000'],
  },
  capabilities: {
    ordered: false,
    onUnknown: 'skip',
    shared: true,
    success: 'accepted',
    limits: { text: LONGEST, card: LONGEST },
    rates: [],
  },
  addresses: (given) => [addressed(given, { to: given.to }, given.name)],
  direct: { account, target: phoneTarget, addressed },
  independentParts: true,

  server: ({ baseUrl }) => baseUrl,

  render(content, address) {
    return address.to.map((number) => requestOf(number, content, address))
  },

  send(body, address, _, io) {
    switch (address.provider) {
      case 'twilio':
        return postTwilio('Messages', body, address, io)
      case 'aliyun':
        return callAliyun('SendSms', body, address, io)
      case 'tencent':
        return sendTencentSms(body, address, io)
    }
  },
})

function addressed(given: Account, target: PhoneTarget, name?: string): Addressed<Address> {
  switch (given.provider) {
    case 'twilio':
      return twilioTo(given, target, name)
    case 'aliyun':
      return aliyunTo(given, target, name)
    case 'tencent': {
      const to = numbersOf(target.to, true)
      const chosen = chosenTemplate(given, target, 'listed')
      return {
        id: fingerprint('tencent', given.secretId, chosen.code, ...to),
        name: name ?? nameOf('Tencent', to),
        address: { ...given, to, chosen },
        secrets: [given.secretKey],
      }
    }
  }
}

/** The request's body for one number, unsigned. */
function requestOf(number: string, content: Content, address: Address): string {
  switch (address.provider) {
    case 'twilio': {
      const { from, segments } = address
      const sender = /^MG[\da-f]{32}$/i.test(from) ? { MessagingServiceSid: from } : { From: from }
      return new URLSearchParams({ To: number, ...sender, Body: textOf(content, segments) }).toString()
    }
    case 'aliyun': {
      const values = filled(address.chosen, content, { each: address.maxLength })
      return new URLSearchParams({
        PhoneNumbers: dialled(number),
        SignName: address.signName,
        TemplateCode: address.chosen.code,
        TemplateParam: JSON.stringify(Object.fromEntries(values)),
      }).toString()
    }
    case 'tencent':
      return JSON.stringify({
        PhoneNumberSet: [number],
        SmsSdkAppId: address.sdkAppId,
        SignName: address.signName,
        TemplateId: address.chosen.code,
        TemplateParamSet: filled(address.chosen, content, { each: address.maxLength }).map(([, value]) => value),
      })
  }
}

/** `title: body`, then what to open, in so many segments. */
function textOf(content: Content, segments: number): string {
  const title = inOneLine(content.title).slice(0, LONGEST.max)
  const body = content.style === 'card' ? plainOf(content.body) : content.body.slice(0, LONGEST.max)
  const text = [title, body].filter((words) => words !== '').join(': ')
  return inSegments(text, tailOf(content, text, segments), segments)
}

/** The message's own link goes where there is not enough room for the text, then the one to confirm. */
function tailOf({ link, confirmUrl }: Content, text: string, segments: number): string {
  const own = link === null ? '' : `\n${addressOf(link)}`
  const confirm = confirmUrl === null ? '' : `\n${isGsm(text) ? 'Confirm' : '确认'}: ${addressOf(confirmUrl)}`
  const start = text.slice(0, LEAST_TEXT)
  return [own + confirm, confirm].find((tail) => segmentsOf(start + tail) <= segments) ?? ''
}
