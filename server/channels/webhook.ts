/**
 * Webhooks as mpush has them: GET with everything in the query, or POST of the whole MESSAGE packet.
 * Any 2xx means that the receiving program has it. Signed as Standard Webhooks where there is a secret.
 */
import { createHash, createHmac } from 'node:crypto'
import * as z from 'zod'
import type { MessageFrame } from '../protocol/packets.ts'
import { type Io, defineChannel } from './channel.ts'
import { type OutboundRequest, type Proxy, outcomeOfStatus } from './outbound.ts'

const HOUR_MS = 3_600_000

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

const clientSchema = z.strictObject({
  name: z.string().min(1).meta({ description: 'the recipient that this webhook is', zh: '接收者名称' }),
  group: z.string().optional().meta({ description: 'its group', zh: '所属的组' }),
  url: z.url({ protocol: /^https?$/ }).meta({ description: 'where messages are sent', zh: '推送的目标地址' }),
  method: z
    .enum(['GET', 'POST'])
    .default('POST')
    .meta({
      description: 'GET: all in the query; POST: the whole MESSAGE packet as JSON',
      zh: 'GET:全部放在查询串;POST:整个 MESSAGE 消息包(JSON)',
    }),
  proxy: proxySchema.optional(),
  secret: z.string().min(1).optional().meta({
    description:
      'signs each request as Standard Webhooks do (`whsec_…` or any text); the hub token is then not sent',
    zh: '按 Standard Webhooks 规范签名(`whsec_…` 或任意文本);设置后不再发送 hub 的 token',
  }),
})

const config = z.strictObject({
  retryTimeout: z.int().min(100).default(3000).meta({
    description:
      'ms until the first retry of a request that failed; doubles with jitter up to 1 h, never below Retry-After',
    zh: '失败后首次重试的等待毫秒数;之后加倍并带随机抖动,最长 1 小时,且不短于 Retry-After',
  }),
  clients: z.array(clientSchema).default([]).meta({
    description: 'recipients reached by HTTP; several entries of one name are several endpoints of it',
    zh: '通过 HTTP 接收消息的客户端;同名的多项视为同一接收者的多个端点',
  }),
  proxy: proxySchema.optional(),
})

interface Address {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly proxy: Proxy | undefined
  readonly secret: string | undefined
}
type Part = Omit<OutboundRequest, 'headers'>

export default defineChannel<z.infer<typeof config>, Address, Part>({
  name: 'webhook',
  config,
  capabilities: { ordered: true, onUnknown: 'retry' },

  addresses: (section) =>
    section.clients.map(({ name, group, url, method, proxy, secret }) => ({
      name,
      group: group ?? null,
      id: createHash('sha256').update(`${method} ${url}`).digest('hex').slice(0, 12),
      address: { url, method, secret, proxy: proxy ?? section.proxy },
      backoff: { firstMs: section.retryTimeout, maxMs: HOUR_MS },
    })),

  render(message, { url, method, proxy }) {
    if (method === 'GET') return [{ method, url: withQuery(url, message), proxy }]
    return [{ method, url, proxy, body: JSON.stringify({ cmd: 'MESSAGE', data: message }) }]
  },

  async send(part, address, message, io) {
    const headers = { accept: 'application/json, text/plain, */*', ...credentials(part, address, message, io) }
    const answer = await io.http.request({
      ...part,
      headers: part.body === undefined ? headers : { ...headers, 'content-type': 'application/json;charset=utf-8' },
    })
    return outcomeOfStatus(answer, { kind: 'delivered' })
  },
})

/**
 * The documented query set, then what `extra` adds; `extra` never replaces a documented key. Objects are
 * JSON, arrays `key[]=` repeated, as receivers of mpush know them. The URL's own query stays in front.
 */
function withQuery(url: string, { sendType, target, from, mid, message }: MessageFrame): string {
  const documented = {
    sendType,
    target,
    fromMethod: from.method,
    fromName: from.name,
    mid,
    text: message.text,
    desp: message.desp,
  }
  const query = new URLSearchParams(documented)
  for (const [key, value] of Object.entries(message.extra)) {
    if (Object.hasOwn(documented, key) || value === undefined || value === null) continue
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

/** Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`; one id over all retries. */
function credentials(part: Part, { secret }: Address, { mid }: MessageFrame, io: Io): Record<string, string> {
  if (secret === undefined) return { authorization: io.hubToken }
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret
  const timestamp = Math.floor(io.now() / 1000).toString()
  const signature = createHmac('sha256', key)
    .update(`${mid}.${timestamp}.${part.body ?? ''}`)
    .digest('base64')
  return {
    'webhook-id': mid,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}
