import { describe, expect, test } from 'vitest'
import { flatReply, nestedReply } from '../../server/protocol/reply.ts'
import type { Standing } from '../../server/protocol/states.ts'

const standing = (state: Standing['state'], via: string | null = null, reason: string | null = null): Standing => ({
  state,
  via,
  reason,
})

describe('a reply', () => {
  const standings = new Map<string, Standing | null>([
    ['alice@user', standing('delivered', 'websocket')],
    ['bob@user', standing('queued')],
    ['mail@example.org@user', standing('accepted', 'webpush')],
    ['crm@app', standing('sent', 'webhook')],
    ['carol@user', standing('failed', null, 'full')],
    ['nobody@user', null],
  ])
  const words = {
    alice: 'ok',
    bob: 'ready',
    'mail@example.org': 'webpush-ok',
    'crm@app': 'wait',
    carol: 'full',
    nobody: 'no',
  }

  test('is flat as the README of mpush has it, in the order of the recipients', () => {
    const reply = flatReply(standings)
    expect({ ...reply }).toEqual(words)
    expect(Object.keys(reply)).toEqual(Object.keys(words))
  })

  test('is nested as deployed servers print it', () => {
    expect(JSON.parse(JSON.stringify(nestedReply('1800000000000', standings)))).toEqual({
      mid: '1800000000000',
      status: words,
    })
  })

  test('to a push that was for nobody is empty', () => {
    expect(JSON.stringify(flatReply(new Map()))).toBe('{}')
    expect(JSON.stringify(nestedReply(null, new Map()))).toBe('{"mid":"","status":{}}')
  })

  test('holds any name, also one that every object has', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const reply = flatReply(new Map(names.map((name) => [`${name}@user`, standing('queued')])))
    expect(Object.getPrototypeOf(reply)).toBeNull()
    expect(Object.keys(reply)).toEqual(names)
    expect(JSON.stringify(reply)).toBe(
      '{"__proto__":"ready","constructor":"ready","toString":"ready","hasOwnProperty":"ready"}',
    )
    expect(flatReply(new Map())['toString']).toBeUndefined()
  })

  test('is whole above 1,000 names', () => {
    const many = new Map(Array.from({ length: 2_500 }, (_, n) => [`member ${n}@user`, standing('queued')] as const))
    expect(Object.keys(flatReply(many))).toHaveLength(2_500)
  })
})
