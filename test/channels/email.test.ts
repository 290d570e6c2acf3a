import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Misconfigured } from '../../server/channels/channel.ts'
import { LEVELS } from '../../server/channels/content.ts'
import email from '../../server/channels/email.ts'
import { CONFIRM_URL, contentOf, LINK } from '../contract/channel.ts'
import type { Bench } from '../contract/channel/bench.ts'
import { testDescribed } from '../contract/channel/described.ts'
import { startTap } from '../helpers/mail.ts'
import { FROM, LOGIN, type MailBench, startMailBench } from '../helpers/mail-channel.ts'
import { headerOf } from '../helpers/mime.ts'

let bench: MailBench
let tap: Awaited<ReturnType<typeof startTap>>
beforeAll(async () => {
  bench = await startMailBench()
  tap = await startTap(bench.server.port)
})
beforeEach(() => {
  bench.server.refuse = {}
})
afterAll(async () => {
  await bench.close()
  await tap.close()
})

const SMTP = { host: 'smtp.example.com', ...LOGIN, from: FROM }
const BACKOFF = { firstMs: 1_000, maxMs: 60_000, tries: 3 }

describe('the config', () => {
  testDescribed(
    {
      channel: email,
      platform: () => ({ smtp: SMTP, recipients: [{ email: 'ops@example.com' }] }),
      ok: { status: 200, body: '' },
      check: () => null,
      shown: () => '',
      responses: [],
      secrets: [LOGIN.username, LOGIN.password],
    },
    { capabilities: email.capabilities } as Bench,
  )

  const platform = { recipients: [{ email: 'ops@example.com', name: '运维' }, { email: 'dev@example.com' }] }
  const section = { smtp_host: 'smtp.example.com', smtp_port: 587, ...LOGIN, from: FROM }

  test('makes all addresses of a recipient one endpoint', () => {
    const endpoints = email.endpoints(platform, section, BACKOFF)
    expect(endpoints).toMatchObject([{ channel: 'email', name: '运维, dev@example.com', backoff: BACKOFF }])
  })

  test.each([
    [587, 'smtp://smtp.example.com:587'],
    [465, 'smtps://smtp.example.com:465'],
  ])('on port %d names its server as %s', (port, server) => {
    expect(email.endpoints(platform, { ...section, smtp_port: port }, BACKOFF)).toMatchObject([{ server }])
  })

  test('takes the account of the recipient before the one of the section', async () => {
    const own = await startMailBench()
    const global = { ...section, smtp_host: '127.0.0.1', smtp_port: bench.server.port, tls: false }
    const smtp = { ...SMTP, host: '127.0.0.1', port: own.server.port, tls: false }
    const [byOwn] = email.endpoints({ ...platform, smtp }, global, BACKOFF)
    const [byGlobal] = email.endpoints(platform, global, BACKOFF)
    await own.deliver(contentOf(), byOwn)
    expect(own.server.mails).toHaveLength(1)
    await bench.deliver(contentOf(), byGlobal)
    expect(own.server.mails).toHaveLength(1)
    await own.close()
  })

  test('without any account names what is missing', () => {
    expect(() => email.endpoints(platform, undefined, BACKOFF)).toThrow(Misconfigured)
    expect(() => email.endpoints(platform, undefined, BACKOFF)).toThrow(/smtp .*email/)
  })

  test('is one endpoint in whatever order, and another for other people or another account', () => {
    const id = (given: object, own: object = {}) => email.endpoints(given, { ...section, ...own }, BACKOFF)[0]?.id
    const [a, b] = platform.recipients
    expect(id({ recipients: [b, a] })).toBe(id(platform))
    expect(id({ recipients: [a] })).not.toBe(id(platform))
    expect(id(platform, { from: 'other@example.com' })).not.toBe(id(platform))
    expect(id(platform, { password: 'changed' })).toBe(id(platform))
  })

  test.each([[[]], [[{ email: 'a@x.test, b@x.test' }]], [[{ email: 'a@x.test\r\nBcc: evil@z.test' }]], [[{}]]])(
    'takes no recipients like %j',
    (recipients) => {
      expect(email.platform.safeParse({ smtp: SMTP, recipients }).success).toBe(false)
    },
  )

  test('warns of a password that may cross the network in the clear', () => {
    expect(email.warnings({ ...section, tls: false })).toEqual([expect.stringContaining('tls is false')])
    expect(email.warnings(section)).toEqual([])
  })
})

describe('a mail', () => {
  test('goes to all recipients at once', async () => {
    const to = [
      { email: 'ops@example.com', name: '运维 "Ops"' },
      { email: 'a@例子.中国' },
      { email: 'OPS@example.com' },
    ]
    const mail = await bench.deliver(contentOf(), bench.endpoint(to))
    expect(mail).toMatchObject({ from: FROM, to: ['ops@example.com', 'a@例子.中国'], user: LOGIN.username })
    expect(headerOf(mail, 'From')).toBe(FROM)
    expect(headerOf(mail, 'To')).toBe('运维 "Ops" <ops@example.com>, a@xn--fsqu00a.xn--fiqs8s')
  })

  test('says when, and that a program wrote it', async () => {
    const mail = await bench.deliver(contentOf({ at: Date.UTC(2026, 10, 24, 9, 30) }))
    expect(headerOf(mail, 'Date')).toBe('Tue, 24 Nov 2026 09:30:00 +0000')
    expect(headerOf(mail, 'Auto-Submitted')).toBe('auto-generated')
  })

  test.each(LEVELS)('says how much %s matters', async (level) => {
    const mail = await bench.deliver(contentOf({ level }))
    const isHigh = level === 'warning' || level === 'error'
    expect(headerOf(mail, 'X-Priority')).toBe(isHigh ? '1 (Highest)' : null)
    expect(headerOf(mail, 'Importance')).toBe(isHigh ? 'High' : null)
  })

  test('keeps its Message-ID over retries', async () => {
    const [first, again] = [await bench.deliver(contentOf()), await bench.deliver(contentOf())]
    const other = await bench.deliver(contentOf(), bench.endpoint([{ email: 'dev@example.com' }]))
    expect(headerOf(again, 'Message-ID')).toBe(headerOf(first, 'Message-ID'))
    expect(headerOf(first, 'Message-ID')).toMatch(/^<[^<>@\s]+@example\.com>$/)
    expect(headerOf(other, 'Message-ID')).not.toBe(headerOf(first, 'Message-ID'))
  })

  test('in text is text alone', async () => {
    const mail = await bench.deliver(contentOf({ body: '**as** it <is>' }))
    expect(mail).toMatchObject({ types: ['text/plain'], text: '**as** it <is>\n', html: null })
    expect(headerOf(mail, 'Subject')).toBe('Disk full')
  })

  test('as a card has text first, and HTML that shows the same', async () => {
    const said = {
      style: 'card',
      title: '磁盘 <满>',
      body: '**3 GB** <left>',
      link: LINK,
      confirmUrl: CONFIRM_URL,
    } as const
    const mail = await bench.deliver(contentOf(said))
    expect(mail.types).toEqual(['multipart/alternative', 'text/plain', 'text/html'])
    expect(mail.text).toContain('**3 GB** <left>')
    expect(mail.html).toContain('磁盘 &lt;满&gt;</h1>')
    expect(mail.html).toContain('<strong>3 GB</strong> &lt;left&gt;')
    for (const url of [LINK, CONFIRM_URL]) {
      expect(mail.text).toContain(`: ${url}`)
      expect(mail.html).toContain(`href="${url.replaceAll('&', '&amp;')}"`)
    }
  })

  test('shows its links behind the text', async () => {
    const mail = await bench.deliver(contentOf({ link: LINK, confirmUrl: CONFIRM_URL }))
    expect(mail.text).toBe(`nas1: /data has 3 GB left\n\n查看详情 Details: ${LINK}\n确认收到 Confirm: ${CONFIRM_URL}\n`)
  })

  test('without a text has its title there', async () => {
    expect(await bench.deliver(contentOf({ body: '', confirmUrl: CONFIRM_URL }))).toMatchObject({
      text: `Disk full\n\n确认收到 Confirm: ${CONFIRM_URL}\n`,
    })
    expect(headerOf(await bench.deliver(contentOf({ title: '', body: '' })), 'Subject')).toBeNull()
  })

  test.each(['x'.repeat(300), 'two\nlines'])(
    'has all of its title in the text where the subject cannot: %j',
    async (title) => {
      const mail = await bench.deliver(contentOf({ title, body: 'and more' }))
      expect(mail.text).toBe(`${title}\nand more\n`)
      expect(headerOf(mail, 'Subject')).not.toContain('\n')
      expect([...(headerOf(mail, 'Subject') ?? '')].length).toBeLessThanOrEqual(200)
    },
  )
})

describe('a text arrives as it was', () => {
  test.each([
    ['Chinese', '服务器的数据盘只剩三吉字节'.repeat(50)],
    ['emoji', '👨‍👩‍👧‍👦 👍🏽 🇨🇳 '.repeat(50).trim()],
    ['long lines', `${'x'.repeat(5_000)}\n${'字'.repeat(5_000)}`],
    ['dots at the start of lines', '.\n..\n...\n.a\n\n.\nend'],
    ['what ends a mail', 'a\n.\nMAIL FROM:<evil@z.test>\nRCPT TO:<evil@z.test>\nDATA\nSubject: x\n\n.'],
    ['a line that looks like a header', 'Bcc: evil@z.test\n\nFrom: evil@z.test'],
    ['boundaries', '--x\nContent-Type: text/html\n\n<script>alert(1)</script>\n--x--'],
    ['quoted-printable', '=41=0D=0A= \nends in a blank \n=\n'],
    ['From at the start of a line', 'From me'],
    ['tabs', 'a\tb\n\tc'],
    ['as much as a message may be', 'w[1] 字 '.repeat(8_000).trim()],
  ])('%s', async (_, body) => {
    for (const style of ['text', 'card'] as const) {
      const mail = await bench.deliver(contentOf({ style, body }))
      expect(mail.text?.replace(/\n$/, '')).toBe(body.replace(/\n$/, ''))
      expect(mail.to).toEqual(['ops@example.com'])
    }
  })

  test.each(['\n.\n', '\r.\r', '\r\n.\n', '\n.\r\n', '\r.\r\n', '\r\n.\r', '\n.\r', '\0'])(
    'no line end ends it early: %j',
    async (end) => {
      const body = `first${end}MAIL FROM:<evil@z.test>`
      const before = tap.said().length
      const mail = await bench.deliver(contentOf({ body }), bench.endpoint(undefined, { port: tap.port }))
      const said = tap.said().slice(before)
      const text = said.slice(said.indexOf('\r\n\r\n') + 4)
      expect(text.match(/\r\n\.\r\n/g)).toHaveLength(1)
      expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
      expect(mail.text).toContain('MAIL FROM:<evil@z.test>')
      expect(mail.text?.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    },
  )
})

describe('nobody else is written to', () => {
  const evil = '\r\nBcc: evil@z.test\r\nX-Evil: 1\r\n\r\nevil'

  test.each([
    ['a title', { title: `hello${evil}` }],
    ['a text', { body: `hello${evil}` }],
    ['a card', { style: 'card', title: `hello${evil}`, body: evil }],
  ] as const)('by %s', async (_, said) => {
    const mail = await bench.deliver(contentOf(said))
    expect(mail.to).toEqual(['ops@example.com'])
    expect([...mail.headers.keys()]).not.toContain('bcc')
    expect([...mail.headers.keys()]).not.toContain('x-evil')
    expect(headerOf(mail, 'Subject')).not.toMatch(/[\r\n]/)
  })

  test('by the name of a recipient', async () => {
    const mail = await bench.deliver(contentOf(), bench.endpoint([{ email: 'ops@example.com', name: `Ops${evil}` }]))
    expect(mail.to).toEqual(['ops@example.com'])
    expect([...mail.headers.keys()]).not.toContain('bcc')
  })

  test('by an id', async () => {
    const content = contentOf()
    const mid = `1>${evil}`
    const mail = await bench.deliver({ ...content, frame: { ...content.frame, mid } })
    expect([...mail.headers.keys()]).not.toContain('bcc')
  })
})

describe('the login', () => {
  const { username, password } = LOGIN
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const spellings = [username, password, base64(username), base64(password), base64(`\0${username}\0${password}`)]
  const echo = { code: 550, text: `5.7.0 ${spellings.join(' ')}` }

  test.each([
    ['connect', { connect: echo }],
    ['auth', { auth: echo }],
    ['mail', { mail: echo }],
    ['rcpt', { rcpt: { 'ops@example.com': echo } }],
    ['one of two', { rcpt: { 'dev@example.com': echo } }],
    ['data', { data: echo }],
  ])('is in nothing that is kept, though the server repeats it: %s', async (_, refusals) => {
    // a new connection each: greeting and login come but once
    const own = await startMailBench()
    own.server.refuse = refusals
    const endpoint = own.endpoint([{ email: 'ops@example.com' }, { email: 'dev@example.com' }])
    const direct = own.direct()
    const said = contentOf({}, { target: { from: FROM, to: ['ops@example.com', 'dev@example.com'] } })
    for (const one of [endpoint, direct]) {
      const outcome = await own.send(said, one)
      expect(outcome).toMatchObject({ detail: expect.stringContaining('[secret]') })
      for (const secret of spellings) expect(JSON.stringify(outcome) + own.logged() + one.id).not.toContain(secret)
    }
    await own.close()
  })

  test('that is wrong is no reason to try again', async () => {
    const outcome = await bench.send(contentOf(), bench.endpoint(undefined, { password: 'wrong password' }))
    expect(outcome).toMatchObject({ kind: 'failed', detail: expect.stringContaining('535') })
    expect(JSON.stringify(outcome)).not.toContain('wrong password')
  })
})
