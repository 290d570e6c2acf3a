/**
 * DING of DingTalk (钉钉 DING): a notice in the app, an SMS or a phone call to members of the company:
 * https://open.dingtalk.com/document/development/robot-sends-nail-message.
 */
import * as z from 'zod'
import { type Io, type Outcome, defineChannel } from './channel.ts'
import { plainText } from './content.ts'
import { createAccessTokens, type Given, type Grant, grantOf, type Tried } from './outbound/access-tokens.ts'
import { postJson, readJson } from './outbound/json.ts'
import { type Passing, refusal, type Said, unanswered } from './outbound/outcomes.ts'
import { fingerprint } from './outbound/secrets.ts'
import { plainOf } from './phone/text.ts'
import { linkLines } from './text/links.ts'
import { shortened, sizeOf } from './text/pieces.ts'

/** none is published; a call reads it out */
const MAX_TEXT = 500
const MINUTE_MS = 60_000
/** of an access token, where the answer does not say */
const LIFETIME_S = 7_200

/** What it is there, and to how many at once. */
const reminders = {
  app: { remindType: 1, most: 200 },
  sms: { remindType: 2, most: 20 },
  phone: { remindType: 3, most: 20 },
} as const

/** The page above, and the gateway's words for too many calls a second. */
const passing: Passing = new Map([
  ['toomuch.msg', MINUTE_MS],
  ['system.error', 0],
  ['Forbidden.AccessDenied.QpsLimitForApi', 0],
  ['Forbidden.AccessDenied.QpsLimitForAppkeyAndApi', 0],
])

const accountKeys = {
  appKey: z
    .string()
    .min(1)
    .meta({ description: 'AppKey (Client ID) of the application', zh: '应用的 AppKey（Client ID）' }),
  appSecret: z.string().min(1).meta({
    description: 'AppSecret (Client Secret) of the application',
    zh: '应用的 AppSecret（Client Secret）',
  }),
  robotCode: z.string().min(1).meta({ description: 'code of its robot', zh: '应用机器人的 robotCode' }),
  remindType: z.enum(['app', 'sms', 'phone']).default('phone').meta({
    description: 'how people are reminded: in the app, by SMS or by a phone call; the last two are paid for',
    zh: '提醒方式：应用内、短信或电话；短信和电话需购买额度',
  }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.dingtalk.com')
    .meta({
      description: 'where the API is',
      zh: 'API 地址',
    }),
}
const userIds = z.array(z.string().min(1)).min(1).max(1_000)

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  ...accountKeys,
  userIds: userIds.meta({ description: 'user ids of those who are reminded', zh: '接收人的 userId 列表' }),
})
const account = z.strictObject(accountKeys)
const target = z.object({ userIds })

interface Address extends z.infer<typeof account> {
  readonly userIds: readonly string[]
}
interface Part {
  readonly body: string
  readonly receivers: number
}

const tokens = createAccessTokens()

export default defineChannel<
  z.infer<typeof platform>,
  Address,
  Part,
  undefined,
  z.infer<typeof account>,
  z.infer<typeof target>
>({
  name: 'ding',
  title: { en: 'DingTalk DING (call, SMS)', zh: '钉钉 DING（电话、短信）' },
  credentials: {
    en: 'Create an internal application with a robot in the [developer console](https://open-dev.dingtalk.com) of DingTalk, grant it the right to send DING messages, and copy AppKey, AppSecret and robotCode. The company needs the Professional or Exclusive edition.',
    zh: '在钉钉[开发者后台](https://open-dev.dingtalk.com)创建带机器人的企业内部应用，开通“企业机器人发送撤回DING消息”权限，复制 AppKey、AppSecret 和 robotCode。仅限钉钉专业版和专属版。',
  },
  platform,
  example: {
    appKey: 'dinginventedappkey01',
    appSecret: 'an-invented-secret-of-the-application',
    robotCode: 'dinginventedappkey01',
    remindType: 'phone',
    userIds: ['manager7675'],
  },
  capabilities: {
    ordered: false,
    onUnknown: 'skip',
    shared: true,
    success: 'accepted',
    limits: { text: { max: MAX_TEXT, unit: 'codepoints' }, card: { max: MAX_TEXT, unit: 'codepoints' } },
    rates: [{ count: 6_000, perMs: MINUTE_MS }],
  },

  addresses: (given) => [addressed(given, given.userIds)],
  direct: { account, target, addressed: (given, to) => addressed(given, to.userIds) },

  server: ({ baseUrl }) => baseUrl,

  render(content, { robotCode, remindType, userIds: all }) {
    const { remindType: kind, most } = reminders[remindType]
    const links = linkLines(content, (lines) => sizeOf(lines, 'codepoints') <= MAX_TEXT / 2)
    const said = content.style === 'card' ? { ...content, body: plainOf(content.body) } : content
    const text = shortened(plainText(said), (short) => sizeOf(short + links, 'codepoints') / MAX_TEXT)
    return chunksOf(all, most).map((receiverUserIdList) => ({
      body: JSON.stringify({ robotCode, remindType: kind, receiverUserIdList, content: text + links }),
      receivers: receiverUserIdList.length,
    }))
  },
  independentParts: true,

  send: (part, address, _content, io) =>
    tokens.send(
      fingerprint(address.baseUrl, address.appKey, address.appSecret),
      io,
      () => askForToken(address, io),
      (token) => sendWith(token, part, address, io),
    ),
})

function addressed(given: z.infer<typeof account>, to: readonly string[]) {
  const { appKey, appSecret, robotCode, remindType } = given
  const baseUrl = given.baseUrl.replace(/\/+$/, '')
  return {
    id: fingerprint(baseUrl, appKey, robotCode, remindType, ...to),
    name: `DING ${remindType}`,
    address: { appKey, appSecret, robotCode, remindType, baseUrl, userIds: to },
    secrets: [appSecret],
  }
}

const tokenSchema = z
  .looseObject({ accessToken: z.string().min(1), expireIn: z.coerce.number().positive().catch(LIFETIME_S) })
  .transform(({ accessToken, expireIn }): Given => ({ token: accessToken, lifetimeS: expireIn }))

/** https://open.dingtalk.com/document/development/obtain-the-access-token-of-an-internal-app */
async function askForToken({ baseUrl, appKey, appSecret }: Address, io: Io): Promise<Grant> {
  const answer = await postJson(io.http, `${baseUrl}/v1.0/oauth2/accessToken`, JSON.stringify({ appKey, appSecret }))
  const said = answer.ok ? (readJson(answer.body, tokenSchema) ?? saidIn(answer.body)) : null
  return grantOf(answer, 'accessToken', said, passing)
}

async function sendWith(token: string, { body, receivers }: Part, { baseUrl }: Address, io: Io): Promise<Tried> {
  const headers = { 'x-acs-dingtalk-access-token': token }
  const answer = await postJson(io.http, `${baseUrl}/v1.0/robot/ding/send`, body, headers)
  if (!answer.ok) return { outcome: unanswered(answer), refused: false }
  const taken = readJson(answer.body, takenSchema)
  if (answer.status === 200 && taken) return { outcome: takenBy(taken, receivers, answer.body), refused: false }
  const said = saidIn(answer.body)
  return {
    outcome: refusal(answer, said, passing),
    refused: answer.status === 401 || said?.code === 'InvalidAuthentication',
  }
}

const takenSchema = z.looseObject({
  openDingId: z.string().min(1),
  /** user ids by the reason why they are not reached */
  failedList: z.record(z.string(), z.array(z.string())).catch({}),
})

function takenBy({ failedList }: z.infer<typeof takenSchema>, receivers: number, answer: string): Outcome {
  const missed = Object.values(failedList).flat().length
  if (missed === 0) return { kind: 'accepted' }
  const reasons = Object.keys(failedList).join(', ')
  const detail = `${missed} of ${receivers} not reached: ${reasons}`
  return missed < receivers ? { kind: 'accepted', detail } : { kind: 'failed', detail, answer }
}

const refusalSchema = z.looseObject({ code: z.string().min(1), message: z.string().catch('') })

function saidIn(body: string): Said | null {
  const refused = readJson(body, refusalSchema)
  return refused && { code: refused.code, text: refused.message }
}

function chunksOf<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / most)
  return Array.from({ length: count }, (_, at) => items.slice(at * most, (at + 1) * most))
}
