/**
 * Slack, by incoming webhooks (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) and by a
 * bot (https://docs.slack.dev/reference/methods/chat.postMessage).
 */
import * as z from 'zod'
import { type Addressed, Misconfigured, type Outcome, defineChannel } from './channel.ts'
import { postJson, readJson } from './outbound/json.ts'
import { type Passing, refusal, type Said, unanswered } from './outbound/outcomes.ts'
import { fingerprint, secretsOfUrl } from './outbound/secrets.ts'
import { MAX_CARD, MAX_TEXT, messagesOf } from './slack/messages.ts'

/** The workspace or Slack itself is not up to it just now; every other word is for good. */
const PASSING: Passing = new Map([
  ['ratelimited', 0],
  ['rate_limited', 0],
  ['rollup_error', 0],
  ['internal_error', 0],
  ['fatal_error', 0],
  ['service_unavailable', 0],
  ['request_timeout', 0],
  ['team_added_to_org', 0],
  ['external_channel_migrating', 0],
])
const ACCEPTED: Outcome = { kind: 'accepted' }

const webUrl = z.url({ protocol: /^https?$/ })
const token = z.string().min(1)
const baseUrl = webUrl.default('https://slack.com/api').meta({ description: 'where the API is', zh: 'API 地址' })

const platform = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
    webhooks: z
      .array(
        z.strictObject({
          url: webUrl.meta({ description: 'URL of an incoming webhook', zh: 'Incoming Webhook 的地址' }),
          name: z.string().min(1).optional().meta({ description: 'its name', zh: '名称' }),
        }),
      )
      .min(1)
      .optional()
      .meta({ description: 'incoming webhooks, each of one channel', zh: 'Incoming Webhook，每个对应一个频道' }),
    bot: z
      .strictObject({
        token: token.meta({ description: 'bot token (`xoxb-…`)', zh: '机器人令牌（`xoxb-…`）' }),
        channels: z.array(z.string().min(1)).min(1).meta({
          description: 'channels it posts to: ids, or names with `#`',
          zh: '发送到的频道：ID 或带 `#` 的名称',
        }),
        baseUrl,
      })
      .optional()
      .meta({ description: 'a bot, for any channel it is in', zh: '机器人，可发送到其所在的频道' }),
  })
  .refine(({ webhooks, bot }) => webhooks !== undefined || bot !== undefined, { error: 'webhooks or bot is required' })

const account = z
  .strictObject({
    token: token.optional().meta({ description: 'bot token (`xoxb-…`)', zh: '机器人令牌（`xoxb-…`）' }),
    webhooks: z.record(z.string(), webUrl).optional().meta({
      description: 'URL of the incoming webhook of a channel, by its name',
      zh: '各频道的 Incoming Webhook 地址',
    }),
    baseUrl,
  })
  .refine((given) => given.token !== undefined || given.webhooks !== undefined, {
    error: 'token or webhooks is required',
  })

type Address =
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'bot'; readonly baseUrl: string; readonly token: string; readonly channel: string }

/** A request's body. */
type Part = string

type Account = z.infer<typeof account>

export default defineChannel<z.infer<typeof platform>, Address, Part, undefined, Account, { channel: string }>({
  name: 'slack',
  title: { en: 'Slack', zh: 'Slack' },
  credentials: {
    en: 'At [api.slack.com/apps](https://api.slack.com/apps) create an app, then take a URL from *Incoming Webhooks*; or give its bot the scope `chat:write`, install it, copy the *Bot User OAuth Token* and invite the bot to the channels.',
    zh: '在 [api.slack.com/apps](https://api.slack.com/apps) 创建应用，从 *Incoming Webhooks* 取得地址；或为机器人添加 `chat:write` 权限，安装后复制 *Bot User OAuth Token*，并邀请机器人加入频道。',
  },
  platform,
  example: {
    webhooks: [{ name: 'Ops', url: 'https://hooks.slack.com/services/T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx' }],
    bot: { token: 'xoxb-000000000000-xxxxxxxxxxxx', channels: ['C0000000000', '#alerts'] },
  },
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: { text: { max: MAX_TEXT, unit: 'utf16' }, card: { max: MAX_CARD, unit: 'utf16' } },
    rates: [{ count: 1, perMs: 1_000 }],
  },

  addresses: ({ webhooks = [], bot }) => [
    ...webhooks.map(({ url, name }, at) => byWebhook(url, name ?? `${new URL(url).hostname} #${at + 1}`)),
    ...(bot ? bot.channels.map((channel) => byBot({ ...bot, channel })) : []),
  ],

  direct: {
    account,
    target: z.object({ channel: z.string().min(1) }),
    addressed(given, { channel }) {
      const own = Object.entries(given.webhooks ?? {}).find(([name]) => bare(name) === bare(channel))
      if (own) return byWebhook(own[1], channel)
      if (given.token !== undefined) return byBot({ ...given, token: given.token, channel })
      throw new Misconfigured('webhooks has none for this channel, and there is no token')
    },
  },

  server: (address) => (address.kind === 'bot' ? address.baseUrl : address.url),

  render(content, address) {
    const common = { unfurl_links: false, unfurl_media: false }
    const to = address.kind === 'bot' ? { channel: address.channel } : {}
    return messagesOf(content).map((message) => JSON.stringify({ ...to, ...message, ...common }))
  },

  async send(body, address, _, { http }) {
    const { url, headers } = requestTo(address)
    const answer = await postJson(http, url, body, headers)
    if (!answer.ok) return unanswered(answer)
    const said = address.kind === 'bot' ? ofBot(answer.body) : ofWebhook(answer.body)
    return answer.status === 200 && said === 'ok' ? ACCEPTED : refusal(answer, said === 'ok' ? null : said, PASSING)
  },
})

function byWebhook(url: string, name: string): Addressed<Address> {
  return { id: fingerprint(url), name, address: { kind: 'webhook', url }, secrets: secretsOfUrl(url) }
}

function byBot(bot: { baseUrl: string; token: string; channel: string }): Addressed<Address> {
  return {
    id: fingerprint(bot.baseUrl, bot.token, bot.channel),
    name: bot.channel,
    address: { kind: 'bot', baseUrl: bot.baseUrl, token: bot.token, channel: bot.channel },
    secrets: [bot.token],
  }
}

/** `#ops` and `ops` are one channel. */
function bare(channel: string): string {
  return channel.replace(/^#/, '')
}

function requestTo(address: Address): { url: string; headers: Readonly<Record<string, string>> } {
  if (address.kind === 'webhook') return { url: address.url, headers: {} }
  const url = `${address.baseUrl.replace(/\/$/, '')}/chat.postMessage`
  return { url, headers: { authorization: `Bearer ${address.token}` } }
}

/** Webhooks answer with one word. */
function ofWebhook(body: string): Said | 'ok' | null {
  if (body === 'ok') return 'ok'
  return /^[a-z_]{3,60}$/.test(body.trim()) ? { code: body.trim(), text: '' } : null
}

const postedSchema = z.looseObject({ ok: z.boolean(), error: z.string().optional() })

function ofBot(body: string): Said | 'ok' | null {
  const posted = readJson(body, postedSchema)
  if (!posted) return null
  return posted.ok ? 'ok' : { code: posted.error ?? 'unknown', text: '' }
}
