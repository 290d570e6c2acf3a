import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../server/channels/channel.ts'
import { retryAt, roundAfter, triesOf } from '../../server/hub/tries.ts'
import type { Attempt } from '../../server/store/store.ts'
import { scripted, step } from '../helpers/runner.ts'

const one = scripted('1')
const two = scripted('2', [], { ordered: false, onUnknown: 'skip' })

function made(endpoint: { id: string }, outcome: string | null, more: Partial<Attempt> = {}): Attempt {
  const endedAt = outcome === null ? null : 20
  const rest = { n: 1, step: 0, channel: 'test', startedAt: 10, detail: null, maybeDuplicate: false }
  return { ...rest, endpoint: endpoint.id, endedAt, outcome, ...more }
}

describe('an endpoint in a step', () => {
  test('is due at once until it was tried', () => {
    expect(triesOf(one, [], 0)).toEqual({ kind: 'due', at: 0, repeats: false, skip: 0 })
    expect(triesOf(one, [made(two, 'failed'), made(one, 'failed', { step: 1 })], 0).kind).toBe('due')
  })

  test.each([
    ['delivered', 'worked'],
    ['accepted', 'worked'],
    ['failed', 'over'],
    ['a word of a later version', 'over'],
  ])('%s: %s', (outcome, kind) => {
    expect(triesOf(one, [made(one, 'retry'), made(one, outcome)], 0)).toEqual({ kind })
  })

  test('is due again at its own time', () => {
    const tries = triesOf(one, [made(one, 'retry', { retryAt: 77 })], 0)
    expect(tries).toEqual({ kind: 'due', at: 77, repeats: false, skip: 0 })
  })

  test('that may have it says so, however it failed after that', () => {
    const attempts = [made(one, null), made(one, 'retry')]
    expect(triesOf(one, attempts, 0)).toMatchObject({ kind: 'due', repeats: true })
  })

  test('whose outcome nobody knows is repeated or left, as its channel wants', () => {
    expect(triesOf(one, [made(one, null)], 0)).toEqual({ kind: 'due', at: 0, repeats: true, skip: 0 })
    expect(triesOf(one, [made(one, 'unknown', { retryAt: 77 })], 0)).toEqual({
      kind: 'due',
      at: 77,
      repeats: true,
      skip: 0,
    })
    expect(triesOf(two, [made(two, null)], 0)).toEqual({ kind: 'over' })
    expect(triesOf(two, [made(two, 'unknown', { retryAt: 77 })], 0)).toEqual({ kind: 'over' })
  })
})

describe('a step', () => {
  const both = [one, two]
  test('goes on when the first of its endpoints may be tried again', () => {
    const attempts = [made(one, 'retry', { retryAt: 90 }), made(two, 'retry', { retryAt: 80 })]
    expect(roundAfter(step(both), attempts, 0)).toEqual({ at: 80, ordered: true })
  })

  test('holds back what came later only for an endpoint that keeps order', () => {
    const attempts = [made(one, 'delivered'), made(two, 'retry', { retryAt: 80 })]
    expect(roundAfter(step(both), attempts, 0)).toEqual({ at: 80, ordered: false })
  })

  test('in mode first one success is enough, in mode all each is needed', () => {
    const attempts = [made(one, 'accepted')]
    expect(roundAfter(step(both, { mode: 'first' }), attempts, 0)).toBeNull()
    expect(roundAfter(step(both), attempts, 0)).toEqual({ at: 0, ordered: false })
  })

  test('is done when nothing is left', () => {
    expect(roundAfter(step([]), [], 0)).toBeNull()
    expect(roundAfter(step(both), [made(one, 'failed'), made(two, 'failed')], 0)).toBeNull()
  })
})

describe('the time of a retry', () => {
  const backoff = { firstMs: 3_000, maxMs: 3_600_000, tries: Infinity }
  const retry: Outcome = { kind: 'retry', detail: '' }
  const after = (earlier: number, random = 0, outcome: Outcome = retry) => retryAt(outcome, backoff, earlier, 0, random)

  test('doubles from the first delay up to an hour', () => {
    expect([0, 1, 2, 3, 10, 11, 40, 5000].map((earlier) => after(earlier))).toEqual([
      3_000, 6_000, 12_000, 24_000, 3_072_000, 3_600_000, 3_600_000, 3_600_000,
    ])
  })

  test('has jitter: never earlier than the first delay, never later than the last', () => {
    expect(after(0, 0.5)).toBe(3_300)
    expect(after(10, 0.999)).toBeLessThanOrEqual(3_600_000)
    expect(after(40, 0.5)).toBe(3_240_000)
    for (let random = 0; random < 1; random += 0.01) {
      for (const earlier of [0, 5, 9, 10, 11, 12]) {
        expect(after(earlier, random)).toBeGreaterThanOrEqual(3_000)
        expect(after(earlier, random)).toBeLessThanOrEqual(3_600_000)
      }
    }
  })

  test('is never before Retry-After', () => {
    expect(after(0, 0, { kind: 'retry', detail: '', retryAfterMs: 7_200_000 })).toBe(7_200_000)
    expect(after(3, 0, { kind: 'retry', detail: '', retryAfterMs: 10 })).toBe(24_000)
  })

  test('is there for a lost answer, not for what is settled', () => {
    expect(after(0, 0, { kind: 'unknown', detail: '' })).toBe(3_000)
    expect(after(0, 0, { kind: 'delivered' })).toBeNull()
    expect(after(0, 0, { kind: 'accepted' })).toBeNull()
    expect(after(0, 0, { kind: 'failed', detail: '' })).toBeNull()
  })
})
