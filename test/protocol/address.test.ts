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
import { a64, allowed, refused } from '../abuse/names.ts'

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
