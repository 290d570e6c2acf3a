/** Accounts at mail servers: the three ways in which a config writes them down, and what they come to. */
import * as z from 'zod'
import { addressSchema } from './addresses.ts'

/** Who sends, and over which server. */
export interface Account {
  readonly host: string
  readonly port: number
  /** empty: the server asks for none */
  readonly username: string
  readonly password: string
  /** of the envelope, and of the header unless a call names another of its senders */
  readonly from: string
  /** implicit on port 465, else STARTTLS; false: neither is demanded, and no certificate looked at */
  readonly tls: boolean
  /** s that connecting may take */
  readonly timeout: number
}

const CONNECT_TIMEOUT_S = 10

const host = z.string().trim().min(1).meta({ description: 'mail server', zh: '邮件服务器地址' })
const port = z.int().min(1).max(65_535).default(587).meta({
  description: 'its port: 465 is TLS from the start, 587 and 25 STARTTLS',
  zh: '端口：465 直接使用 TLS，587 与 25 使用 STARTTLS',
})

const login = {
  username: z.string().default('').meta({
    description: 'user name; none where the server asks for none',
    zh: '用户名；服务器无需认证时留空',
  }),
  password: z.string().default('').meta({
    description: 'password, with many providers one made for programs',
    zh: '密码，多数服务商需使用授权码或应用专用密码',
  }),
  from: addressSchema.meta({ description: 'address of the sender', zh: '发件人地址' }),
  tls: z.boolean().optional().meta({
    description:
      'true: demand TLS with a valid certificate; false: take it where it is offered, else send all in the clear, password included; without this key: true for an account with a user name, else false',
    zh: 'true：要求 TLS 且证书有效；false：服务器支持才加密，否则明文发送（含密码）；不设置时，有用户名则为 true，否则为 false',
  }),
  timeout: z.number().positive().max(300).default(CONNECT_TIMEOUT_S).meta({
    description: 'seconds that connecting may take',
    zh: '连接超时时间（秒）',
  }),
}

/** What every account says of itself. */
export const accountFields = { host, port, ...login }

/** As `recipients.<name>.platforms.email.smtp` has it. */
export const smtpSchema = z.strictObject(accountFields).check(hasPassword).transform(withTls)

/** The section `email`: the account of every recipient without one of its own. */
export const globalSchema = z
  .strictObject({ smtp_host: host, smtp_port: port, ...login })
  .check(hasPassword)
  .transform(withTls)

/** The account of the SDK, with everyone it may send as. */
export const sendingSchema = z
  .strictObject({
    ...accountFields,
    senders: z.array(addressSchema).default([]).meta({
      description: 'further addresses that callers may send from, beside `from` and `username`',
      zh: '除 `from` 与 `username` 外，允许调用方使用的其他发件人地址',
    }),
  })
  .check(hasPassword)
  .transform(withTls)

export function globalAccount({ smtp_host, smtp_port, ...rest }: z.infer<typeof globalSchema>): Account {
  return { host: smtp_host, port: smtp_port, ...rest }
}

/** Everything that tells how to get in, also in the spellings in which it crosses the wire (RFC 4616, RFC 4954). */
export function secretsOf({ username, password }: Account): readonly string[] {
  if (username === '') return []
  return [
    base64(`\0${username}\0${password}`),
    ...[password, username].flatMap((secret) => [secret, base64(secret)]),
  ].filter((secret) => secret !== '')
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** A relay inside a house often has neither users nor TLS; a password is never sent in the clear unasked. */
export function withTls<T extends { readonly username: string; readonly tls?: boolean | undefined }>(
  account: T,
): T & { readonly tls: boolean } {
  return { ...account, tls: account.tls ?? account.username !== '' }
}

/** A check for schemas of accounts. */
export function hasPassword({ value, issues }: z.core.ParsePayload<{ username: string; password: string }>): void {
  if (value.username === '' || value.password !== '') return
  issues.push({ code: 'custom', input: undefined, path: ['password'], message: 'there is a username without it' })
}
