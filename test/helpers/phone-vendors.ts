/** What Twilio, Aliyun and Tencent Cloud would refuse a request for, worked out without the code under test. */
import { createHash, createHmac } from 'node:crypto'
import type { Received } from './receiver.ts'

const CLOCK_SKEW_MS = 300_000
const ADDRESS = /:\/\/|\d+\.\d+\.\d+\.\d+|[a-z\d-]\.[a-z]{2,}/i

export const twilioAccount = { accountSid: 'AC0123456789abcdef0123456789abcdef', authToken: 'canary-auth-token' }
export const aliyunAccount = { accessKeyId: 'LTAIcanary', accessKeySecret: 'canary-access-key-secret' }
export const tencentAccount = { secretId: 'AKIDcanary', secretKey: 'canary-secret-key' }

/** One complaint of many, or none. */
function first(...complaints: readonly (string | false | null)[]): string | null {
  return complaints.find((complaint) => typeof complaint === 'string') ?? null
}

export function checkTwilio(resource: 'Messages' | 'Calls', request: Received): string | null {
  const { accountSid, authToken } = twilioAccount
  const form = formOf(request)
  const { To = '', From = '', Body = '', Twiml = '' } = form
  return first(
    request.method !== 'POST' && 'not a POST',
    request.url !== `/2010-04-01/Accounts/${accountSid}/${resource}.json` && `no such resource: ${request.url}`,
    request.headers.authorization !== `Basic ${btoa(`${accountSid}:${authToken}`)}` && '20003 Authenticate',
    !request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') && 'no form',
    !/^\+[1-9]\d{6,14}$/.test(To) && `21211 Invalid 'To' Phone Number: ${To}`,
    From === '' && !form['MessagingServiceSid'] && "21603 A 'From' phone number is required",
    resource === 'Messages' ? complaintAboutText(Body) : complaintAboutTwiml(Twiml),
  )
}

function complaintAboutText(text: string): string | null {
  return first(text === '' && '21602 Message body is required', text.length > 1600 && '21617 exceeds 1600 characters')
}

function complaintAboutTwiml(twiml: string): string | null {
  return first(
    twiml.length > 4000 && '32018 Twiml size exceeded',
    !/^<Response><Say( [a-z]+="[^"<>&]*")*>[^<>]+<\/Say><\/Response>$/.test(twiml) && `12100 no document: ${twiml}`,
    /&(?!(amp|lt|gt|quot|apos);)/.test(twiml) && `12100 bare ampersand: ${twiml}`,
    ADDRESS.test(spokenOf(twiml)) && `an address is spoken: ${twiml}`,
  )
}

/** The words of a TwiML document. */
export function spokenOf(twiml: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  const inner = /<Say[^>]*>([^<]*)<\/Say>/.exec(twiml)?.[1] ?? ''
  return inner.replaceAll(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
}

/** @param nonces those that were used before; the request's own is added */
export function checkAliyun(action: string, request: Received, now: number, nonces: Set<string>): string | null {
  const query = paramsOf(request)
  const isAcs3 = request.headers.authorization !== undefined
  const said = isAcs3
    ? {
        action: String(request.headers['x-acs-action']),
        version: String(request.headers['x-acs-version']),
        date: String(request.headers['x-acs-date']),
        nonce: String(request.headers['x-acs-signature-nonce']),
      }
    : {
        action: query['Action'] ?? '',
        version: query['Version'] ?? '',
        date: query['Timestamp'] ?? '',
        nonce: query['SignatureNonce'] ?? '',
      }
  const used = nonces.has(said.nonce)
  nonces.add(said.nonce)
  return first(
    request.method !== 'POST' && 'not a POST',
    request.body !== '' && 'a body that is not signed',
    said.action !== action && `InvalidAction.NotFound ${said.action}`,
    said.version !== '2017-05-25' && `InvalidVersion ${said.version}`,
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(said.date) && `InvalidTimeStamp.Format ${said.date}`,
    Math.abs(Date.parse(said.date) - now) > CLOCK_SKEW_MS && `InvalidTimeStamp.Expired ${said.date}`,
    used && `SignatureNonceUsed ${said.nonce}`,
    isAcs3 ? complaintAboutAcs3(request) : complaintAboutRpc(request, query),
  )
}

function complaintAboutAcs3({ url, headers }: Received): string | null {
  const { accessKeyId, accessKeySecret } = aliyunAccount
  const [, key, signed = '', signature] =
    /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([\da-f]{64})$/.exec(
      String(headers.authorization),
    ) ?? []
  const names = signed.split(';')
  const mustBeSigned = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-acs-'))]
  const [path, query = ''] = url.split('?')
  const canonical = [
    'POST',
    path,
    query.split('&').toSorted().join('&'),
    ...names.map((name) => `${name}:${String(headers[name])}`),
    '',
    signed,
    sha256(''),
  ].join('\n')
  const expected = hmac('sha256', accessKeySecret, `ACS3-HMAC-SHA256\n${sha256(canonical)}`).toString('hex')
  return first(
    key !== accessKeyId && `InvalidAccessKeyId.NotFound ${key}`,
    headers['x-acs-content-sha256'] !== sha256('') && 'the hash is not that of the body',
    mustBeSigned.some((name) => !names.includes(name)) && `not signed: ${mustBeSigned.join(' ')}`,
    signature !== expected && 'SignatureDoesNotMatch',
  )
}

function complaintAboutRpc({ url }: Received, query: Readonly<Record<string, string>>): string | null {
  const { Signature, ...others } = query
  const { accessKeyId, accessKeySecret } = aliyunAccount
  const pairs = Object.keys(others)
    .toSorted()
    .map((name) => `${rfc3986(name)}=${rfc3986(others[name] ?? '')}`)
  const text = `POST&%2F&${rfc3986(pairs.join('&'))}`
  return first(
    !url.startsWith('/?') && `not at the root: ${url}`,
    query['AccessKeyId'] !== accessKeyId && 'InvalidAccessKeyId.NotFound',
    query['Format'] !== 'JSON' && 'the answer would be XML',
    Signature !== hmac('sha1', `${accessKeySecret}&`, text).toString('base64') && 'SignatureDoesNotMatch',
  )
}

export function checkTencent(request: Received, now: number): string | null {
  const { secretId, secretKey } = tencentAccount
  const { headers, body } = request
  const timestamp = Number(headers['x-tc-timestamp'])
  const date = new Date(timestamp * 1000).toISOString().slice(0, 10)
  const canonical = `POST\n/\n\ncontent-type:${headers['content-type']}\nhost:${headers.host}\nx-tc-action:sendsms\n\ncontent-type;host;x-tc-action\n${sha256(body)}`
  const text = `TC3-HMAC-SHA256\n${timestamp}\n${date}/sms/tc3_request\n${sha256(canonical)}`
  const key = hmac('sha256', hmac('sha256', hmac('sha256', `TC3${secretKey}`, date), 'sms'), 'tc3_request')
  const authorization = `TC3-HMAC-SHA256 Credential=${secretId}/${date}/sms/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature=${hmac('sha256', key, text).toString('hex')}`
  const { PhoneNumberSet } = JSON.parse(body) as { PhoneNumberSet: string[] }
  return first(
    request.method !== 'POST' && 'not a POST',
    headers['x-tc-action'] !== 'SendSms' && `InvalidAction ${String(headers['x-tc-action'])}`,
    headers['x-tc-version'] !== '2021-01-11' && 'NoSuchVersion',
    !headers['x-tc-region'] && 'MissingParameter X-TC-Region',
    Math.abs(timestamp * 1000 - now) > CLOCK_SKEW_MS && 'AuthFailure.SignatureExpire',
    headers.authorization !== authorization && 'AuthFailure.SignatureFailure',
    PhoneNumberSet.some((number) => !/^\+[1-9]\d{6,14}$/.test(number)) && 'InvalidParameterValue.IncorrectPhoneNumber',
  )
}

/** What carriers would not let through in a template. */
export function complaintAboutVariables(values: readonly unknown[], longest: number): string | null {
  const bad = values.find(
    (value) =>
      typeof value !== 'string' ||
      value === '' ||
      value.length > longest ||
      /\p{Cc}/u.test(value) ||
      ADDRESS.test(value),
  )
  return bad === undefined ? null : `a variable that is refused: ${JSON.stringify(bad)}`
}

export function formOf({ body }: Received): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(body))
}

export function paramsOf({ url }: Received): Readonly<Record<string, string>> {
  return Object.fromEntries(new URL(url, 'http://vendor').searchParams)
}

function rfc3986(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[\w.~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

function hmac(hash: 'sha1' | 'sha256', key: string | Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
