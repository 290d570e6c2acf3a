/** Mails over SMTP (RFC 5321): one to all recipients of a platform, text alone or with HTML beside it. */
import type { SendMailOptions } from 'nodemailer'
import * as z from 'zod'
import { type Addressed, defineChannel, Misconfigured } from './channel.ts'
import { type Content, looks, plainText } from './content.ts'
import { type Account, globalAccount, globalSchema, secretsOf, sendingSchema, smtpSchema } from './email/accounts.ts'
import {
  addressSchema,
  displayName,
  type Mailbox,
  messageIdOf,
  readAddress,
  subjectOf,
  withoutTwins,
} from './email/addresses.ts'
import { htmlOf } from './email/html.ts'
import { outcomeOfMail } from './email/outcomes.ts'
import { createMailer, IMPLICIT_TLS_PORT } from './email/transports.ts'
import { linkLines } from './text/links.ts'
import { fingerprint } from './outbound/secrets.ts'

/** RFC 5321 section 4.5.3.1.8: what every server takes at least */
const MOST_RECIPIENTS = 100
/** of a text; line ends and tabs stay */
const CONTROLS = /(?![\n\t])\p{Cc}/gu

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  smtp: smtpSchema.optional().meta({
    description: 'the account that sends; without it the one of the section `email`',
    zh: '发送所用的账户；未设置时使用 `email` 段的全局账户',
  }),
  recipients: z
    .array(
      z.strictObject({
        email: addressSchema.meta({ description: 'address', zh: '邮箱地址' }),
        name: z.string().optional().meta({ description: 'whose it is', zh: '名称' }),
      }),
    )
    .min(1)
    .max(MOST_RECIPIENTS)
    .meta({ description: 'who gets the mail: all of them one and the same', zh: '收件人，所有人收到同一封邮件' }),
})

const target = z.object({
  from: z.string(),
  to: z.array(z.string()).min(1).max(MOST_RECIPIENTS),
  cc: z.array(z.string()).max(MOST_RECIPIENTS).default([]),
})

interface Address {
  readonly account: Account
  /** tells endpoints apart, also in the Message-ID */
  readonly id: string
  /** of the header; the envelope has the account's own */
  readonly from: string
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  /** text alone, whatever the message's style */
  readonly plain: boolean
}

interface Part {
  readonly subject: string
  readonly text: string
  readonly html: string | null
}

const mailer = createMailer()

export default defineChannel<
  z.infer<typeof platform>,
  Address,
  Part,
  z.infer<typeof globalSchema>,
  z.infer<typeof sendingSchema>,
  z.infer<typeof target>
>({
  name: 'email',
  title: { en: 'Mail', zh: '邮件' },
  credentials: {
    en: 'Your provider names its SMTP server, port and user name. Gmail, QQ and 163 Mail want an app password or authorization code (mail settings) instead of your own password.',
    zh: 'SMTP 服务器、端口与用户名见邮箱服务商说明；Gmail、QQ、163 等需在邮箱设置中生成应用专用密码或授权码，而不是登录密码。',
  },
  platform,
  example: {
    smtp: {
      host: 'smtp.example.com',
      port: 587,
      username: 'alerts@example.com',
      password: 'an-app-password',
      from: 'alerts@example.com',
      tls: true,
    },
    recipients: [{ email: 'ops@example.com', name: '运维团队' }],
  },
  section: globalSchema,
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: null,
    rates: [],
  },

  addresses({ smtp, recipients }, own) {
    const account = smtp ?? (own && globalAccount(own))
    if (!account) throw new Misconfigured('smtp is missing, and there is no section email (smtp_host …) either')
    const to = recipients.map(({ email, name = '' }) => ({ address: email, name: displayName(name) }))
    const names = to.map(({ address, name }) => name || address)
    return [addressed(names.join(', '), { account, from: account.from, to, cc: [], plain: false })]
  },

  warnings({ tls, username }) {
    return tls || username === ''
      ? []
      : ['tls is false: where the server offers none, the password is sent in the clear']
  },

  direct: {
    account: sendingSchema,
    target,
    addressed(account, { from, to, cc }) {
      const sender = readAddress(from)
      const allowed = [account.from, account.username, ...account.senders].map((one) => one.toLowerCase())
      if (sender === null || !allowed.includes(sender.toLowerCase())) {
        throw new Misconfigured('from: not an address that this account may send as')
      }
      return addressed('email', {
        account,
        from: sender,
        to: to.map((text, at) => mailboxOf(text, `to[${at}]`)),
        cc: cc.map((text, at) => mailboxOf(text, `cc[${at}]`)),
        plain: true,
      })
    },
  },

  server: ({ account: { host, port } }) => `${port === IMPLICIT_TLS_PORT ? 'smtps' : 'smtp'}://${host}:${port}`,

  render(content, { plain }) {
    const said = { ...content, title: readable(content.title), body: readable(content.body) }
    const subject = subjectOf(said.title)
    return [{ subject, text: textOf(said, subject), html: said.style === 'card' && !plain ? htmlOf(said) : null }]
  },

  async send(part, address, content, io) {
    const sending = await mailer.send(address.account, mailOf(part, address, content), io)
    return outcomeOfMail(sending, io.timeoutMs)
  },
})

function addressed(name: string, given: Omit<Address, 'id'>): Addressed<Address> {
  const { account, from, to, cc } = given
  const everyone = [...to, ...cc].map(({ address }) => address.toLowerCase())
  const id = fingerprint(account.host, `${account.port}`, account.username, from, ...everyone.toSorted())
  return { id, name, address: { ...given, id }, secrets: secretsOf(account) }
}

/** @throws Misconfigured */
function mailboxOf(text: string, place: string): Mailbox {
  const address = readAddress(text)
  if (address === null) throw new Misconfigured(`${place}: not one plain mail address`)
  return { address, name: '' }
}

/** The title again where the subject holds less than all of it. */
function textOf(content: Content, subject: string): string {
  const { title, body } = content
  const said = subject === title.trim() && body !== '' ? body : plainText(content)
  const links = linkLines(content)
  return `${said}${links === '' ? '' : '\n'}${links}`
}

function readable(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll(CONTROLS, '')
}

function mailOf({ subject, text, html }: Part, address: Address, { frame, level, at }: Content): SendMailOptions {
  const { account, id, from } = address
  const to = withoutTwins(address.to)
  const cc = withoutTwins([...to, ...address.cc]).slice(to.length)
  return {
    from: { address: from, name: '' },
    to: [...to],
    cc: [...cc],
    envelope: { from: account.from, to: [...to, ...cc].map((mailbox) => mailbox.address) },
    subject,
    text,
    ...(html === null ? {} : { html }),
    messageId: messageIdOf(frame.mid, id, from),
    date: new Date(at),
    priority: looks[level].importance,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
