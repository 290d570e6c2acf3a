import { describe, expect, test } from 'vitest'
import { passing, readWecom, saidBy } from '../../../server/channels/wecom/answer.ts'

test.each([
  ['{"errcode":0,"errmsg":"ok"}', '0'],
  ['{"errcode":45009,"errmsg":"api freq out of limit"}', '45009'],
  ['{"errcode":"-1","errmsg":"system busy"}', '-1'],
])('%s says %s', (body, code) => {
  expect(readWecom(body)?.errcode).toBe(code)
})

test('its words, and the rest of the answer', () => {
  const answer = readWecom('{"errcode":81013,"errmsg":"all invalid","invaliduser":"a|b"}')
  expect(saidBy(answer)).toEqual({ code: '81013', text: 'all invalid' })
  expect(answer).toMatchObject({ invaliduser: 'a|b' })
  expect(saidBy(readWecom('{"errcode":7}'))).toEqual({ code: '7', text: '' })
})

describe('is never taken for success', () => {
  test.each([
    '',
    'ok',
    '{}',
    'null',
    '[]',
    '0',
    '{"errcode":null}',
    '{"errcode":false}',
    '{"errcode":""}',
    '{"errcode":[]}',
    '{"errcode":0.5}',
    '{"errcode":"0x0"}',
    '{"errcode":0',
  ])('%j', (body) => {
    expect(readWecom(body)).toBeNull()
    expect(saidBy(readWecom(body))).toBeNull()
  })
})

test('busy passes by itself, too often in a minute', () => {
  expect([...passing].filter(([, ms]) => ms === 0).map(([code]) => code)).toEqual(['-1', '6000'])
  expect([...passing].filter(([, ms]) => ms === 60_000).map(([code]) => code)).toEqual(['45009', '45033'])
})
