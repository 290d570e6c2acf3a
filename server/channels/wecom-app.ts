/**
 * Messages of WeCom applications (企业微信应用消息) to members, departments and tags:
 * https://developer.work.weixin.qq.com/document/path/90236. What is too long or too often is dropped there
 * without a word, so both limits are kept here.
 */
import * as z from 'zod'
import { type Io, Misconfigured, type Outcome, defineChannel } from './channel.ts'
import { createAccessTokens, type Given, type Grant, grantOf, type Tried } from './outbound/access-tokens.ts'
import { postJson } from './outbound/json.ts'
import { refusal, type Said, unanswered } from './outbound/outcomes.ts'
import { fingerprint } from './outbound/secrets.ts'
import { passing, readWecom, saidBy } from './wecom/answer.ts'
import { markdownMessages, textMessages } from './wecom/messages.ts'

const MAX_BYTES = 2_048
const MAX_USERS = 1_000
const MAX_PARTIES = 100
/** the vendor's own: two hours */
const LIFETIME_S = 7_200
/** covers the retries of an attempt whose answer was lost */
const DUPLICATE_CHECK_S = 60
/** 40014 is also said of an expired one, 40001 of one from before the secret was changed */
const REFUSED_TOKEN = new Set(['40014', '42001', '40001'])

const list = (max: number) =>
  z
    .string()
    .min(1)
    .refine((names) => names.split('|').length <= max, { error: `more than ${max} names` })
const baseUrl = z
  .url({ protocol: /^https?$/ })
  .default('https://qyapi.weixin.qq.com')
  .meta({
    description: 'where the API is, for a relay with a trusted address',
    zh: 'API 地址，可改为有可信 IP 的中转服务',
  })
const corpid = z.string().min(1).meta({ description: 'id of the company', zh: '企业 ID' })
const secret = z.string().min(1)
const agentid = z.union([z.int().min(0), z.string().regex(/^\d{1,10}$/)])

const platform = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
    corpid,
    agentid: agentid.meta({ description: 'id of the application', zh: '应用的 AgentId' }),
    secret: secret.meta({ description: 'secret of the application', zh: '应用的 Secret' }),
    touser: list(MAX_USERS).optional().meta({
      description: 'members, joined with `|`; `@all` is everyone who sees the application',
      zh: '成员账号，用 `|` 分隔；`@all` 表示应用可见范围内的全部成员',
    }),
    toparty: list(MAX_PARTIES).optional().meta({
      description: 'ids of departments, joined with `|`',
      zh: '部门 ID，用 `|` 分隔',
    }),
    totag: list(MAX_PARTIES)
      .optional()
      .meta({ description: 'ids of tags, joined with `|`', zh: '标签 ID，用 `|` 分隔' }),
    baseUrl,
  })
  .refine(({ touser, toparty, totag }) => [touser, toparty, totag].some((to) => to !== undefined), {
    error: 'one of touser, toparty and totag is needed',
  })

const account = z.strictObject({
  corpid,
  agents: z.record(z.string().regex(/^\d{1,10}$/), secret).meta({
    description: 'secrets of the applications that may be used, by agentid',
    zh: '可用应用的 Secret，以 AgentId 为键',
  }),
  baseUrl,
})

const target = z.object({ touser: list(MAX_USERS), agentid: agentid.transform(String) })

interface Address {
  readonly baseUrl: string
  readonly corpid: string
  readonly secret: string
  readonly agentid: number
  readonly to: { readonly touser?: string; readonly toparty?: string; readonly totag?: string }
}

const tokens = createAccessTokens()

export default defineChannel<
  z.infer<typeof platform>,
  Address,
  string,
  undefined,
  z.infer<typeof account>,
  z.infer<typeof target>
>({
  name: 'wecom-app',
  title: { en: 'WeCom application', zh: '企业微信应用' },
  credentials: {
    en: 'The company id is on the page **My company** of the [admin console](https://work.weixin.qq.com/wework_admin/frame); AgentId and Secret are on the page of the application, which must list this hub’s address as trusted.',
    zh: '企业 ID 在[管理后台](https://work.weixin.qq.com/wework_admin/frame)的**我的企业**页；AgentId 和 Secret 在应用详情页，并需把本服务的出口 IP 加入该应用的可信 IP。',
  },
  platform,
  example: {
    corpid: 'ww0123456789abcdef',
    agentid: 1_000_002,
    secret: 'aB3-invented-secret-of-the-application',
    touser: 'zhangsan|lisi',
  },
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: { text: { max: MAX_BYTES, unit: 'bytes' }, card: { max: MAX_BYTES, unit: 'bytes' } },
    rates: [
      { count: 30, perMs: 60_000 },
      { count: 1_000, perMs: 3_600_000 },
    ],
  },

  addresses: (given) => [addressed(given, given.secret, Number(given.agentid), given)],

  direct: {
    account,
    target,
    addressed(given, { touser, agentid: agent }) {
      const own = Object.hasOwn(given.agents, agent) ? given.agents[agent] : undefined
      if (own === undefined) throw new Misconfigured('no secret in `agents` for this agentid')
      return addressed(given, own, Number(agent), { touser })
    },
  },

  server: ({ baseUrl }) => baseUrl,

  render(content, { agentid: agent, to }) {
    const messages =
      content.style === 'card' ? markdownMessages(content, MAX_BYTES, { v2: false }) : textMessages(content)
    return messages.map((message) =>
      JSON.stringify({
        ...to,
        agentid: agent,
        ...message,
        safe: 0,
        // the same JSON again is shown once: a retry does no harm, and `mid` keeps apart what only looks the same
        enable_duplicate_check: 1,
        duplicate_check_interval: DUPLICATE_CHECK_S,
        mid: content.frame.mid,
      }),
    )
  },

  send: (body, address, _content, io) =>
    tokens.send(
      fingerprint(address.baseUrl, address.corpid, address.secret),
      io,
      () => askForToken(address, io),
      (token) => sendWith(token, body, address, io),
    ),
})

function addressed(
  from: { readonly baseUrl: string; readonly corpid: string },
  own: string,
  agent: number,
  { touser, toparty, totag }: { [Key in 'touser' | 'toparty' | 'totag']?: string | undefined },
) {
  const to = {
    ...(touser === undefined ? {} : { touser }),
    ...(toparty === undefined ? {} : { toparty }),
    ...(totag === undefined ? {} : { totag }),
  }
  const base = from.baseUrl.replace(/\/+$/, '')
  return {
    id: fingerprint(base, from.corpid, String(agent), JSON.stringify(to)),
    name: `agentid ${agent}`,
    address: { baseUrl: base, corpid: from.corpid, secret: own, agentid: agent, to },
    secrets: [own],
  }
}

const tokenSchema = z
  .looseObject({ access_token: z.string().min(1), expires_in: z.coerce.number().positive().catch(LIFETIME_S) })
  .transform(({ access_token, expires_in }): Given => ({ token: access_token, lifetimeS: expires_in }))

/** https://developer.work.weixin.qq.com/document/path/91039: the same token comes back while it is valid. */
async function askForToken({ baseUrl: base, corpid: corp, secret: own }: Address, io: Io): Promise<Grant> {
  const url = `${base}/cgi-bin/gettoken?corpid=${encodeURIComponent(corp)}&corpsecret=${encodeURIComponent(own)}`
  const answer = await io.http.request({ method: 'GET', url, headers: {}, trusted: true })
  return grantOf(answer, 'gettoken', answer.ok ? tokenIn(answer.body) : null, passing)
}

function tokenIn(body: string): Given | Said | null {
  const said = readWecom(body)
  return said?.errcode === '0' ? (tokenSchema.safeParse(said).data ?? null) : saidBy(said)
}

async function sendWith(token: string, body: string, { baseUrl: base }: Address, io: Io): Promise<Tried> {
  const url = `${base}/cgi-bin/message/send?access_token=${encodeURIComponent(token)}`
  const answer = await postJson(io.http, url, body)
  if (!answer.ok) return { outcome: unanswered(answer), refused: false }
  const said = readWecom(answer.body)
  if (said?.errcode === '0') return { outcome: accepted(said), refused: false }
  const outcome = refusal(answer, saidBy(said), passing, 'retry')
  return { outcome, refused: said !== null && REFUSED_TOKEN.has(said.errcode) }
}

/** Who is not reached, although the message was taken: unknown, not in sight of the application, or without a licence. */
function accepted(said: Readonly<Record<string, unknown>>): Outcome {
  const missed = ['invaliduser', 'invalidparty', 'invalidtag', 'unlicenseduser'].flatMap((key) => {
    const names = said[key]
    return typeof names === 'string' && names !== '' ? [`${key} ${names}`] : []
  })
  if (missed.length === 0) return { kind: 'accepted' }
  return { kind: 'accepted', detail: `not reached: ${missed.join(', ')}` }
}
