import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addressSchema,
  displayName,
  messageIdOf,
  readAddress,
  subjectOf,
  withoutTwins,
} from '../../../server/channels/email/addresses.ts'

describe('an address', () => {
  test.each([
    ['ops@example.com', 'ops@example.com'],
    ['Ops.Team+on-call@Example.COM', 'Ops.Team+on-call@example.com'],
    ["o'neil_{x}|y~z!#$%&*/=?^`@example.com", "o'neil_{x}|y~z!#$%&*/=?^`@example.com"],
    ['root@localhost', 'root@localhost'],
    ['a@例子.中国', 'a@xn--fsqu00a.xn--fiqs8s'],
    ['a@münchen.example', 'a@xn--mnchen-3ya.example'],
    ['用户@例子.中国', '用户@xn--fsqu00a.xn--fiqs8s'],
    ['a@a.b.c.d.example.com', 'a@a.b.c.d.example.com'],
    [`${'l'.repeat(64)}@example.com`, `${'l'.repeat(64)}@example.com`],
  ])('%j', (text, address) => {
    expect(readAddress(text)).toBe(address)
  })

  test.each([
    'b@y.test\r\nBcc: evil@z.test',
    'b@y.test\nevil@z.test',
    'b@y.test\r',
    'a:b@c;',
    'undisclosed-recipients:;',
    'a@x.test,b@x.test',
    'a@x.test;b@x.test',
    'a@x.test b@x.test',
    'Ops <ops@example.com>',
    '<ops@example.com>',
    'ops@example.com>',
    'ops(comment)@example.com',
    'ops@example.com (Ops)',
    '"a b"@example.com',
    '"evil@z.test"@example.com',
    'evil@z.test@example.com',
    'a\\@b@example.com',
    '@example.com',
    'ops@',
    'ops',
    '@',
    '',
    ' ops@example.com',
    'ops@example.com ',
    'ops@exam ple.com',
    'ops@[127.0.0.1]',
    'ops@[IPv6:::1]',
    'ops@127.0.0.1',
    'ops@127.1',
    'ops@①②⑦.0.0.1',
    'ops@example..com',
    'ops@.example.com',
    'ops@example.com.',
    'ops@-example.com',
    'ops@exa_mple.com',
    'ops@ex%61mple.com',
    'ops@example.com:25',
    'ops@example.com/x',
    'ops\0@example.com',
    'ops\u202E@example.com',
    'ops\u200B@example.com',
    'ops@exam\u00ADple.com',
    'o\u2028ps@example.com',
    `${'l'.repeat(65)}@example.com`,
    `a@${'d'.repeat(64)}.com`,
    `a@${'d.'.repeat(140)}com`,
  ])('%j is none', (text) => {
    expect(readAddress(text)).toBeNull()
    expect(addressSchema.safeParse(text).error?.issues[0]?.message).toContain('not one plain mail address')
  })

  test('whatever is taken has one @ and nothing that means something in SMTP or in a header', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab@@..<>(),;:"\\ \r\n\t\0[]例é①') })
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (given) => {
        const address = readAddress(given)
        if (address === null) return
        expect(address.split('@')).toHaveLength(2)
        expect(address).not.toMatch(/[\p{C}\p{Z}<>(),;:"\\[\]]/u)
        expect(readAddress(address)).toBe(address)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is there once, with the first name that was given', () => {
    const mailboxes = [
      { address: 'a@x.test', name: 'A' },
      { address: 'b@x.test', name: '' },
      { address: 'A@x.test', name: 'Again' },
    ]
    expect(withoutTwins(mailboxes)).toEqual(mailboxes.slice(0, 2))
  })
})

describe('a subject', () => {
  test.each([
    ['Disk full', 'Disk full'],
    ['  spaces \t', 'spaces'],
    ['a\r\nBcc: evil@z.test', 'a Bcc: evil@z.test'],
    ['a\u2028b\u0085c\0d\x1Be', 'a b c d e'],
    ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
    ['👨‍👩‍👧‍👦 磁盘', '👨‍👩‍👧‍👦 磁盘'],
    ['\r\n', ''],
    ['x'.repeat(200), 'x'.repeat(200)],
    ['x'.repeat(201), `${'x'.repeat(199)}…`],
    ['```'.repeat(100), `${'`'.repeat(199)}…`],
  ])('%j', (title, subject) => {
    expect(subjectOf(title)).toBe(subject)
  })

  test('is cut between characters as readers see them', () => {
    const family = '👨‍👩‍👧‍👦'
    const subject = subjectOf(family.repeat(100))
    expect(subject.replaceAll(family, '')).toBe('…')
    expect([...subject].length).toBeGreaterThan(190)
    expect([...subject].length).toBeLessThanOrEqual(200)
    expect(subjectOf(`a${'\u0300'.repeat(10_000)}`).length).toBeLessThan(200)
  })
})

test('a name is one line', () => {
  expect(displayName('Ops\r\nBcc: evil@z.test')).toBe('Ops Bcc: evil@z.test')
  expect(displayName('名'.repeat(200))).toHaveLength(100)
})

test('a Message-ID is one over all tries, and another for each message and endpoint', () => {
  const id = messageIdOf('1800000000001', 'aaa', 'alerts@example.com')
  expect(id).toMatch(/^<[0-9a-f]{12}\.1800000000001@example\.com>$/)
  expect(messageIdOf('1800000000001', 'aaa', 'alerts@example.com')).toBe(id)
  expect(messageIdOf('1800000000001', 'bbb', 'alerts@example.com')).not.toBe(id)
  expect(messageIdOf('1800000000002', 'aaa', 'alerts@example.com')).not.toBe(id)
  expect(messageIdOf('1>\r\nBcc: <evil@z.test', 'aaa', 'a@x.test')).toMatch(/^<[\w.]+@x\.test>$/)
})
