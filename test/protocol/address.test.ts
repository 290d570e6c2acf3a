import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addressOf,
  checkName,
  groupId,
  recipientId,
  SYSTEM,
  wireGroup,
  wireName,
} from '../../server/protocol/address.ts'
import { Refusal } from '../../server/protocol/errors.ts'

/** What the call refuses with; null when it does not. @throws anything but a refusal */
function refusalOf(call: () => unknown): string | null {
  try {
    call()
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

const a64 = 'a'.repeat(64)
const bell64 = '🔔'.repeat(64)

/** name as written → name that the hub knows, which is also what is printed on old wires */
const allowed: readonly (readonly [string, string])[] = [
  ['alice', 'alice'],
  ['alice@user', 'alice'],
  ['ALICE', 'ALICE'],
  ['a', 'a'],
  ['7', '7'],
  ['a.b', 'a.b'],
  ['a.b.send', 'a.b.send'],
  ['...', '...'],
  ['.hidden', '.hidden'],
  ['-rf', '-rf'],
  ['a_b-c', 'a_b-c'],
  ["it's me", "it's me"],
  [' padded ', ' padded '],
  ['two  spaces', 'two  spaces'],
  ['中文', '中文'],
  ['中文@user', '中文'],
  ['Ελλάδα', 'Ελλάδα'],
  ['משה', 'משה'],
  ['محمد', 'محمد'],
  ['می‌خواهم', 'می‌خواهم'],
  ['Zoë', 'Zoë'],
  ['Zoe\u0308', 'Zoë'],
  ['\u212bngström', 'Ångström'],
  ['🔔', '🔔'],
  ['👩‍👩‍👧‍👦 family', '👩‍👩‍👧‍👦 family'],
  ['❤️', '❤️'],
  ['👍🏽', '👍🏽'],
  ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
  ['mail@example.org', 'mail@example.org'],
  ['mail@example.org@user', 'mail@example.org'],
  ['a@b@c', 'a@b@c'],
  ['a@', 'a@'],
  ['@', '@'],
  ['@a', '@a'],
  ['a@User', 'a@User'],
  ['a@users', 'a@users'],
  ['a@user ', 'a@user '],
  ['a@group.org', 'a@group.org'],
  ['a@webhook', 'a@webhook'],
  ['user', 'user'],
  ['group', 'group'],
  ['system', 'system'],
  ['hasOwnProperty', 'hasOwnProperty'],
  ['toString', 'toString'],
  ['__proto', '__proto'],
  ['Constructor', 'Constructor'],
  ['null', 'null'],
  ['%2e%2e', '%2e%2e'],
  ['a?b#c&d=e', 'a?b#c&d=e'],
  ['<script>', '<script>'],
  ['"quoted"', '"quoted"'],
  ['a,b;c:d', 'a,b;c:d'],
  [a64, a64],
  [`${a64}@user`, a64],
  [bell64, bell64],
  [`${bell64}@user`, bell64],
  ['e\u0301'.repeat(64), 'é'.repeat(64)],
]

const refused: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no name before the kind', '@user'],
  ['a group', 'a@group'],
  ['an organisation', 'a@org'],
  ['a tenant', 'acme@tenant'],
  ['an app', 'crm@app'],
  ['only a kind', '@group'],
  ['a group behind @user', 'a@group@user'],
  ['a recipient behind @user', 'a@user@user'],
  ['65 characters', 'a'.repeat(65)],
  ['65 characters and a kind', `${'a'.repeat(65)}@user`],
  ['65 bells', '🔔'.repeat(65)],
  ['a megabyte', 'a'.repeat(1_000_000)],
  ['a slash', 'a/b'],
  ['a backslash', 'a\\b'],
  ['a path', '../../etc/passwd'],
  ['a dot', '.'],
  ['two dots', '..'],
  ['two dots and a kind', '..@user'],
  ['a space', ' '],
  ['spaces', ' \u00a0\u3000 '],
  ['__proto__', '__proto__'],
  ['__proto__@user', '__proto__@user'],
  ['constructor', 'constructor'],
  ['prototype', 'prototype'],
  ['NUL', 'a\0b'],
  ['a line feed', 'a\nb'],
  ['a carriage return', 'a\r\nBcc: b'],
  ['a tab', 'a\tb'],
  ['an escape', '\u001b[2J'],
  ['delete', 'a\u007f'],
  ['a C1 control', 'a\u0085b'],
  ['a line separator', 'a\u2028b'],
  ['a paragraph separator', 'a\u2029b'],
  ['a soft hyphen', 'a\u00adb'],
  ['an Arabic letter mark', 'a\u061cb'],
  ['a zero width space', 'al\u200bice'],
  ['a left-to-right mark', 'a\u200eb'],
  ['a right-to-left mark', 'a\u200fb'],
  ['an embedding', 'a\u202ab'],
  ['an override', 'a\u202egpj.exe'],
  ['a word joiner', 'a\u2060b'],
  ['an isolate', 'a\u2066b\u2069'],
  ['a byte order mark', '\ufeffa'],
  ['an annotation anchor', 'a\ufff9b'],
  ['a language tag', 'a\u{e0001}b'],
  ['a lone surrogate', 'a\ud83d'],
  ['a private character', 'a\ue000'],
  ['no character', 'a\uffff'],
  ['only a joiner', '\u200d'],
  ['only a variation selector', '\ufe0f'],
  ['only a filler', '\u3164'],
]

describe('the recipient that a name means', () => {
  test.each(allowed)('%j is %j', (raw, name) => {
    expect(recipientId(raw)).toBe(`${name}@user`)
  })

  test.each(refused)('%s is refused', (_, raw) => {
    expect(refusalOf(() => recipientId(raw))).toBe('bad-name')
  })

  test.each(allowed)('%j goes out as it came in, and comes back the same', (raw, name) => {
    const id = recipientId(raw)
    expect(wireName(id)).toBe(name)
    expect(recipientId(wireName(id))).toBe(id)
    expect(recipientId(id)).toBe(id)
  })

  test('system is the built-in one', () => {
    expect(recipientId('system')).toBe(SYSTEM)
  })

  test('says which property is wrong, and never repeats what was sent', () => {
    const secret = 'hunter2/'
    expect(() => recipientId(secret, 'target')).toThrow(/^target /)
    expect(() => recipientId(secret, 'target')).not.toThrow(/hunter2/)
    expect(() => recipientId('', 'target')).toThrow('target property is required')
  })

  test('any text is refused, or one recipient however it is written', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 70 }),
      fc.string({
        unit: fc.constantFrom('a', '@', 'user', '@user', '@group', '.', 'e\u0301', '🔔', '\u200d'),
        maxLength: 6,
      }),
    )
    fc.assert(
      fc.property(text, (raw) => {
        if (refusalOf(() => recipientId(raw)) !== null) return
        const id = recipientId(raw)
        expect(id).toMatch(/@user$/)
        expect(recipientId(id)).toBe(id)
        expect(recipientId(wireName(id))).toBe(id)
        expect(recipientId(raw.normalize('NFD'))).toBe(id)
        expect(id).not.toMatch(/[/\\\n\0]/)
      }),
      { seed: 51, numRuns: 1_000 },
    )
  })
})

describe('the group that a name means', () => {
  const groups: readonly (readonly [string, string])[] = [
    ['dev', 'dev'],
    ['dev@group', 'dev'],
    ['开发', '开发'],
    ['De\u0301v', 'Dév'],
    ['dev@example.org', 'dev@example.org'],
    [a64, a64],
    [`${a64}@group`, a64],
  ]

  test.each(groups)('%j is %j', (raw, name) => {
    const id = groupId(raw)
    expect(id).toBe(`${name}@group`)
    expect(wireGroup(id)).toBe(name)
    expect(groupId(wireGroup(id))).toBe(id)
    expect(groupId(id)).toBe(id)
  })

  test.each(['', '@group', '__proto__', '__proto__@group', 'a/b', '.', 'a\0', 'dev@group@group', 'a'.repeat(65)])(
    '%j is refused',
    (raw) => {
      expect(refusalOf(() => groupId(raw))).toBe('bad-name')
    },
  )

  test('prints whole where a recipient is expected', () => {
    expect(wireName(groupId('dev'))).toBe('dev@group')
  })
})

test('a push to a person and one to a group mean different things by one target', () => {
  expect(addressOf('personal', 'dev')).toEqual({ recipient: 'dev@user' })
  expect(addressOf('group', 'dev')).toEqual({ group: 'dev@group' })
  expect(refusalOf(() => addressOf('personal', 'dev@group'))).toBe('bad-name')
  expect(refusalOf(() => addressOf('group', ''))).toBe('bad-name')
})

test('a plain name keeps its @: only recipients and groups have kinds', () => {
  expect(checkName('phone@user', 'device')).toBe('phone@user')
  expect(checkName('Zoe\u0308')).toBe('Zoë')
  expect(() => checkName('a\u202eb', 'device')).toThrow(/^device has/)
})
