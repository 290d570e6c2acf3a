import { describe, expect, test } from 'vitest'
import {
  about,
  accepted,
  ask,
  dead,
  deadTask,
  judge,
  kill,
  kinds,
  on,
  push,
  refused,
  send,
  start,
  task,
  unknown,
} from './by-hand.ts'
import { check } from './checker.ts'
import type { Event, Word } from './history.ts'

describe('a hub that keeps its promises', () => {
  test('gives a clean verdict and its figures', () => {
    const pushes = [push(), push('every', 'p0x2'), push('hook', 'p0x3'), push('one', 'p0x4'), push('one', 'p0x5')]
    const events = [
      start(1),
      send(),
      accepted(),
      ...ask('one-f0', 'nothing', { took: true, at: 40 }),
      kill(1, 40),
      start(2),
      ...ask('one-f0', 'yes', { life: 2 }),
      send('p0x2'),
      accepted('p0x2', 't2', '1000000000002'),
      ...ask('every-f0', 'yes', { id: 'p0x2' }),
      ...ask('every-f1', 'later', { id: 'p0x2' }),
      ...ask('every-d0', 'never', { id: 'p0x2' }),
      ...ask('every-f1', 'yes', { id: 'p0x2' }),
      send('p0x3'),
      accepted('p0x3', 't3', '1000000000003'),
      ...ask('hook', 'yes', { id: 'p0x3', mid: '1000000000003' }),
      send('p0x4'),
      refused('p0x4'),
      send('p0x5'),
      unknown('p0x5'),
      ...ask('one-f0', 'yes', { id: 'p0x5' }),
    ]
    const tasks = {
      t1: task('completed', on('one-f0', 'success', true)),
      t2: task('completed', on('every-f0', 'success'), on('every-f1', 'success'), on('every-d0', 'failed')),
      t3: task('completed', on('hook', 'success')),
    }
    const { violations, figures } = judge(events, { tasks, pushes })
    expect(violations).toEqual([])
    expect(figures).toEqual({
      pushes: 5,
      kills: 1,
      accepted: 3,
      unknown: 1,
      refused: 1,
      requests: 8,
      said: { yes: 5, later: 1, never: 1, nothing: 1 },
      cut: 1,
      reached: 5,
      duplicates: 1,
      tasks: { completed: 3 },
      notifications: 0,
      restart: { p50: 200, max: 200 },
    })
  })

  test('may fail, and tells one notification of it, which goes out', () => {
    const events = [send(), accepted(), ...dead, ...ask('monitor', 'yes')]
    expect(kinds(events, { tasks: { t1: deadTask }, notifications: [about()] })).toEqual([])
  })

  test('may give up what three kills cut off before anybody had it', () => {
    const events = [send(), accepted(), kill(1), kill(2), kill(3)]
    const tasks = {
      t1: task('failed', on('one-f0', 'timeout', true), on('one-f1', 'timeout'), on('one-d0', 'timeout')),
    }
    expect(kinds(events, { tasks, notifications: [about()] })).toEqual([])
  })

  test.each([
    ['failover, the second platform', 'one', ['never', 'never', 'yes']],
    ['failover, no more than one', 'one', ['yes', null, null]],
    ['all of it', 'every', ['yes', 'never', 'yes']],
    ['one of each platform', 'each', ['never', 'yes', 'yes']],
    ['a whole platform', 'mix', ['never', 'yes', null]],
    ['the next platform', 'mix', ['never', 'never', 'yes']],
    ['the usual way', 'plain', ['never', 'never', 'yes']],
  ] as const)('goes on as the strategy wants: %s', (_, recipient, said) => {
    const ways = ['f0', 'f1', 'd0'].flatMap((way, at) => {
      const word = said[at]
      return word ? [{ name: `${recipient}-${way}`, word }] : []
    })
    const events = [send(), accepted(), ...ways.flatMap(({ name, word }) => ask(name, word))]
    const results = ways.map(({ name, word }) => on(name, word === 'yes' ? 'success' : 'failed'))
    expect(kinds(events, { tasks: { t1: task('completed', ...results) }, pushes: [push(recipient)] })).toEqual([])
  })
})

describe('copies', () => {
  const tasks = (marked: boolean) => ({ t1: task('completed', on('one-f0', 'success', marked)) })
  const lost = ask('one-f0', 'nothing', { took: true })
  const yes = (at: number) => ask('one-f0', 'yes', { at })

  test('a second one must be marked', () => {
    const seen = [send(), accepted(), ...lost, ...yes(0)]
    expect(judge(seen, { tasks: tasks(true) })).toMatchObject({ violations: [], figures: { duplicates: 1 } })
    expect(kinds(seen, { tasks: tasks(false) })).toEqual(['unmarked'])
  })

  test('the mark stays over what comes between', () => {
    const seen = [send(), accepted(), ...lost, ...ask('one-f0', 'later'), ...yes(0)]
    expect(kinds(seen, { tasks: tasks(false) })).toEqual(['unmarked'])
  })

  test('what was answered is sent again only after a crash that came at once', () => {
    const again = ask('one-f0', 'yes', { life: 2 })
    const seen = (killed: number) => [send(), accepted(), ...yes(0), kill(1, killed), ...again]
    expect(kinds(seen(20), { tasks: tasks(true) })).toEqual([])
    expect(kinds(seen(5_000), { tasks: tasks(true) })).toEqual(['forgot'])
    expect(kinds([send(), accepted(), ...yes(0), ...yes(0)], { tasks: tasks(true) })).toEqual(['forgot'])
  })

  test('robots are tried three times, webhooks of clients as often as it takes', () => {
    const four = (endpoint: string, mid?: string) =>
      (['later', 'later', 'later', 'yes'] as const).flatMap((word) =>
        ask(endpoint, word, mid === undefined ? {} : { mid }),
      )
    expect(kinds([send(), accepted(), ...four('one-f0')], { tasks: tasks(false) })).toEqual(['tooMany'])
    const hooked = { tasks: { t1: task('completed', on('hook', 'success')) }, pushes: [push('hook')] }
    expect(kinds([send(), accepted(), ...four('hook', '1000000000001')], hooked)).toEqual([])
  })
})

describe('order', () => {
  const [A, B] = ['1000000000001', '1000000000002']
  const pushes = [push('hook', 'p0x1'), push('hook', 'p0x2')]
  const tasks = { t1: task('completed', on('hook', 'success')), t2: task('completed', on('hook', 'success')) }
  const both = [send('p0x1'), accepted('p0x1', 't1', A), send('p0x2'), accepted('p0x2', 't2', B)]
  const get = (id: string, mid: string | undefined, said: Word = 'yes') =>
    ask('hook', said, mid === undefined ? { id } : { id, mid })

  test('a retry of the first comes before the second', () => {
    const seen = [...both, ...get('p0x1', A, 'later'), ...get('p0x1', A), ...get('p0x2', B)]
    expect(kinds(seen, { tasks, pushes })).toEqual([])
  })

  test('the second comes first', () => {
    expect(kinds([...both, ...get('p0x2', B), ...get('p0x1', A)], { tasks, pushes })).toEqual(['order'])
  })

  test('the second does not wait for the retry of the first', () => {
    const seen = [...both, ...get('p0x1', A, 'later'), ...get('p0x2', B), ...get('p0x1', A)]
    expect(kinds(seen, { tasks, pushes })).toEqual(['order'])
  })

  test('what is sent later is accepted as earlier', () => {
    const seen = [send('p0x1'), accepted('p0x1', 't1', B ?? ''), send('p0x2'), accepted('p0x2', 't2', A ?? '')]
    expect(kinds([...seen, ...get('p0x2', A), ...get('p0x1', B)], { tasks, pushes })).toEqual(['order'])
  })
})

test('a hub that ends by itself, and what nobody can explain', () => {
  const events: Event[] = [
    { type: 'exit', life: 2, why: 'ended by itself with 1' },
    { type: 'nonsense', what: 'it was answered 500' },
  ]
  expect(kinds(events, {})).toEqual(['nonsense', 'selfExit'])
})

test('a hub that cannot be asked in the end is judged by what arrived', () => {
  const pushes = new Map([['p0x1', push()]])
  const facts = (events: readonly Event[]) => check({ pushes, events, said: null }).violations.map(({ kind }) => kind)
  expect(facts([send(), accepted(), ...ask('one-f0', 'yes')])).not.toContain('lost')
  expect(facts([send(), refused(), ...ask('one-f0', 'yes')])).toContain('phantom')
})
