/** The section `smtp_relay` of PushServer: read, so that its config files are taken whole; nothing acts on it yet. */
import * as z from 'zod'
import { accountFields, hasPassword, withTls } from '../channels/email/accounts.ts'

const accountSchema = z
  .strictObject({
    ...accountFields,
    name: z.string().min(1).optional().meta({ description: 'what it is called in statistics', zh: '统计中显示的名称' }),
    enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  })
  .check(hasPassword)
  .transform(withTls)

export const smtpRelaySchema = z
  .strictObject({
    enabled: z.boolean().default(false).meta({
      description: 'whether mails are taken in; this version takes none and says so at the start',
      zh: '是否接收邮件；当前版本尚不接收，启动时会给出提示',
    }),
    port: z.int().min(1).max(65_535).default(2525).meta({ description: 'port to listen on', zh: '监听端口' }),
    host: z.string().min(1).optional().meta({ description: 'address to listen on', zh: '监听地址' }),
    auth: z
      .strictObject({
        username: z.string().min(1).meta({ description: 'user name', zh: '用户名' }),
        password: z.string().min(1).meta({ description: 'password', zh: '密码' }),
      })
      .optional()
      .meta({ description: 'how programs that hand in mails log in', zh: '提交邮件的程序使用的登录信息' }),
    accounts: z
      .array(accountSchema)
      .default([])
      .meta({ description: 'accounts that send mails on', zh: '转发邮件所用的账户' }),
  })
  .prefault({})
  .meta({
    description:
      'a mail server for programs of this network; accepted from old configs, this version does not relay mail',
    zh: '供内网程序使用的邮件中继；兼容旧配置，当前版本尚不中继邮件',
  })
