import { createTransport, type SendMailOptions } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Account, smtpSchema } from '../../../server/channels/email/accounts.ts'
import { connectionOf, createMailer } from '../../../server/channels/email/transports.ts'
import { type MailServer, type MailServerOptions, startMailServer, startScriptedServer } from '../../helpers/mail.ts'

const login = { username: 'hub', password: 'secret' }
const mail: SendMailOptions = {
  from: 'a@x.test',
  to: 'b@x.test',
  envelope: { from: 'a@x.test', to: ['b@x.test'] },
  subject: 'hello',
  text: 'world',
}
const open: { close(): Promise<void> }[] = []
let stop = new AbortController()

beforeEach(() => {
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  vi.unstubAllEnvs()
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function serve(options: MailServerOptions = {}): Promise<MailServer> {
  const server = await startMailServer({ tls: 'none', account: login, ...options })
  open.push(server)
  return server
}

async function serveScript(...script: Parameters<typeof startScriptedServer>) {
  const server = await startScriptedServer(...script)
  open.push(server)
  return server
}

function accountAt({ port }: { port: number }, given: object = {}): Account {
  return smtpSchema.parse({ host: '127.0.0.1', port, ...login, from: 'a@x.test', tls: false, ...given })
}

function limits(timeoutMs = 5_000) {
  return { timeoutMs, signal: stop.signal }
}

describe('connections', () => {
  test('are kept for the next mail', async () => {
    const server = await serve()
    const mailer = createMailer()
    for (const _ of [1, 2, 3]) expect(await mailer.send(accountAt(server), mail, limits())).toMatchObject({ ok: true })
    expect(server.mails).toHaveLength(3)
    expect(server.connections).toBe(1)
  })

  test('are closed when no mail comes for a while', async () => {
    const server = await serve()
    expect(await createMailer(20).send(accountAt(server), mail, limits())).toMatchObject({ ok: true })
    await server.until(() => server.open === 0)
  })

  test('are three at most', async () => {
    const server = await serve()
    const mailer = createMailer()
    const sent = await Promise.all(Array.from({ length: 20 }, () => mailer.send(accountAt(server), mail, limits())))
    expect(sent.every(({ ok }) => ok)).toBe(true)
    expect(server.mails).toHaveLength(20)
    expect(server.connections).toBeLessThanOrEqual(3)
  })

  test('of another account are others', async () => {
    const server = await serve()
    const mailer = createMailer()
    await mailer.send(accountAt(server), mail, limits())
    const other = await mailer.send(accountAt(server, { password: 'wrong' }), mail, limits())
    expect(other).toMatchObject({ ok: false, error: { code: 'EAUTH' } })
    expect(server.mails).toHaveLength(1)
  })

  test('are closed when the hub stops, and no others', async () => {
    const server = await serve()
    const mailer = createMailer(60_000)
    const another = new AbortController()
    await mailer.send(accountAt(server), mail, limits())
    await mailer.send(accountAt(server), mail, { timeoutMs: 5_000, signal: another.signal })
    expect(server.open).toBe(2)
    stop.abort()
    await server.until(() => server.open === 1)
    expect(await mailer.send(accountAt(server), mail, { timeoutMs: 5_000, signal: another.signal })).toMatchObject({
      ok: true,
    })
    expect(server.connections).toBe(2)
    another.abort()
  })

  test('that died unseen are replaced, and the mail is sent once', async () => {
    const server = await serve()
    const mailer = createMailer()
    await mailer.send(accountAt(server), mail, limits())
    server.refuse = { cutAtRcpt: true }
    const sent = mailer.send(accountAt(server), mail, limits())
    await server.until(() => server.connections === 2)
    server.refuse = {}
    expect(await sent).toMatchObject({ ok: true })
    expect(server.mails).toHaveLength(2)
  })
})

describe('a mail that is given up', () => {
  test('before its text went out cannot have arrived', async () => {
    const server = await serve()
    server.refuse = { cutAtRcpt: true }
    expect(await createMailer().send(accountAt(server), mail, limits())).toMatchObject({ ok: false, left: false })
    expect(server.connections).toBe(1)
  })

  test('for the connection broke behind its text may have arrived, and is not sent again', async () => {
    const server = await serve()
    const mailer = createMailer()
    await mailer.send(accountAt(server), mail, limits())
    server.refuse = { data: 'cut' }
    const sent = await mailer.send(accountAt(server), mail, limits())
    expect(sent).toMatchObject({ ok: false, left: true, cut: null })
    expect(server.connections).toBe(1)
  })

  test('for the server says nothing to its text may have arrived', async () => {
    const server = await serve()
    server.refuse = { data: 'silent' }
    const sent = await createMailer().send(accountAt(server), mail, limits(200))
    expect(sent).toMatchObject({ ok: false, left: true, cut: 'time' })
  })

  test('for the server never greets cannot', async () => {
    const server = await serveScript('')
    const sent = await createMailer().send(accountAt(server), mail, limits(50))
    expect(sent).toMatchObject({ ok: false, left: false, cut: 'time' })
  })

  test('for it takes longer than the account may is no matter of the mail', async () => {
    const server = await serveScript('')
    const sent = await createMailer().send(accountAt(server, { timeout: 0.05 }), mail, limits())
    expect(sent).toMatchObject({ ok: false, left: false, cut: null, error: { code: 'ETIMEDOUT' } })
  })

  test('for the server trickles its replies cannot', async () => {
    const server = await serveScript('220 hi\r\n', (line) => (line.startsWith('EHLO') ? '250-a\r\n' : null))
    const sent = await createMailer().send(accountAt(server), mail, limits(100))
    expect(sent).toMatchObject({ ok: false, left: false, cut: 'time' })
  })

  test('for the hub stops may have arrived or not', async () => {
    const server = await serve()
    server.refuse = { data: 'silent' }
    const sent = createMailer().send(accountAt(server), mail, limits())
    await server.until(() => server.mails.length === 1)
    stop.abort()
    expect(await sent).toMatchObject({ ok: false, left: true, cut: 'stop' })
    expect(await createMailer().send(accountAt(server), mail, limits())).toMatchObject({
      ok: false,
      left: false,
      cut: 'stop',
    })
    expect(server.connections).toBe(1)
  })
})

describe('TLS', () => {
  const trusting = () => vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')

  test('is asked for after the greeting, before anything else is said', async () => {
    trusting()
    const server = await serve({ tls: 'starttls' })
    expect(await createMailer().send(accountAt(server, { tls: true }), mail, limits())).toMatchObject({ ok: true })
    expect(server.mails).toMatchObject([{ secure: true, user: 'hub' }])
  })

  test('is there from the start on port 465 only', async () => {
    trusting()
    const server = await serve({ tls: 'implicit' })
    for (const tls of [true, false]) {
      const options = connectionOf(accountAt({ port: 465 }, { tls }))
      const transporter = createTransport({ ...options, port: server.port, pool: true })
      await transporter.sendMail(mail)
      transporter.close()
    }
    expect(server.mails).toMatchObject([
      { secure: true, user: 'hub' },
      { secure: true, user: 'hub' },
    ])
    for (const port of [25, 587, 2525]) expect(connectionOf(accountAt({ port }, { tls: true })).secure).toBe(false)
  })

  test('that is demanded and not offered ends it before the password is said', async () => {
    const server = await serveScript('220 hi\r\n', (line) =>
      line.startsWith('EHLO') ? '250 AUTH PLAIN\r\n' : '502 no\r\n',
    )
    const sent = await createMailer().send(accountAt(server, { tls: true }), mail, limits())
    expect(sent).toMatchObject({ ok: false, left: false, error: { code: 'ETLS', responseCode: 502 } })
    expect(server.lines).toHaveLength(2)
    expect(server.lines[1]).toBe('STARTTLS')
  })

  test('that is demanded looks at the certificate', async () => {
    const server = await serve({ tls: 'starttls' })
    const sent = await createMailer().send(accountAt(server, { tls: true }), mail, limits())
    expect(sent).toMatchObject({ ok: false, left: false, error: { originalCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })
    expect(server.mails).toEqual([])
  })

  test('is taken where it is offered, whatever its certificate, though none is demanded', async () => {
    const server = await serve({ tls: 'starttls' })
    expect(await createMailer().send(accountAt(server), mail, limits())).toMatchObject({ ok: true })
    expect(server.mails).toMatchObject([{ secure: true, user: 'hub' }])
  })

  test('may be missing where none is demanded', async () => {
    const server = await serve()
    expect(await createMailer().send(accountAt(server), mail, limits())).toMatchObject({ ok: true })
    expect(server.mails).toMatchObject([{ secure: false, user: 'hub' }])
  })

  test('that was offered and failed is gone on without, but no password is said then', async () => {
    const server = await serveScript('220 hi\r\n', (line) => {
      if (line.startsWith('EHLO')) return '250-STARTTLS\r\n250 AUTH PLAIN\r\n'
      return line === 'STARTTLS' ? '454 no TLS today\r\n' : '530 login first\r\n'
    })
    const sent = await createMailer().send(accountAt(server), mail, limits())
    expect(sent).toMatchObject({ ok: false, error: { responseCode: 530 } })
    expect(server.lines.join('\n')).not.toContain('AUTH')
  })
})

test('a login is left out where there is none', async () => {
  const server = await startMailServer({ tls: 'none' })
  open.push(server)
  const account = accountAt(server, { username: '', password: '' })
  expect(await createMailer().send(account, mail, limits())).toMatchObject({ ok: true })
  expect(server.mails).toMatchObject([{ user: null }])
})

test.each([
  ['text', { path: '/etc/passwd' }],
  ['text', { href: 'http://127.0.0.1:9/' }],
  ['html', { path: '/etc/passwd' }],
])('no file and no address is ever read for a %s: %j', async (key, content) => {
  const server = await serve()
  const sent = await createMailer().send(accountAt(server), { ...mail, [key]: content }, limits())
  expect(sent).toMatchObject({ ok: false, error: { originalCode: expect.stringMatching(/^E(FILE|URL)ACCESS$/) } })
  expect(server.mails).toEqual([])
})
