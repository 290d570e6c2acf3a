import { expect, test } from 'vitest'
import { compilePlans, isReached } from '../../server/hub/plan.ts'
import { scripted } from '../helpers/runner.ts'

test('the default plan is all endpoints at once, each until it has the message', () => {
  const [one, two] = [scripted('1'), scripted('2')]
  const plans = compilePlans(new Map([['alice@user', [one, two]]]))
  const plan = plans.of('alice@user', null)
  expect(plan).toEqual([{ endpoints: [one, two], mode: 'all', until: 'delivered', wait: 0 }])
  expect(plans.of('alice@user', 'any')).toBe(plan)
  expect(Object.isFrozen(plan) && Object.isFrozen(plan[0]) && Object.isFrozen(plan[0]?.endpoints)).toBe(true)
})

test('without endpoints nothing goes out', () => {
  expect(compilePlans(new Map()).of('bob@user', null)).toEqual([])
})

test('an end without arrival reaches nothing', () => {
  const reaching = (until: 'accepted' | 'delivered' | 'confirmed') =>
    (['queued', 'sent', 'accepted', 'failed', 'expired', 'removed', 'delivered', 'confirmed'] as const).filter(
      (state) => isReached(until, state),
    )
  expect(reaching('accepted')).toEqual(['accepted', 'delivered', 'confirmed'])
  expect(reaching('delivered')).toEqual(['delivered', 'confirmed'])
  expect(reaching('confirmed')).toEqual(['confirmed'])
})
