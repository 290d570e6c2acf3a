/** Mails of the multi-platform SDK: the account is the hub's, sender and recipients are the caller's. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { contentOf } from '../contract/channel.ts'
import { FROM, LOGIN, type MailBench, startMailBench } from '../helpers/mail-channel.ts'
import { headerOf } from '../helpers/mime.ts'

let bench: MailBench
beforeAll(async () => {
  bench = await startMailBench()
})
beforeEach(() => {
  bench.server.refuse = {}
})
afterAll(() => bench.close())

describe('a call that names its target', () => {
  const to = (target: unknown) => contentOf({}, { target })

  test('sends a plain text, whatever its style', async () => {
    const target = { from: FROM, to: ['a@x.test', 'b@x.test'], cc: ['c@x.test', 'A@x.test'] }
    const content = { ...to(target), style: 'card' as const, title: 'Hi', body: '<b>**hi**</b>' }
    const mail = await bench.deliver(content, bench.direct())
    expect(mail).toMatchObject({ to: ['a@x.test', 'b@x.test', 'c@x.test'], types: ['text/plain'] })
    expect(mail.text).toBe('<b>**hi**</b>\n')
    expect(headerOf(mail, 'To')).toBe('a@x.test, b@x.test')
    expect(headerOf(mail, 'Cc')).toBe('c@x.test')
  })

  test.each([FROM, 'ALERTS@example.com', LOGIN.username, 'team@example.com'])('may be from %s', async (from) => {
    const endpoint = bench.direct({ senders: ['team@example.com'] })
    const mail = await bench.deliver(to({ from, to: ['a@x.test'] }), endpoint)
    expect(headerOf(mail, 'From')).toBe(from)
    expect(mail.from).toBe(FROM)
  })

  test.each([
    ['from', { from: 'ceo@example.com', to: ['a@x.test'] }],
    ['from', { from: '', to: ['a@x.test'] }],
    ['from', { from: `CEO <${FROM}>`, to: ['a@x.test'] }],
    ['from', { from: `${FROM}\r\nBcc: evil@z.test`, to: ['a@x.test'] }],
    ['to[1]', { from: FROM, to: ['a@x.test', 'a:b@c;'] }],
    ['to[0]', { from: FROM, to: ['b@y.test\r\nBcc: evil@z.test'] }],
    ['to[0]', { from: FROM, to: ['a@x.test,b@x.test'] }],
    ['cc[0]', { from: FROM, to: ['a@x.test'], cc: ['<b@x.test>'] }],
    ['target', { from: FROM, to: [] }],
    ['target', { from: FROM, to: 'a@x.test' }],
    ['target', { from: FROM, to: [{ path: '/etc/passwd' }] }],
    ['target', { to: ['a@x.test'] }],
    ['target', 17],
  ])('says that %s is wrong, and sends nothing: %j', async (place, target) => {
    const before = bench.server.mails.length
    const outcome = await bench.send(to(target), bench.direct())
    expect(outcome).toMatchObject({ kind: 'failed', detail: expect.stringContaining(place) })
    expect(JSON.stringify(outcome)).not.toContain('evil')
    expect(bench.server.mails).toHaveLength(before)
  })

  test('is told what the server said', async () => {
    bench.server.refuse = { rcpt: { 'a@x.test': { code: 550, text: '5.1.1 no such user' } } }
    const outcome = await bench.send(to({ from: FROM, to: ['a@x.test'] }), bench.direct())
    expect(outcome).toMatchObject({ kind: 'failed', answer: '550 5.1.1 no such user' })
  })

  test('is tried once and sent once', () => {
    expect(bench.direct()).toMatchObject({
      id: 'email:direct',
      backoff: { tries: 1 },
      capabilities: { onUnknown: 'skip' },
    })
  })
})
