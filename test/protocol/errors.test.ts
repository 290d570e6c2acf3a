import { describe, expect, test } from 'vitest'
import { closeCodes, type ErrorName, errors, Refusal } from '../../server/protocol/errors.ts'

const statuses: Record<ErrorName, number> = {
  'bad-json': 400,
  'too-deep': 400,
  'forbidden-key': 400,
  'bad-packet': 400,
  'bad-name': 400,
  'token-in-url': 400,
  'need-token': 401,
  'bad-auth': 401,
  'need-auth': 401,
  'not-allowed': 403,
  'cors-off': 403,
  'not-found': 404,
  'bad-method': 405,
  'too-large': 413,
  'url-too-long': 414,
  'bad-content-type': 415,
  'idempotency-mismatch': 422,
  'inbox-full': 429,
  'too-many-attempts': 429,
  internal: 500,
  'queue-full': 503,
  'bad-link': 403,
  'link-expired': 410,
  'store-busy': 503,
  'store-failed': 503,
  stopping: 503,
  'store-full': 507,
}
const names = Object.keys(errors).filter((name): name is ErrorName => name in errors)

describe('the table of refusals', () => {
  test('has the statuses that clients were promised', () => {
    expect(Object.fromEntries(names.map((name) => [name, errors[name].status]))).toEqual(statuses)
  })

  test('says something of each, in one line', () => {
    for (const name of names) expect(errors[name].text, name).toMatch(/^\S.{5,120}$/)
  })

  test('leaves no doubt whether a push was accepted where the store says no', () => {
    for (const name of ['store-busy', 'stopping', 'store-full'] as const) {
      expect(errors[name].text).toContain('nothing was accepted')
    }
    expect(errors['store-failed'].text).toContain('not known')
  })

  test('keeps the texts that mpush had', () => {
    expect(errors['need-auth'].text).toBe('Need Auth')
    expect(errors['bad-content-type'].text).toBe('Unsupported Content Type')
  })
})

describe('a refusal', () => {
  test.each(names)('%s carries its name, status and text', (name) => {
    const refusal = new Refusal(name)
    expect(refusal).toBeInstanceOf(Error)
    expect([refusal.name, refusal.code, refusal.status]).toEqual(['Refusal', name, errors[name].status])
    expect(refusal.message).toBe(errors[name].text)
  })

  test('may say more than the table', () => {
    const refusal = new Refusal('bad-name', 'target is longer than 64 characters')
    expect([refusal.message, refusal.status]).toEqual(['target is longer than 64 characters', 400])
  })
})

test('close codes are ones that a server may send, each with one meaning', () => {
  const codes = Object.values(closeCodes)
  expect(new Set(codes).size).toBe(codes.length)
  for (const code of codes) expect([1008, 1012, 1013].includes(code) || (code >= 4000 && code <= 4999)).toBe(true)
  expect(closeCodes).toMatchObject({ replaced: 4001, removed: 4003, needAuth: 4401, badToken: 4403, authTimeout: 4408 })
})
