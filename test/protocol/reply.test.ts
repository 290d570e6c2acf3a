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
    expect(flatReply(standings)).toBe(JSON.stringify({ cmd: 'MESSAGE_REPLY', data: words }))
  })

  test('is nested as deployed servers print it', () => {
    const data = { mid: '1800000000000', status: words }
    expect(nestedReply('1800000000000', standings)).toBe(JSON.stringify({ cmd: 'MESSAGE_REPLY', data }))
  })

  test('to a push that was for nobody is empty', () => {
    expect(flatReply(new Map())).toBe('{"cmd":"MESSAGE_REPLY","data":{}}')
    expect(nestedReply(null, new Map())).toBe('{"cmd":"MESSAGE_REPLY","data":{"mid":"","status":{}}}')
  })

  test.each(['toString', 'a "quoted" name', 'back\tslash', '名前', 'emoji 👩‍👩‍👧', '\u2028'])(
    'holds the name %j',
    (name) => {
      const data: unknown = JSON.parse(flatReply(new Map([[`${name}@user`, standing('queued')]])))
      expect(data).toEqual({ cmd: 'MESSAGE_REPLY', data: { [name]: 'ready' } })
    },
  )

  test('is whole above 1,000 names', () => {
    const many = new Map(Array.from({ length: 2_500 }, (_, n) => [`member ${n}@user`, standing('queued')] as const))
    const reply: { data: object } = JSON.parse(flatReply(many))
    expect(Object.keys(reply.data)).toHaveLength(2_500)
  })
})
