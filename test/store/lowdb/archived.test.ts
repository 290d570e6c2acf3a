import { expect, test } from 'vitest'
import { splitArchived } from '../../../server/store/lowdb/archived.ts'
import { ALICE, attemptOf, BOB, raiseOf } from '../../contract/store/words.ts'

test('parts a raise by its messages, and attempts; everything else stays', () => {
  const raise = {
    ...raiseOf('1', ALICE, 'delivered'),
    of: [
      ['1', [ALICE]],
      ['2', [ALICE, BOB]],
      ['3', [BOB]],
    ] as const,
  }
  const attempts = ['2', '3'].map((mid) => ({ op: 'attempt' as const, mid, recipient: ALICE, attempt: attemptOf(1) }))
  const put = { op: 'put' as const, kind: 'setting' as const, id: 'a', value: 1, rev: 1 }
  expect(splitArchived([raise, ...attempts, put], new Set(['2']))).toEqual({
    here: [
      {
        ...raise,
        of: [
          ['1', [ALICE]],
          ['3', [BOB]],
        ],
      },
      attempts[1],
      put,
    ],
    there: [{ ...raise, of: [['2', [ALICE, BOB]]] }, attempts[0]],
  })
  expect(splitArchived([raise], new Set(['1', '2', '3']))).toEqual({ here: [], there: [raise] })
})
