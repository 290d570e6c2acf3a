/**
 * Tencent Cloud SMS, one number a request, signed with TC3-HMAC-SHA256.
 * https://cloud.tencent.com/document/api/382/55981 and /52072
 */
import { createHash, createHmac } from 'node:crypto'
import * as z from 'zod'
import type { Io, Outcome } from '../channel.ts'
import { type Passing, refusal, unanswered } from '../outbound/outcomes.ts'
import { readJson } from '../outbound/json.ts'

const SERVICE = 'sms'
const ACTION = 'SendSms'
const VERSION = '2021-01-11'
const CONTENT_TYPE = 'application/json; charset=utf-8'
const TC3 = 'TC3-HMAC-SHA256'

/** What the config says of an account. */
export const tencentAccount = {
  secretId: z.string().min(1).meta({ description: 'SecretId of an API key', zh: 'API 密钥的 SecretId' }),
  secretKey: z.string().min(1).meta({ description: 'SecretKey of the API key', zh: 'API 密钥的 SecretKey' }),
  region: z.string().min(1).default('ap-guangzhou').meta({ description: 'region', zh: '地域' }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://sms.tencentcloudapi.com')
    .meta({ description: 'where the API is', zh: 'API 地址' }),
}

export interface TencentAccount {
  readonly secretId: string
  readonly secretKey: string
  readonly region: string
  readonly baseUrl: string
}

const HALF_MINUTE_MS = 30_000
/** By code or by its first word. A number that had its share of an hour or a day gets no more soon enough. */
const PASSING: Passing = new Map([
  ['InternalError', 0],
  ['RequestLimitExceeded', 0],
  ['LimitExceeded.PhoneNumberThirtySecondLimit', HALF_MINUTE_MS],
])

const saidSchema = z.looseObject({ Code: z.string(), Message: z.string().default('') })
const answerSchema = z.looseObject({
  Response: z.looseObject({ Error: saidSchema.optional(), SendStatusSet: z.array(saidSchema).default([]) }),
})

/** Sends one message to one number. @param body of SendSms, as JSON. Success is the number's own code Ok. */
export async function sendTencentSms(body: string, account: TencentAccount, io: Io): Promise<Outcome> {
  const url = new URL(account.baseUrl)
  const timestamp = Math.floor(io.now() / 1000)
  const answer = await io.http.request({
    method: 'POST',
    url: url.href,
    headers: {
      authorization: tc3Authorization(account, { service: SERVICE, host: url.host, action: ACTION, timestamp, body }),
      'content-type': CONTENT_TYPE,
      'x-tc-action': ACTION,
      'x-tc-version': VERSION,
      'x-tc-region': account.region,
      'x-tc-timestamp': String(timestamp),
    },
    body,
    trusted: true,
  })
  if (!answer.ok) return unanswered(answer)
  const response = readJson(answer.body, answerSchema)?.Response
  const said = response?.Error ?? response?.SendStatusSet[0]
  if (said?.Code === 'Ok') return { kind: 'accepted' }
  return refusal(answer, said ? { code: said.Code, text: said.Message } : null, passing(said?.Code))
}

function passing(code = ''): Passing {
  const wait = PASSING.get(code) ?? PASSING.get(code.split('.', 1)[0] ?? '')
  return new Map(wait === undefined ? [] : [[code, wait]])
}

export interface Tc3Request {
  readonly service: string
  readonly host: string
  readonly action: string
  /** seconds since epoch */
  readonly timestamp: number
  readonly body: string
}

/** The header `authorization` of a POST to `/`: content type, host and action are signed with the body. */
export function tc3Authorization(
  { secretId, secretKey }: Pick<TencentAccount, 'secretId' | 'secretKey'>,
  { service, host, action, timestamp, body }: Tc3Request,
): string {
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10)
  const scope = `${date}/${service}/tc3_request`
  const names = 'content-type;host;x-tc-action'
  const lines = `content-type:${CONTENT_TYPE}\nhost:${host}\nx-tc-action:${action.toLowerCase()}\n`
  const request = ['POST', '/', '', lines, names, sha256(body)].join('\n')
  const key = [date, service, 'tc3_request'].reduce<string | Buffer>(hmac, `TC3${secretKey}`)
  const signature = hmac(key, [TC3, timestamp, scope, sha256(request)].join('\n')).toString('hex')
  return `${TC3} Credential=${secretId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
