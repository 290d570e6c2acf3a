/**
 * Calls that speak a message: Twilio (any text) or Aliyun (the variables of a template). Every number is called on
 * its own, nothing is split, and who may have been called is not called again.
 */
import * as z from 'zod'
import { aliyunAccount, aliyunTo, callAliyun } from './phone/aliyun.ts'
import { type Addressed, defineChannel } from './channel.ts'
import type { Content } from './content.ts'
import { dialled, phonePlatform, type PhoneTarget, phoneTarget } from './phone/numbers.ts'
import { filled, namedParams, type Template } from './phone/template.ts'
import { inOneLine, plainOf, withoutAddresses } from './phone/text.ts'
import { escaped } from './text/escape.ts'
import { shortened } from './text/pieces.ts'
import { postTwilio, twilioAccount, twilioTo } from './phone/twilio.ts'

/** https://www.twilio.com/docs/api/errors/32018 */
const LONGEST = { max: 4000, unit: 'utf16' } as const
const SPOKEN = { title: 100, body: 200 }
/** Aliyun: all variables together are shorter than 250 characters */
const ROOM = { each: 200, total: 249 }
const NOTHING = '新消息 New message'

const templateCode = z
  .string()
  .min(1)
  .meta({ description: 'code of an approved TTS template', zh: '已审核的语音模板 ID' })

const twilio = {
  provider: z.literal('twilio').meta({ description: 'Twilio', zh: 'Twilio 语音' }),
  ...twilioAccount,
  from: z.string().min(1).meta({ description: 'number that calls', zh: '主叫号码' }),
  language: z.string().min(2).default('zh-CN').meta({ description: 'language that is spoken', zh: '朗读语言' }),
  voice: z.string().min(1).optional().meta({ description: 'voice, such as Polly.Zhiyu', zh: '发音人，如 Polly.Zhiyu' }),
  loop: z.int().min(1).max(5).default(2).meta({ description: 'how often it is said', zh: '朗读次数' }),
}

const aliyun = {
  provider: z.literal('aliyun').meta({ description: 'Aliyun', zh: '阿里云语音' }),
  ...aliyunAccount,
  template: templateCode,
  params: namedParams,
  playTimes: z.int().min(1).max(3).default(2).meta({ description: 'how often it is said', zh: '朗读次数' }),
  from: z.string().min(1).optional().meta({
    description: 'number that calls, of a dedicated number; without it a shared one',
    zh: '主叫号码，仅专属模式需要填写',
  }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://dyvmsapi.aliyuncs.com')
    .meta({ description: 'where the API is', zh: 'API 地址' }),
}

const platform = z.discriminatedUnion('provider', [
  z.strictObject({ ...phonePlatform, ...twilio }),
  z.strictObject({ ...phonePlatform, ...aliyun }),
])
const account = z.discriminatedUnion('provider', [
  z.strictObject(twilio),
  z.strictObject({ ...aliyun, template: templateCode.optional() }),
])
type Account = z.infer<typeof account>
type Of<Provider extends Account['provider']> = Extract<Account, { provider: Provider }>

/** An account with the people that it calls. */
type Address =
  | (Of<'twilio'> & { readonly to: readonly string[] })
  | (Of<'aliyun'> & { readonly to: readonly string[]; readonly chosen: Template })

export default defineChannel<z.infer<typeof platform>, Address, string, undefined, Account, PhoneTarget>({
  name: 'voice',
  title: { en: 'Phone call', zh: '语音电话' },
  credentials: {
    en: '[Twilio](https://console.twilio.com): account SID, auth token and a number that may call. [Aliyun](https://dyvms.console.aliyun.com): an access key and an approved TTS template; it calls one number once a minute, 5 times an hour and 20 times a day at most. A call cannot carry the confirm link.',
    zh: '[Twilio](https://console.twilio.com)：账户 SID、Auth Token 和可外呼的号码。[阿里云](https://dyvms.console.aliyun.com)：访问密钥和已审核的语音模板；同一被叫每分钟 1 次、每小时 5 次、每天 20 次。电话中无法携带确认链接。',
  },
  platform,
  example: {
    provider: 'twilio',
    accountSid: 'AC00000000000000000000000000000000',
    authToken: 'example-auth-token',
    from: '+12025550100',
    to: ['+8613800138000'],
  },
  capabilities: {
    ordered: false,
    onUnknown: 'skip',
    shared: true,
    success: 'accepted',
    limits: { text: LONGEST, card: LONGEST },
    // the vendor's hour and day are left to its own answers: a call that waits for hours is no alarm
    rates: [{ count: 1, perMs: 60_000 }],
  },
  addresses: (given) => [addressed(given, { to: given.to }, given.name)],
  direct: { account, target: phoneTarget, addressed },
  independentParts: true,

  server: ({ baseUrl }) => baseUrl,

  render(content, address) {
    return address.to.map((number) => requestOf(number, content, address))
  },

  send(body, address, _, io) {
    return address.provider === 'twilio'
      ? postTwilio('Calls', body, address, io)
      : callAliyun('SingleCallByTts', body, address, io)
  },
})

function addressed(given: Account, target: PhoneTarget, name?: string): Addressed<Address> {
  return given.provider === 'twilio' ? twilioTo(given, target, name) : aliyunTo(given, target, name)
}

/** The request's body for one number, unsigned. */
function requestOf(number: string, content: Content, address: Address): string {
  if (address.provider === 'twilio') {
    return new URLSearchParams({ To: number, From: address.from, Twiml: twimlOf(content, address) }).toString()
  }
  return new URLSearchParams({
    CalledNumber: dialled(number),
    TtsCode: address.chosen.code,
    TtsParam: JSON.stringify(Object.fromEntries(filled(address.chosen, content, ROOM))),
    PlayTimes: String(address.playTimes),
    ...(address.from === undefined ? {} : { CalledShowNumber: address.from }),
  }).toString()
}

/** https://www.twilio.com/docs/voice/twiml/say */
function twimlOf({ title, body }: Content, { language, voice, loop }: Of<'twilio'>): string {
  const words = [spoken(title, SPOKEN.title), spoken(body, SPOKEN.body)].filter((text) => text !== '').join('. ')
  const attributes = [
    ['language', language],
    ['loop', String(loop)],
    ...(voice === undefined ? [] : [['voice', voice]]),
  ]
  const written = attributes.map(([name, value]) => ` ${name}="${escaped(value ?? '')}"`).join('')
  return `<Response><Say${written}>${escaped(words === '' ? NOTHING : words)}</Say></Response>`
}

/** XML 1.0 has no place for U+FFFE and U+FFFF. */
function spoken(text: string, most: number): string {
  const plain = inOneLine(withoutAddresses(plainOf(text))).replaceAll(/[\uFFFE\uFFFF]/g, '')
  return shortened(plain, ({ length }) => length / most)
}
