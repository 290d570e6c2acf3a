/**
 * Twilio's REST API, for messages and calls alike: a form, Basic credentials, JSON back.
 * https://www.twilio.com/docs/usage/requests-to-twilio, https://www.twilio.com/docs/api/errors
 */
import * as z from 'zod'
import { type Addressed, type Io, Misconfigured, type Outcome } from '../channel.ts'
import { type Passing, refusal, unanswered } from '../outbound/outcomes.ts'
import { fingerprint } from '../outbound/secrets.ts'
import { readJson } from '../outbound/json.ts'
import { nameOf, numbersOf, type PhoneTarget } from './numbers.ts'

/** What the config says of an account. */
export const twilioAccount = {
  accountSid: z
    .string()
    .regex(/^AC\w+$/)
    .meta({ description: 'account SID (AC…)', zh: '账户 SID（AC…）' }),
  authToken: z.string().min(1).meta({
    description: 'auth token, or the secret of `apiKey`',
    zh: 'Auth Token；使用 API Key 时为其 secret',
  }),
  apiKey: z.string().min(1).optional().meta({
    description: 'SID of an API key (SK…) instead of the account itself',
    zh: 'API Key 的 SID（SK…），可代替账户本身',
  }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://api.twilio.com')
    .meta({ description: 'where the API is', zh: 'API 地址' }),
}

export interface TwilioAccount {
  readonly accountSid: string
  readonly authToken: string
  readonly apiKey?: string | undefined
  readonly baseUrl: string
}

/** 20429: too many requests at once; 30001: its queue is full */
const PASSING: Passing = new Map([
  ['20429', 0],
  ['30001', 0],
])

const taken = z.looseObject({ sid: z.string().min(1) })
const refused = z.looseObject({ code: z.number(), message: z.string() })

/** Posts a form to one of the account's resources. Success is a 2xx with the SID of what it made. */
export async function postTwilio(
  resource: 'Messages' | 'Calls',
  form: string,
  account: TwilioAccount,
  io: Io,
): Promise<Outcome> {
  const answer = await io.http.request({
    method: 'POST',
    url: `${account.baseUrl.replace(/\/$/, '')}/2010-04-01/Accounts/${account.accountSid}/${resource}.json`,
    headers: {
      authorization: `Basic ${credentials(account)}`,
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    },
    body: form,
    trusted: true,
  })
  if (!answer.ok) return unanswered(answer)
  if (answer.status >= 200 && answer.status < 300 && readJson(answer.body, taken)) return { kind: 'accepted' }
  const said = readJson(answer.body, refused)
  return refusal(answer, said && { code: String(said.code), text: said.message }, PASSING)
}

/** An account with the people that it writes to or calls. @throws Misconfigured */
export function twilioTo<Account extends TwilioAccount & { readonly from: string }>(
  account: Account,
  { to: given, template, params }: PhoneTarget,
  name?: string,
): Addressed<Account & { readonly to: readonly string[] }> {
  if (template !== undefined || params !== undefined) {
    throw new Misconfigured('template: Twilio takes texts, it has no templates')
  }
  const to = numbersOf(given, false)
  return {
    id: fingerprint('twilio', account.accountSid, account.from, ...to),
    name: name ?? nameOf('Twilio', to),
    address: { ...account, to },
    // the header's form of it too
    secrets: [account.authToken, credentials(account)],
  }
}

function credentials({ accountSid, apiKey = accountSid, authToken }: TwilioAccount): string {
  return Buffer.from(`${apiKey}:${authToken}`).toString('base64')
}
