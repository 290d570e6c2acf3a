import { describe, expect, test } from 'vitest'
import type { Platform, Reach } from '../../server/channels/reach.ts'
import { compilePlans, isReached, notificationFor, onlyPlatform, type Plan } from '../../server/hub/plan.ts'
import { robot, scripted } from '../helpers/runner.ts'

const OPS = 'ops@user'
const SYSTEM = 'system@user'
const [feishu1, feishu2, mail, hook, own, common] = [
  robot('feishu 1'),
  robot('feishu 2'),
  robot('mail'),
  scripted('hook'),
  robot('own console'),
  robot('console'),
]
const feishu: Platform = { channel: 'feishu', endpoints: [feishu1, feishu2] }
const email: Platform = { channel: 'email', endpoints: [mail] }
const webhook: Platform = { channel: 'webhook', endpoints: [hook] }
const system: Platform = { channel: 'system', endpoints: [own] }

function reach(platforms: readonly Platform[], more: Partial<Reach> = {}): Reach {
  return { recipient: OPS, name: 'Operations', groups: [], platforms, strategy: null, ladder: null, ...more }
}

/** `feishu 1 | feishu 2 , mail` reads: first of two, beside mail; `+` joins endpoints that all get it. */
function told(plan: Plan): string[] {
  return plan.map(({ tracks }) =>
    tracks
      .map(({ endpoints, mode }) => endpoints.map(({ name }) => name).join(mode === 'first' ? ' | ' : ' + '))
      .join(', '),
  )
}

describe('a strategy is a corner of a square: across platforms, and inside one', () => {
  const plans = compilePlans([reach([feishu, email, system])])

  test.each([
    ['all', ['feishu 1 + feishu 2, mail']],
    ['failover', ['feishu 1 | feishu 2', 'mail']],
    ['webhook_failover', ['feishu 1 | feishu 2, mail']],
    ['mixed', ['feishu 1 + feishu 2', 'mail']],
    ['escalate', ['feishu 1 | feishu 2', 'mail']],
    [onlyPlatform('feishu'), ['feishu 1 | feishu 2']],
    [onlyPlatform('system'), ['own console']],
    [onlyPlatform('slack'), []],
    [null, ['feishu 1 | feishu 2', 'mail']],
    ['a strategy of an older config', ['feishu 1 | feishu 2', 'mail']],
  ])('%s', (strategy, steps) => {
    expect(told(plans.of(OPS, strategy))).toEqual(steps)
  })

  test('one success is enough but for escalate, which wants a person', () => {
    for (const strategy of ['all', 'failover', 'webhook_failover', 'mixed', null]) {
      expect(plans.of(OPS, strategy).map(({ until, wait }) => [until, wait])).toEqual(
        plans.of(OPS, strategy).map(() => ['accepted', 0]),
      )
    }
    expect(plans.of(OPS, 'escalate')).toMatchObject([
      { until: 'confirmed', wait: 300_000 },
      { until: 'confirmed', wait: 300_000 },
    ])
  })
})

test('a ladder of the config says its own steps and waits; websocket sends nothing', () => {
  const ladder = [
    { platform: 'websocket', waitMs: 30_000 },
    { platform: 'email', waitMs: 60_000 },
  ]
  const plan = compilePlans([reach([feishu, email], { ladder })]).of(OPS, 'escalate')
  expect(told(plan)).toEqual(['', 'mail'])
  expect(plan.map(({ wait }) => wait)).toEqual([30_000, 60_000])
})

describe('without a strategy', () => {
  test('the recipient’s own one counts', () => {
    const plans = compilePlans([reach([feishu, email], { strategy: 'mixed' })])
    expect(told(plans.of(OPS, null))).toEqual(['feishu 1 + feishu 2', 'mail'])
    expect(told(plans.of(OPS, 'all'))).toEqual(['feishu 1 + feishu 2, mail'])
  })

  test('webhooks get it at once and without end', () => {
    const [step] = compilePlans([reach([webhook])]).of(OPS, null)
    expect(step).toEqual({ tracks: [{ endpoints: [hook], mode: 'all' }], until: 'delivered', wait: 0 })
  })

  test('beside platforms they get it at once too, and do not hold up what follows', () => {
    const plan = compilePlans([reach([webhook, feishu, email])]).of(OPS, null)
    expect(told(plan)).toEqual(['hook, feishu 1 | feishu 2', 'mail'])
    expect(plan[0]?.tracks[0]?.endpoints[0]?.backoff).toEqual(feishu1.backoff)
  })
})

describe('a notification', () => {
  const global = { ...reach([{ channel: 'system', endpoints: [common] }]), recipient: SYSTEM }
  const plans = compilePlans([reach([feishu, system]), { ...reach([feishu]), recipient: 'dev@user' }, global])

  test('goes through the list of the one concerned, else through that of the hub', () => {
    expect(told(plans.of(SYSTEM, notificationFor(OPS)))).toEqual(['own console'])
    expect(told(plans.of(SYSTEM, notificationFor('dev@user')))).toEqual(['console'])
    expect(told(plans.of(SYSTEM, notificationFor('nobody@user')))).toEqual(['console'])
  })

  test('sent by name goes the same way', () => {
    expect(told(plans.of(OPS, onlyPlatform('system')))).toEqual(['own console'])
    expect(told(plans.of('dev@user', onlyPlatform('system')))).toEqual(['console'])
    expect(told(plans.of('nobody@user', onlyPlatform('system')))).toEqual(['console'])
  })

  test('the inbox of system itself sends nothing on', () => {
    expect(plans.of(SYSTEM, null)).toEqual([])
    expect(plans.of(SYSTEM, onlyPlatform('system'))).toEqual([])
  })
})

test('plans are made once and cannot be changed', () => {
  const plans = compilePlans([reach([feishu])])
  for (const strategy of [null, 'all']) {
    const plan = plans.of(OPS, strategy)
    expect(plans.of(OPS, strategy)).toBe(plan)
    const [step] = plan
    expect([plan, step, step?.tracks, step?.tracks[0], step?.tracks[0]?.endpoints].every(Object.isFrozen)).toBe(true)
  }
})

test('without endpoints nothing goes out', () => {
  expect(compilePlans([]).of('bob@user', null)).toEqual([])
  expect(compilePlans([reach([])]).of(OPS, 'all')).toEqual([])
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
