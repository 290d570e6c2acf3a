import { expect, test } from 'vitest'
import { isSuccess } from '../../server/channels/outcome.ts'

test('only what somebody has is a success', () => {
  const kinds = ['delivered', 'accepted', 'retry', 'unknown', 'failed'] as const
  expect(kinds.filter(isSuccess)).toEqual(['delivered', 'accepted'])
})
