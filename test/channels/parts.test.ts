import { expect, test } from 'vitest'
import type { Outcome } from '../../server/channels/outcome.ts'
import { sendParts } from '../../server/channels/parts.ts'

const ACCEPTED: Outcome = { kind: 'accepted' }
const FAILED: Outcome = { kind: 'failed', detail: 'no such number' }
const RETRY: Outcome = { kind: 'retry', detail: 'later' }
const UNKNOWN: Outcome = { kind: 'unknown', detail: 'no answer' }

/** Parts that end so, and which of them were sent. */
function ending(outcomes: readonly Outcome[]) {
  const sent: number[] = []
  const parts = outcomes.map((outcome, at) => () => {
    sent.push(at)
    return Promise.resolve(outcome)
  })
  return { parts, sent }
}

test.each([
  ['all go out', [ACCEPTED, ACCEPTED], 0, [0, 1], ACCEPTED],
  ['up to one that does not, which says how many did', [ACCEPTED, RETRY, ACCEPTED], 0, [0, 1], { ...RETRY, parts: 1 }],
  ['what went out before is left out', [ACCEPTED, ACCEPTED, ACCEPTED], 2, [2], ACCEPTED],
  ['none at all', [], 0, [], { kind: 'failed', detail: 'nothing to send' }],
] as const)('parts for the same people: %s', async (_, outcomes, skip, expected, outcome) => {
  const { parts, sent } = ending(outcomes)
  expect(await sendParts(parts, false, skip)).toEqual(outcome)
  expect(sent).toEqual(expected)
})

test.each([
  ['one success is a success, and tells of the others', [FAILED, ACCEPTED, UNKNOWN], '2 of 3 refused: no such number'],
  ['all of them', [ACCEPTED, ACCEPTED], undefined],
] as const)('parts for different people: %s', async (_, outcomes, detail) => {
  const { parts, sent } = ending(outcomes)
  const result = await sendParts(parts, true, 0)
  expect(result).toEqual(detail === undefined ? ACCEPTED : { kind: 'accepted', detail })
  expect(sent).toHaveLength(outcomes.length)
})

test.each([
  ['may have arrived', [FAILED, RETRY, UNKNOWN], UNKNOWN],
  ['may work later', [FAILED, RETRY], RETRY],
  ['is over', [FAILED], FAILED],
] as const)('parts for different people, none of which was taken: what %s counts', async (_, outcomes, outcome) => {
  expect(await sendParts(ending(outcomes).parts, true, 0)).toEqual(outcome)
})
