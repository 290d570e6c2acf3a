import { describe, expect, test } from 'vitest'
import { Misconfigured } from '../../../server/channels/channel.ts'
import { dialled, nameOf, numbersOf, phoneNumber, phoneTarget } from '../../../server/channels/phone/numbers.ts'

describe('numbers', () => {
  test.each([
    ['+8613800138000', '+8613800138000'],
    ['+86 138-0013-8000', '+8613800138000'],
    ['+1 (202) 555.0100', '+12025550100'],
    ['13800138000', '13800138000'],
  ])('%s', (written, read) => {
    expect(phoneNumber.parse(written)).toBe(read)
  })

  test.each([
    '',
    '+',
    '12',
    '+0123456789',
    '+1234567890123456',
    '2025550100',
    '0571-12345678',
    'abc',
    '+86 138 0013 800o',
  ])('%j is none', (written) => {
    expect(phoneNumber.safeParse(written).error?.message).toContain('country code')
  })

  test('a number that YAML made of one is told to be quoted', () => {
    expect(phoneNumber.safeParse(8_613_800_138_000).error?.message).toContain('quotes')
  })

  test('are E.164 and each there once', () => {
    expect(numbersOf(['13800138000', '+8613800138000', '+12025550100'], true)).toEqual([
      '+8613800138000',
      '+12025550100',
    ])
    expect(() => numbersOf(['13800138000'], false)).toThrow(Misconfigured)
  })

  test.each([
    ['+8613800138000', '13800138000'],
    ['+8657112345678', '057112345678'],
    ['+861012345678', '01012345678'],
    ['+85221234567', '85221234567'],
    ['+12025550100', '12025550100'],
  ])('%s is %s to Aliyun', (number, expected) => {
    expect(dialled(number)).toBe(expected)
  })

  test('name an endpoint by their ends', () => {
    expect(nameOf('Twilio', ['+8613800138000'])).toBe('Twilio …8000')
    expect(nameOf('Twilio', ['+8613800138000', '+12025550100'])).toBe('Twilio …8000 +1')
  })
})

describe('targets of direct calls', () => {
  test('values of variables become text, what else is there is left out', () => {
    const target = { to: ['+8613800138000'], content: 'x', template: 'T', params: { code: 12, at: 'a' } }
    expect(phoneTarget.parse(target)).toEqual({
      to: ['+8613800138000'],
      template: 'T',
      params: { code: '12', at: 'a' },
    })
    expect(phoneTarget.parse({ to: ['13800138000'], params: [1, 'b'] }).params).toEqual(['1', 'b'])
  })

  test.each([
    [{}],
    [{ to: [] }],
    [{ to: '+8613800138000' }],
    [{ to: Array.from({ length: 101 }, (_, at) => `+86138001${10_000 + at}`) }],
    [{ to: ['+8613800138000'], params: 'x' }],
    [{ to: ['+8613800138000'], params: { a: null } }],
  ])('%j is none', (target) => {
    expect(phoneTarget.safeParse(target).success).toBe(false)
  })
})
