/**
 * Webhooks as mpush has them: GET with everything in the query, or POST of the whole MESSAGE packet.
 * Any 2xx means that the receiving program has it. Signed as Standard Webhooks where there is a secret.
 */
import { createHmac } from 'node:crypto'
import * as z from 'zod'
import type { MessageFrame } from '../protocol/packets.ts'
import { type Addressed, type Io, defineChannel } from './channel.ts'
import type { OutboundRequest } from './outbound/outbound.ts'
import { outcomeOfStatus } from './outbound/outcomes.ts'
import { basic, type Proxy } from './outbound/routes.ts'
import { fingerprint } from './outbound/secrets.ts'

const HOUR_MS = 3_600_000
const SECRET_PREFIX = 'whsec_'
/** mpush documents this word in the query and `websocket` in the packet */
const DOCUMENTED_WEBSOCKET = 'websock'

const proxySchema = z
  .strictObject({
    host: z.string().min(1).meta({ description: 'host name or address', zh: '主机名或地址' }),
    port: z.int().min(1).max(65_535).meta({ description: 'port', zh: '端口' }),
    auth: z
      .strictObject({
        username: z.string().meta({ description: 'user name', zh: '用户名' }),
        password: z.string().meta({ description: 'password', zh: '密码' }),
      })
      .optional()
      .meta({ description: 'Basic credentials for the proxy', zh: '代理的 Basic 认证' }),
    protocol: z
      .enum(['http', 'https'])
      .default('http')
      .meta({ description: 'how the proxy itself is spoken to', zh: '与代理通信所用的协议' }),
  })
  .meta({ description: 'HTTP proxy', zh: 'HTTP 代理' })

const secretSchema = z
  .string()
  .min(1)
  .refine((secret) => keyOf(secret).length > 0, { error: 'there is no base64 after whsec_' })

/** What every webhook says of itself, wherever in the config it stands. */
const target = {
  url: z.url({ protocol: /^https?$/ }).meta({ description: 'where messages are sent', zh: '推送的目标地址' }),
  method: z.enum(['GET', 'POST']).default('POST').meta({
    description: 'GET: all in the query; POST: the whole MESSAGE packet as JSON',
    zh: 'GET：全部放在查询串；POST：整个 MESSAGE 消息包（JSON）',
  }),
  proxy: proxySchema.optional(),
  secret: secretSchema.optional().meta({
    description: 'signs each request as Standard Webhooks do (`whsec_…` or any text); the hub token is then not sent',
    zh: '按 Standard Webhooks 规范签名（`whsec_…` 或任意文本）；设置后不再发送 hub 的 token',
  }),
}

const clientSchema = z.strictObject({
  name: z.string().min(1).meta({ description: 'the recipient that this webhook is', zh: '接收者名称' }),
  group: z.string().optional().meta({ description: 'its group', zh: '所属的组' }),
  ...target,
})

const section = z.strictObject({
  retryTimeout: z.int().min(100).default(3000).meta({
    description:
      'ms until the first retry of a request that failed; doubles with jitter up to 1 h, never below Retry-After',
    zh: '失败后首次重试的等待毫秒数；之后加倍并带随机抖动，最长 1 小时，且不短于 Retry-After',
  }),
  clients: z.array(clientSchema).default([]).meta({
    description: 'recipients reached by HTTP; several entries of one name are several endpoints of it',
    zh: '通过 HTTP 接收消息的客户端；同名的多项视为同一接收者的多个端点',
  }),
  proxy: proxySchema.optional(),
})

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  webhooks: z
    .array(z.strictObject({ name: z.string().optional().meta({ description: 'its name', zh: '名称' }), ...target }))
    .min(1)
    .meta({ description: 'where messages are posted', zh: '接收消息的地址' }),
})

interface Address {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly proxy: Proxy | undefined
  readonly secret: string | undefined
}
type Part = Omit<OutboundRequest, 'headers' | 'trusted'>

export default defineChannel<z.infer<typeof platform>, Address, Part, z.infer<typeof section>>({
  name: 'webhook',
  title: { en: 'Webhook', zh: 'Webhook' },
  credentials: {
    en: 'Any program of yours that answers 2xx. Give it a `secret` and check the signature with a Standard Webhooks library.',
    zh: '任何返回 2xx 的自有程序。建议设置 `secret`，并用 Standard Webhooks 库校验签名。',
  },
  platform,
  example: {
    webhooks: [{ name: 'Jobs', url: 'https://jobs.example.com/hook', secret: 'whsec_c2VjcmV0IG9mIHRoaXMgaG9vaw==' }],
  },
  section,
  capabilities: {
    ordered: true,
    onUnknown: 'retry',
    shared: false,
    success: 'delivered',
    limits: null,
    rates: [],
  },

  addresses: ({ webhooks }, own) =>
    webhooks.map(({ name, ...hook }) => addressed(name ?? new URL(hook.url).hostname, hook, own?.proxy)),

  recipients: (own) =>
    own.clients.map(({ name, group, ...hook }) => ({
      ...addressed(name, hook, own.proxy),
      recipient: name,
      group: group ?? null,
      backoff: { firstMs: own.retryTimeout, maxMs: Math.max(HOUR_MS, own.retryTimeout), tries: Infinity },
    })),

  warnings({ clients }) {
    const bare = clients.filter(({ secret }) => secret === undefined)
    if (bare.length === 0) return []
    const names = bare.map(({ name }) => name).join(', ')
    return [`the hub token is sent in the header authorization to ${names}; give a secret to sign instead`]
  },

  server: ({ url, proxy }) => (proxy ? `${proxy.protocol ?? 'http'}://${proxy.host}:${proxy.port}` : url),

  render({ frame }, { url, method, proxy }) {
    if (method === 'GET') return [{ method, url: withQuery(url, frame), proxy }]
    return [{ method, url, proxy, body: JSON.stringify({ cmd: 'MESSAGE', data: frame }) }]
  },

  async send(part, address, { frame }, io) {
    const headers = { accept: 'application/json, text/plain, */*', ...credentials(part, address, frame, io) }
    const answer = await io.http.request({
      ...part,
      trusted: true,
      headers: part.body === undefined ? headers : { ...headers, 'content-type': 'application/json;charset=utf-8' },
    })
    return outcomeOfStatus(answer, { kind: 'delivered' })
  },
})

function addressed(
  name: string,
  { url, method, secret, proxy }: Omit<Address, 'proxy' | 'secret'> & Partial<Pick<Address, 'proxy' | 'secret'>>,
  common: Proxy | undefined,
): Addressed<Address> {
  return {
    id: fingerprint(`${method} ${url}`),
    name,
    address: { url, method, secret, proxy: proxy ?? common },
    secrets: secret === undefined ? [] : [secret],
  }
}

/**
 * The documented query set, then what `extra` adds; `extra` never replaces a documented key. Objects are
 * JSON, arrays `key[]=` repeated, as receivers of mpush know them. The URL's own query stays in front.
 */
function withQuery(url: string, { sendType, target, from, mid, message }: MessageFrame): string {
  const documented = {
    sendType,
    target,
    fromMethod: from.method === 'websocket' ? DOCUMENTED_WEBSOCKET : from.method,
    fromName: from.name,
    mid,
    text: message.text,
    desp: message.desp,
  }
  const query = new URLSearchParams(documented)
  for (const [key, value] of Object.entries(message.extra)) {
    const [plain = key] = key.split('[', 1)
    if (Object.hasOwn(documented, plain) || value === undefined || value === null) continue
    if (Array.isArray(value)) for (const item of value) query.append(`${key}[]`, asText(item))
    else query.append(key, asText(value))
  }
  const whole = new URL(url)
  whole.search = [whole.search.slice(1), query.toString()].filter((part) => part !== '').join('&')
  return whole.href
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** User and password of the URL win over the hub token, and a secret over both. */
function credentials(part: Part, { secret }: Address, { mid }: MessageFrame, io: Io): Record<string, string> {
  if (secret !== undefined) return signature(secret, mid, io.now(), part.body ?? new URL(part.url).search.slice(1))
  const { username, password } = new URL(part.url)
  const own = username === '' && password === '' ? undefined : { username, password }
  return { authorization: basic(own && { username: decode(username), password: decode(password) }) ?? io.hubToken }
}

/**
 * Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.content`, one id over all retries. The content is the
 * body; a GET has none, so there its query string is signed.
 * @param now ms since epoch
 */
export function signature(secret: string, id: string, now: number, content: string): Record<string, string> {
  const timestamp = Math.floor(now / 1000).toString()
  const signed = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${content}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signed}` }
}

function keyOf(secret: string): Buffer {
  return secret.startsWith(SECRET_PREFIX)
    ? Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
    : Buffer.from(secret)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
