import { describe, expect, test } from 'vitest'
import { Misconfigured } from '../../../server/channels/channel.ts'
import { chosenTemplate, filled } from '../../../server/channels/phone/template.ts'
import { CONFIRM_URL, contentOf, LINK } from '../../contract/channel.ts'

const own = { template: 'T1', params: { a: 'title', b: 'body' } } as const

describe('which template', () => {
  test('the config’s, unless the target names another', () => {
    expect(chosenTemplate(own, {}, 'named')).toEqual({
      code: 'T1',
      variables: [
        { name: 'a', from: { field: 'title' } },
        { name: 'b', from: { field: 'body' } },
      ],
    })
    expect(chosenTemplate(own, { template: 'T2' }, 'named')).toMatchObject({ code: 'T2', variables: { length: 2 } })
    expect(chosenTemplate(own, { params: { c: '1' } }, 'named')).toEqual({
      code: 'T1',
      variables: [{ name: 'c', from: { value: '1' } }],
    })
    expect(chosenTemplate({ params: ['title'] }, { template: 'T2', params: [] }, 'listed')).toEqual({
      code: 'T2',
      variables: [],
    })
  })

  test('none, and values in the other style, are refused', () => {
    expect(() => chosenTemplate({ params: {} }, {}, 'named')).toThrow(Misconfigured)
    expect(() => chosenTemplate(own, { params: ['1'] }, 'named')).toThrow('by name')
    expect(() => chosenTemplate({ ...own, params: [] }, { params: { a: '1' } }, 'listed')).toThrow('a list')
  })
})

describe('what is in its variables', () => {
  const values = (params: Parameters<typeof chosenTemplate>[0]['params'], said = {}, room = { each: 40 }) =>
    Object.fromEntries(filled(chosenTemplate({ template: 'T', params }, {}, 'named'), contentOf(said), room))

  test('fields of the message', () => {
    const at = new Date(2026, 10, 24, 8, 5, 9).getTime()
    const params = { a: 'title', b: 'body', c: 'text', d: 'level', e: 'recipient', f: 'time' } as const
    expect(values(params, { title: 'T', body: 'B', level: 'error', recipient: 'ops', at })).toEqual({
      a: 'T',
      b: 'B',
      c: 'T: B',
      d: 'error',
      e: 'ops',
      f: '2026-11-24 08:05:09',
    })
    expect(values({ c: 'text' }, { title: 'T', body: '' })).toEqual({ c: 'T' })
  })

  test('one line without Markdown of a card, and never an address', () => {
    const said = { style: 'card', title: `a ${LINK}`, body: `**b**\n\n- c ${CONFIRM_URL}`, confirmUrl: CONFIRM_URL }
    expect(values(own.params, said)).toEqual({ a: 'a', b: 'b c' })
  })

  test('something, where there is nothing', () => {
    expect(values(own.params, { title: LINK, body: '' })).toEqual({ a: '-', b: '-' })
  })

  test('no more than each may have', () => {
    expect(values(own.params, { title: 'x'.repeat(40), body: 'x'.repeat(41) })).toEqual({
      a: 'x'.repeat(40),
      b: `${'x'.repeat(39)}…`,
    })
  })

  test('no more than all together may have: the longest give way', () => {
    const room = { each: 200, total: 100 }
    const long = values(own.params, { title: 'x'.repeat(30), body: 'y'.repeat(300) }, room)
    expect(long).toEqual({ a: 'x'.repeat(30), b: `${'y'.repeat(69)}…` })
    expect(values(own.params, { title: 'x'.repeat(300), body: 'y'.repeat(300) }, room)).toEqual({
      a: `${'x'.repeat(49)}…`,
      b: `${'y'.repeat(49)}…`,
    })
  })
})
