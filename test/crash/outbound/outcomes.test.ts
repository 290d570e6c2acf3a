import { describe, expect, test } from 'vitest'
import { about, accepted, ask, dead, deadTask, kill, kinds, on, push, refused, send, task, unknown } from './by-hand.ts'
import type { Event, Notification, Task } from './history.ts'

describe('lost', () => {
  test('a task that nobody knows', () => expect(kinds([send(), accepted()], {})).toEqual(['lost']))

  test('a task that never ends', () => {
    expect(kinds([send(), accepted()], { tasks: { t1: task('processing') } })).toEqual(['stuck'])
  })

  test.each([
    ['an endpoint of all', 'every', ['f0', 'd0']],
    ['a platform of webhook_failover', 'each', ['f1']],
    ['an endpoint of a platform of mixed', 'mix', ['f0']],
    ['a platform before the one that worked', 'one', ['d0']],
    ['a robot before the platform that worked', 'plain', ['f0', 'd0']],
  ])('%s that never had it', (_, recipient, ways) => {
    const last = ways.at(-1)
    const events = [
      send(),
      accepted(),
      ...ways.flatMap((way) => ask(`${recipient}-${way}`, way === last ? 'yes' : 'never')),
    ]
    const results = ways.map((way) => on(`${recipient}-${way}`, way === last ? 'success' : 'failed'))
    expect(kinds(events, { tasks: { t1: task('completed', ...results) }, pushes: [push(recipient)] })).toEqual(['lost'])
  })

  test('a failed task that left an endpoint untried', () => {
    const events = [send(), accepted(), ...ask('one-f0', 'never'), ...ask('one-f1', 'never'), ...ask('monitor', 'yes')]
    const tasks = { t1: task('failed', on('one-f0', 'failed'), on('one-f1', 'failed')) }
    expect(kinds(events, { tasks, notifications: [about()] })).toEqual(['lost'])
  })
})

describe('notifications', () => {
  const events = [send(), accepted(), ...dead, ...ask('monitor', 'yes')]
  const tasks = { t1: deadTask }

  test.each<[string, string[], Notification[]]>([
    ['none', ['unheard'], []],
    ['one that is read', ['unheard'], [about('t1', 'p0x1', 'read')]],
    ['two', ['heardTwice'], [about(), about()]],
    ['one about another task', ['falseAlarm', 'unheard'], [about('t2')]],
    ['one that nobody sent', ['falseAlarm'], [about(), about('t9', 'p9x9')]],
  ])('%s about what failed', (_, expected, notifications) => {
    expect(kinds(events, { tasks, notifications })).toEqual(expected)
  })

  test('one that never went out', () => {
    expect(kinds([send(), accepted(), ...dead], { tasks, notifications: [about()] })).toEqual(['unheard'])
  })

  test('one about what worked', () => {
    const worked = { t1: task('completed', on('one-f0', 'success')) }
    const rest = { tasks: worked, notifications: [about()] }
    expect(kinds([send(), accepted(), ...ask('one-f0', 'yes')], rest)).toEqual(['falseAlarm'])
  })

  test('two about a push whose answer got lost', () => {
    const notifications = [about('t7'), about('t7')]
    expect(kinds([send(), unknown(), ...dead], { notifications: [about('t7')] })).toEqual([])
    expect(kinds([send(), unknown(), ...dead], { notifications })).toEqual(['heardTwice'])
  })
})

describe('phantoms', () => {
  test('what was refused arrives', () => {
    expect(kinds([send(), refused(), ...ask('one-f0', 'yes')], {})).toEqual(['phantom'])
    expect(kinds([send(), refused(), send(), unknown(), ...ask('one-f0', 'yes')], {})).toEqual([])
  })

  test('what was never sent arrives', () => expect(kinds(ask('one-f0', 'yes'), {})).toEqual(['phantom']))

  test('it arrives where it was not for', () => {
    const tasks = { t1: task('completed', on('one-f0', 'success')) }
    const events = [send(), accepted(), ...ask('one-f0', 'yes'), ...ask('mix-d0', 'never')]
    expect(kinds(events, { tasks })).toEqual(['phantom'])
  })

  test('it arrives on a platform that it did not name', () => {
    const tasks = { t1: task('completed', on('one-f0', 'success')) }
    const events = [send(), accepted(), ...ask('one-f0', 'yes')]
    const [feishu, dingtalk] = ['platform:feishu', 'platform:dingtalk'].map((strategy) => [
      push('one', 'p0x1', { strategy }),
    ])
    expect(kinds(events, { tasks, pushes: feishu ?? [] })).toEqual([])
    expect(kinds(events, { tasks, pushes: dingtalk ?? [] })).toContain('phantom')
  })

  test('a repeat of a key is another task', () => {
    const tasks = { t1: task('completed', on('one-f0', 'success')) }
    const events = [send(), accepted(), send(), accepted('p0x1', 't2'), ...ask('one-f0', 'yes')]
    expect(kinds(events, { tasks })).toEqual(['twoTasks'])
  })
})

describe('truth', () => {
  const events = [send(), accepted(), ...ask('one-f0', 'yes')]

  test.each<[string, Event[], Task]>([
    [
      'a success that no vendor gave',
      [send(), accepted(), ...ask('one-f0', 'later')],
      task('completed', on('one-f0', 'success')),
    ],
    ['a success of another endpoint', events, task('completed', on('one-f1', 'success'))],
    ['completed without a success', events, task('completed', on('one-f0', 'timeout'))],
    ['a way that is still under way', events, task('completed', on('one-f0', 'success'), on('one-f1', 'processing'))],
  ])('%s', (_, seen, said) => expect(kinds(seen, { tasks: { t1: said } })).toContain('untrue'))

  test('failed though a vendor took it, unless that is left open', () => {
    const seen = [
      send(),
      accepted(),
      ...ask('one-f0', 'yes'),
      kill(1),
      ...ask('one-f0', 'never', { life: 2 }),
      ...ask('one-f1', 'yes'),
    ]
    const said = (open: boolean) => task('completed', on('one-f0', 'failed', open), on('one-f1', 'success'))
    expect(kinds(seen, { tasks: { t1: said(true) } })).toEqual([])
    expect(kinds(seen, { tasks: { t1: said(false) } })).toEqual(['untrue'])
  })

  test('two successes where one is enough', () => {
    const two = task('completed', on('one-f0', 'success'), on('one-f1', 'success'))
    expect(kinds([...events, ...ask('one-f1', 'yes')], { tasks: { t1: two } })).toEqual(['excess'])
    const later = task('completed', on('one-f0', 'success'), on('one-d0', 'success'))
    expect(kinds([...events, ...ask('one-d0', 'yes')], { tasks: { t1: later } })).toEqual(['excess'])
  })
})
