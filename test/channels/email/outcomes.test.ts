import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../../server/channels/channel.ts'
import { outcomeOfMail } from '../../../server/channels/email/outcomes.ts'
import { contentOf } from '../../contract/channel.ts'
import { type Refusals, startScriptedServer } from '../../helpers/mail.ts'
import { type MailBench, startMailBench } from '../../helpers/mail-channel.ts'
import { closedPort } from '../../helpers/receiver.ts'

const ALL = ['a@x.test', 'b@x.test', 'c@x.test'] as const
const says = (line: string) => ({ code: Number(line.slice(0, 3)), text: line.slice(4) })
const NOBODY = '550 5.1.1 no such user'
const FULL = '452 4.2.2 mailbox full'
const rcpt = (...lines: string[]): Refusals => ({
  rcpt: Object.fromEntries(lines.map((line, at) => [ALL[at], says(line)])),
})

describe.each([{ pipelining: true }, { pipelining: false }])('what the server says, %o', (options) => {
  const table: readonly [string, Refusals, Outcome['kind'], string?][] = [
    ['yes', {}, 'accepted'],
    ['not you, at all', { connect: says('554 no') }, 'failed', '554 no'],
    ['too many, at all', { connect: says('421 busy') }, 'retry', '421 busy'],
    ['a wrong password', { auth: says('535 5.7.8 bad') }, 'failed', '535 5.7.8 bad'],
    ['no login now', { auth: says('454 4.7.0 later') }, 'retry', '454 4.7.0 later'],
    ['not this sender', { mail: says('553 5.7.1 not you') }, 'failed', '553 5.7.1 not you'],
    ['slow down', { mail: says('450 4.7.1 slow') }, 'retry', '450 4.7.1 slow'],
    ['out of step', { mail: says('503 bad order') }, 'retry', '503 bad order'],
    ['none of the recipients', rcpt(NOBODY, NOBODY, NOBODY), 'failed', NOBODY],
    ['none of them now', rcpt(FULL, FULL, FULL), 'retry', FULL],
    ['one of them later, the others never', rcpt(NOBODY, FULL, NOBODY), 'retry', FULL],
    ['not one of three', rcpt(NOBODY), 'accepted', `1 of 3 refused: ${NOBODY}`],
    ['not two of three', rcpt(FULL, NOBODY), 'accepted', `2 of 3 refused: ${FULL}`],
    ['spam', { data: says('554 5.7.1 spam') }, 'failed', '554 5.7.1 spam'],
    ['too big', { data: says('552 5.3.4 too big') }, 'failed', '552 5.3.4 too big'],
    ['come again', { data: says('451 4.7.1 greylisted') }, 'retry', '451 4.7.1 greylisted'],
    ['good bye', { data: says('421 4.3.2 closing') }, 'retry', '421 4.3.2 closing'],
  ]

  // at once, for a mail server lets each connection wait before it greets
  test.concurrent.each(table)('%s', async (_, refusals, kind, detail) => {
    const { server, send, endpoint, close } = await startMailBench(options)
    server.refuse = refusals
    const sent = await send(contentOf(), endpoint(ALL.map((email) => ({ email }))))
    await close()
    expect(sent).toMatchObject({ kind, ...(detail === undefined ? {} : { detail }) })
    if (kind !== 'accepted') expect(sent).toMatchObject({ answer: detail })
    expect(server.mails).toHaveLength(kind === 'accepted' ? 1 : 0)
  })
})

describe('what it says beside that', () => {
  let bench: MailBench
  beforeAll(async () => {
    bench = await startMailBench()
  })
  beforeEach(() => {
    bench.server.refuse = {}
  })
  afterAll(() => bench.close())

  test('several lines are one in the detail, and stand as they came in the answer', async () => {
    const server = await startScriptedServer('554-go away\r\n554 for good\r\n')
    const sent = await bench.send(contentOf(), bench.endpoint(undefined, { port: server.port }))
    expect(sent).toMatchObject({
      kind: 'failed',
      detail: '554-go away 554 for good',
      answer: '554-go away\n554 for good',
    })
    await server.close()
  })

  test('nothing, behind the text', async () => {
    bench.server.refuse = { data: 'silent' }
    const sent = await bench.send(contentOf(), bench.endpoint(), 300)
    expect(sent).toMatchObject({ kind: 'unknown', detail: 'no answer within 0.3 s' })
  })

  test('and hangs up behind the text', async () => {
    bench.server.refuse = { data: 'cut' }
    expect(await bench.send(contentOf())).toMatchObject({ kind: 'unknown', detail: 'ECONNECTION' })
  })

  test('and hangs up before it', async () => {
    bench.server.refuse = { cutAtRcpt: true }
    expect(await bench.send(contentOf())).toMatchObject({ kind: 'retry', detail: 'ECONNECTION' })
  })

  test('nothing at all', async () => {
    const server = await startScriptedServer('')
    const sent = await bench.send(contentOf(), bench.endpoint(undefined, { port: server.port }), 50)
    expect(sent).toMatchObject({ kind: 'retry', detail: 'no answer within 0.05 s' })
    await server.close()
  })

  test('HTTP', async () => {
    const server = await startScriptedServer('HTTP/1.1 400 Bad Request\r\n\r\n')
    const sent = await bench.send(contentOf(), bench.endpoint(undefined, { port: server.port }))
    expect(sent).toMatchObject({ kind: 'retry', detail: 'HTTP/1.1 400 Bad Request' })
    await server.close()
  })

  test('TLS is not for you', async () => {
    const server = await startScriptedServer('220 hi\r\n', (line) =>
      line.startsWith('EHLO') ? '250 ok\r\n' : '502 no\r\n',
    )
    const sent = await bench.send(contentOf(), bench.endpoint(undefined, { port: server.port, tls: true }))
    expect(sent).toMatchObject({ kind: 'failed', detail: 'no TLS: 502 no' })
    await server.close()
  })
})

describe('without a server', () => {
  test('nobody listens', async () => {
    const bench = await startMailBench()
    const sent = await bench.send(contentOf(), bench.endpoint(undefined, { port: await closedPort() }))
    expect(sent).toEqual({ kind: 'retry', detail: 'ECONNREFUSED', parts: 0 })
    await bench.close()
  })

  test('the hub stops', async () => {
    const bench = await startMailBench()
    bench.stop()
    expect(await bench.send(contentOf())).toMatchObject({ kind: 'retry', detail: 'the hub stops' })
    await bench.close()
  })

  const because = (codes: object) => ({
    ok: false as const,
    error: Object.assign(new Error('connect to mail.internal as hub:secret'), codes),
    left: false,
    cut: null,
  })

  test.each([
    [
      { code: 'EDNS', originalCode: 'ENOTFOUND' },
      { kind: 'retry', detail: 'ENOTFOUND' },
    ],
    [
      { code: 'ESOCKET', originalCode: 'CERT_HAS_EXPIRED' },
      { kind: 'retry', detail: 'CERT_HAS_EXPIRED' },
    ],
    [{ code: 'ETIMEDOUT' }, { kind: 'retry', detail: 'ETIMEDOUT' }],
    [{ code: 'EAUTH' }, { kind: 'failed', detail: 'EAUTH' }],
    [{ code: 'EENVELOPE' }, { kind: 'failed', detail: 'EENVELOPE' }],
    [
      { code: 'ESTREAM', originalCode: 'EFILEACCESS' },
      { kind: 'failed', detail: 'EFILEACCESS' },
    ],
    [{ code: 17 }, { kind: 'retry', detail: 'Error' }],
    [{}, { kind: 'retry', detail: 'Error' }],
  ])('%j', (codes, outcome) => {
    expect(outcomeOfMail(because(codes), 1_000)).toEqual(outcome)
  })

  test.each([
    ['ECONNECTION', { kind: 'unknown', detail: 'ECONNECTION' }],
    ['EAUTH', { kind: 'unknown', detail: 'EAUTH' }],
  ])('%s behind the text is never sure', (code, outcome) => {
    expect(outcomeOfMail({ ...because({ code }), left: true }, 1_000)).toEqual(outcome)
  })

  test('something that is no error', () => {
    expect(outcomeOfMail({ ok: false, error: null, left: false, cut: null }, 1_000)).toEqual({
      kind: 'retry',
      detail: 'unknown error',
    })
  })
})
