/**
 * Aliyun's RPC APIs, for messages and calls alike: everything in the query of a POST, signed in one of two ways.
 * https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
 * https://help.aliyun.com/zh/sdk/product-overview/rpc-mechanism
 */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Addressed, Io, Outcome } from '../channel.ts'
import type { OutboundRequest } from '../outbound/outbound.ts'
import { refusal, unanswered } from '../outbound/outcomes.ts'
import { fingerprint } from '../outbound/secrets.ts'
import { readJson } from '../outbound/json.ts'
import { nameOf, numbersOf, type PhoneTarget } from './numbers.ts'
import { chosenTemplate, type OwnTemplate, type Template } from './template.ts'

/** Both services have it. */
const VERSION = '2017-05-25'
const ACS3 = 'ACS3-HMAC-SHA256'
const MINUTE_MS = 60_000

/** What the config says of an account, without the address of the service. */
export const aliyunAccount = {
  accessKeyId: z.string().min(1).meta({ description: 'AccessKey ID', zh: 'AccessKey ID（访问密钥 ID）' }),
  accessKeySecret: z.string().min(1).meta({ description: 'AccessKey secret', zh: 'AccessKey Secret（访问密钥）' }),
  signature: z.enum(['acs3', 'rpc']).default('acs3').meta({
    description: 'how requests are signed; `rpc` is the older way, for private clouds that know no other',
    zh: '签名方式；`rpc` 为旧版签名，仅用于不支持新版的专有云',
  }),
}

export interface AliyunAccount {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly signature: 'acs3' | 'rpc'
  readonly baseUrl: string
}

/** By code or by its first word; the value is the ms to wait, 0: as long as the hub likes. */
const PASSING: ReadonlyMap<string, number> = new Map([
  ['isp.SYSTEM_ERROR', 0],
  ['isp.GATEWAY_ERROR', 0],
  ['Throttling', 0],
  ['ServiceUnavailable', 0],
  ['InternalError', 0],
])
/** So many a minute, an hour, a day to one number. Only a minute is worth waiting for. */
const BUSY_NUMBER = 'isv.BUSINESS_LIMIT_CONTROL'
const BUSY_FOR_A_MINUTE = '分钟级'

const answerSchema = z.looseObject({ Code: z.string(), Message: z.string().default('') })

/** Calls an action. @param params its own parameters, as a form. Success is the code OK. */
export async function callAliyun(action: string, params: string, account: AliyunAccount, io: Io): Promise<Outcome> {
  const own = new URLSearchParams(params)
  const answer = await io.http.request(
    account.signature === 'acs3'
      ? signedAcs3(action, own, account, io.now())
      : signedRpc(action, own, account, io.now()),
  )
  if (!answer.ok) return unanswered(answer)
  const said = readJson(answer.body, answerSchema)
  if (said?.Code === 'OK') return { kind: 'accepted' }
  return refusal(answer, said && { code: said.Code, text: said.Message }, passing(said?.Code, said?.Message))
}

function passing(code = '', message = ''): ReadonlyMap<string, number> {
  if (code === BUSY_NUMBER && message.includes(BUSY_FOR_A_MINUTE)) return new Map([[code, MINUTE_MS]])
  const wait = PASSING.get(code) ?? PASSING.get(code.split('.', 1)[0] ?? '')
  return new Map(wait === undefined ? [] : [[code, wait]])
}

/** An account with the people that it writes to or calls, and the template for them. @throws Misconfigured */
export function aliyunTo<Account extends AliyunAccount & OwnTemplate>(
  account: Account,
  target: PhoneTarget,
  name?: string,
): Addressed<Account & { readonly to: readonly string[]; readonly chosen: Template }> {
  const to = numbersOf(target.to, true)
  const chosen = chosenTemplate(account, target, 'named')
  return {
    id: fingerprint('aliyun', account.accessKeyId, chosen.code, ...to),
    name: name ?? nameOf('Aliyun', to),
    address: { ...account, to, chosen },
    secrets: [account.accessKeySecret],
  }
}

function signedAcs3(action: string, own: URLSearchParams, account: AliyunAccount, now: number): OutboundRequest {
  const url = new URL(account.baseUrl)
  const query = canonicalQuery(own)
  url.search = query
  const headers = {
    host: url.host,
    'x-acs-action': action,
    'x-acs-content-sha256': sha256(''),
    'x-acs-date': utcSeconds(now),
    'x-acs-signature-nonce': randomUUID(),
    'x-acs-version': VERSION,
  }
  const { host: _, ...sent } = headers
  const authorization = acs3Authorization(account, url.pathname, query, headers)
  return { method: 'POST', url: url.href, headers: { ...sent, authorization }, trusted: true }
}

/**
 * The header `authorization` of a POST without a body.
 * @param query sorted and encoded (`canonicalQuery`)
 * @param headers all that are signed, names in lower case
 */
export function acs3Authorization(
  { accessKeyId, accessKeySecret }: Pick<AliyunAccount, 'accessKeyId' | 'accessKeySecret'>,
  path: string,
  query: string,
  headers: Readonly<Record<string, string>>,
): string {
  const names = Object.keys(headers).toSorted()
  const lines = names.map((name) => `${name}:${headers[name]?.trim()}\n`).join('')
  const request = ['POST', path, query, lines, names.join(';'), headers['x-acs-content-sha256']].join('\n')
  const signed = createHmac('sha256', accessKeySecret)
    .update(`${ACS3}\n${sha256(request)}`)
    .digest('hex')
  return `${ACS3} Credential=${accessKeyId},SignedHeaders=${names.join(';')},Signature=${signed}`
}

function signedRpc(action: string, own: URLSearchParams, account: AliyunAccount, now: number): OutboundRequest {
  const all = new URLSearchParams([
    ...own,
    ['AccessKeyId', account.accessKeyId],
    ['Action', action],
    ['Format', 'JSON'],
    ['SignatureMethod', 'HMAC-SHA1'],
    ['SignatureNonce', randomUUID()],
    ['SignatureVersion', '1.0'],
    ['Timestamp', utcSeconds(now)],
    ['Version', VERSION],
  ])
  const query = canonicalQuery(all)
  const url = new URL(account.baseUrl)
  url.search = `Signature=${encode(rpcSignature(account.accessKeySecret, 'POST', query))}&${query}`
  return { method: 'POST', url: url.href, headers: {}, trusted: true }
}

/** HMAC-SHA1 in base64. @param query all parameters but the signature, sorted and encoded (`canonicalQuery`) */
export function rpcSignature(accessKeySecret: string, method: 'GET' | 'POST', query: string): string {
  return createHmac('sha1', `${accessKeySecret}&`)
    .update(`${method}&${encode('/')}&${encode(query)}`)
    .digest('base64')
}

/** By name in the order of code units, encoded as RFC 3986 says. */
export function canonicalQuery(params: URLSearchParams): string {
  return [...params]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** `2026-11-24T08:00:00Z`. @param now ms since epoch */
function utcSeconds(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`
}
