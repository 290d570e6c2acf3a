import { describe, expect, test } from 'vitest'
import {
  globalAccount,
  globalSchema,
  secretsOf,
  sendingSchema,
  smtpSchema,
} from '../../../server/channels/email/accounts.ts'

const login = { username: 'hub@example.com', password: 'secret-word', from: 'alerts@example.com' }
const rest = { ...login, tls: true, timeout: 10 }

describe('an account', () => {
  test('of a recipient, of everybody, and of the SDK come to the same', () => {
    const account = { host: 'smtp.example.com', port: 587, ...rest }
    expect(smtpSchema.parse({ host: 'smtp.example.com', ...login })).toEqual(account)
    expect(globalAccount(globalSchema.parse({ smtp_host: 'smtp.example.com', ...login }))).toEqual(account)
    expect(sendingSchema.parse({ host: 'smtp.example.com', ...login })).toEqual({ ...account, senders: [] })
  })

  test('may need no login', () => {
    expect(smtpSchema.parse({ host: 'relay', from: 'a@x.test' })).toMatchObject({ username: '', password: '' })
  })

  test('demands TLS for a password unless told otherwise, and takes it where it is offered without one', () => {
    const tls = (more: object) => smtpSchema.parse({ host: 'relay', from: 'a@x.test', ...more }).tls
    expect([tls({}), tls({ tls: true })]).toEqual([false, true])
    expect([tls(login), tls({ ...login, tls: false })]).toEqual([true, false])
  })

  test.each([
    ['host', { host: '' }],
    ['host', { host: undefined }],
    ['port', { port: 0 }],
    ['port', { port: '587' }],
    ['from', { from: 'Ops <ops@example.com>' }],
    ['from', { from: 'a@x.test\r\nRCPT TO:<evil@z.test>' }],
    ['password', { password: undefined }],
    ['password', { password: '' }],
    ['tls', { tls: 'yes' }],
    ['timeout', { timeout: -1 }],
    ['nmae', { nmae: 'x' }],
  ])('names %s where it is wrong, and shows no value: %j', (key, wrong) => {
    const { error } = smtpSchema.safeParse({ host: 'smtp.example.com', ...login, ...wrong })
    const [issue] = error?.issues ?? []
    expect([...(issue?.path ?? []), ...(issue?.code === 'unrecognized_keys' ? issue.keys : [])]).toEqual([key])
    expect(error?.message).not.toContain('secret-word')
    expect(error?.message).not.toContain('evil')
  })

  test('keeps its login secret in every spelling of the wire', () => {
    const secrets = secretsOf(smtpSchema.parse({ host: 'x', ...login }))
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    for (const secret of ['hub@example.com', 'secret-word']) {
      expect(secrets).toContain(secret)
      expect(secrets).toContain(base64(secret))
    }
    expect(secrets).toContain(base64('\0hub@example.com\0secret-word'))
    expect(secretsOf(smtpSchema.parse({ host: 'x', from: 'a@x.test' }))).toEqual([])
  })
})
