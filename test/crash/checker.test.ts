import { describe, expect, test } from 'vitest'
import { check } from './checker.ts'
import { type Event, LATE, Recorder } from './history.ts'

/** mids of the pushes below, in the order of acceptance */
const [A, B, C] = ['1800000000001', '1800000000002', '1800000000003'] as const

/** The pushes of every test: a and b by p0 for c0, g by p1 for the group of c0 and c1; n was never sent. */
function judge(events: Event[], window?: number, forgettable?: number): ReturnType<typeof check> {
  const history = new Recorder()
  history.plan({ id: 'a', pusher: 'p0', sendType: 'personal', target: 'c0', names: ['c0'], key: 'key-a' })
  history.plan({ id: 'b', pusher: 'p0', sendType: 'personal', target: 'c0', names: ['c0'], key: null })
  history.plan({ id: 'g', pusher: 'p1', sendType: 'group', target: 'g0', names: ['c0', 'c1'], key: null })
  history.plan({ id: 'n', pusher: 'p1', sendType: 'personal', target: 'c2', names: ['c2'], key: null })
  for (const event of events) history.add(event)
  return check(history, window, forgettable)
}

/** What is wrong with it, each kind once. */
function kinds(events: Event[], window?: number, forgettable?: number): string[] {
  return [...new Set(judge(events, window, forgettable).violations.map(({ kind }) => kind))].toSorted()
}

const start = (life: number): Event => ({ type: 'start', life, ms: 100 * life, torn: life - 1 })
const kill = (life: number): Event => ({ type: 'kill', life })
const open = (name: string, session: number, life = 1): Event => ({ type: 'open', name, session, life })
const send = (push: string, life = 1): Event => ({ type: 'send', push, life })
const reply = (push: string, mid: string, states: Record<string, string>, life = 1): Event => ({
  type: 'reply',
  push,
  mid,
  states,
  life,
})
const refusal = (push: string): Event => ({ type: 'refusal', push, status: 503 })
const unknown = (push: string): Event => ({ type: 'unknown', push, why: 'ECONNRESET' })
const stop = (life: number): Event[] => [
  { type: 'stop', life },
  { type: 'stopped', life, ms: 40 },
]
const closed = (name: string, session: number, code: number, life = 1): Event => ({
  type: 'closed',
  name,
  session,
  life,
  code,
})
const ack = (name: string, mid: string): Event => ({ type: 'ack', name, mid })
const forge = (mid: string, way: 'ws' | 'http-own-auth' = 'ws'): Event => ({
  type: 'forge',
  by: 'c2',
  victim: 'c0',
  mid,
  way,
})
const get = (name: string, text: string, mid: string, session = 0, life = 1): Event => ({
  type: 'receive',
  name,
  session,
  life,
  mid,
  text,
  sendType: text === 'g' ? 'group' : 'personal',
  target: text === 'g' ? 'g0' : name,
})

describe('a hub that keeps its promises', () => {
  test('gives a clean verdict and its figures', () => {
    const { violations, figures } = judge([
      start(1),
      open('c0', 0),
      open('c1', 1),
      send('a'),
      get('c0', 'a', A),
      send('g'),
      ack('c0', A),
      reply('a', A, { c0: 'ok' }),
      send('b'),
      reply('g', B, { c0: 'wait', c1: 'ready' }),
      unknown('b'),
      kill(1),
      start(2),
      send('a', 2),
      open('c0', 2, 2),
      open('c1', 3, 2),
      get('c0', 'a', A, 2, 2),
      reply('a', A, { c0: 'ok' }, 2),
      get('c0', 'g', B, 2, 2),
      get('c1', 'g', B, 3, 2),
    ])
    expect(violations).toEqual([])
    expect(figures).toMatchObject({ kills: 1, accepted: 2, pairs: 3, unknown: 1, requests: 4 })
    expect(figures).toMatchObject({ copies: 4, duplicates: 1, dupAfterOk: 1, worstForgotten: 1 })
    expect(figures.restart).toEqual({ p50: 200, max: 200 })
    expect(figures).toMatchObject({ late: 0, torn: 1, stops: { count: 0 } })
  })

  test('may take back what it answered when its power had been cut', () => {
    const late: Event = { type: 'unknown', push: 'a', why: LATE }
    const { violations, figures } = judge([start(1), send('a'), kill(1), late, start(2)])
    expect(violations).toEqual([])
    expect(figures).toMatchObject({ unknown: 1, late: 1, accepted: 0 })
  })

  test('may be stopped, and is seen to say goodbye', () => {
    const { figures } = judge([start(1), open('c0', 0), ...stop(1), closed('c0', 0, 1012)])
    expect(figures.stops).toEqual({ count: 1, p50: 40, max: 40, goodbyes: 1 })
  })

  test('may deliver what it never answered, at any place of the order', () => {
    expect(
      kinds([send('a'), unknown('a'), send('b'), reply('b', B, { c0: 'wait' }), get('c0', 'a', A), get('c0', 'b', B)]),
    ).toEqual([])
    expect(
      kinds([send('a'), unknown('a'), send('b'), reply('b', B, { c0: 'wait' }), get('c0', 'b', B), get('c0', 'a', C)]),
    ).toEqual([])
  })

  test('may accept by a second request what it refused at first', () => {
    expect(kinds([send('a'), refusal('a'), send('a'), reply('a', A, { c0: 'wait' }), get('c0', 'a', A)])).toEqual([])
  })

  test('may have one copy in flight when it says ok', () => {
    expect(kinds([...delivered(), get('c0', 'a', A)])).toEqual([])
  })

  test('may ignore a foreign ack that came before the right one', () => {
    const events = [send('a'), get('c0', 'a', A), forge(A), ack('c0', A), reply('a', A, { c0: 'ok' })]
    expect(kinds(events)).toEqual([])
    expect(kinds([{ type: 'forge-answer', by: 'c2', way: 'http-own-auth', status: 200 }])).toEqual([])
  })
})

describe('the checker catches', () => {
  test('lost: accepted and never received', () => {
    expect(kinds([send('a'), reply('a', A, { c0: 'ready' })])).toEqual(['lost'])
  })

  test('lost: received by one of the group only', () => {
    const events = [send('g'), reply('g', A, { c0: 'wait', c1: 'ready' }), get('c0', 'g', A)]
    expect(kinds(events)).toEqual(['lost'])
  })

  test('order: a later mid is received first', () => {
    expect(kinds([send('a'), send('g'), get('c0', 'g', B), get('c0', 'a', A), unknown('a')])).toEqual(['order'])
  })

  test('order: a push overtakes one that its pusher knew to be accepted', () => {
    const { violations } = judge([
      send('a'),
      reply('a', B, { c0: 'wait' }),
      send('b'),
      get('c0', 'b', A),
      get('c0', 'a', B),
    ])
    expect(violations.map(({ what }) => what)).toEqual([
      expect.stringContaining('had the reply for the first before it sent the second'),
      expect.stringContaining('had been given out before it was sent'),
    ])
  })

  test('order: mids go backwards after a restart, though no receiver is common', () => {
    const events = [send('b'), reply('b', B, { c0: 'wait' }), get('c0', 'b', B), kill(1), start(2)]
    expect(kinds([...events, send('n', 2), get('c2', 'n', A, 0, 2)])).toEqual(['order'])
  })

  test('mid reuse: two pushes share a mid', () => {
    const events = [send('a'), send('g'), get('c0', 'a', A), get('c1', 'g', A)]
    expect(kinds(events)).toEqual(['midReuse'])
  })

  test('two mids: a repeated key is accepted as a second push', () => {
    const events = [send('a'), reply('a', A, { c0: 'wait' }), kill(1), start(2), send('a', 2)]
    expect(kinds([...events, reply('a', B, { c0: 'wait' }, 2), get('c0', 'a', A)])).toEqual(['twoMids'])
    expect(kinds([send('a'), get('c0', 'a', A), get('c0', 'a', B)])).toEqual(['twoMids'])
  })

  test('false ok: told before the receiver acked', () => {
    const events = [send('a'), get('c0', 'a', A), reply('a', A, { c0: 'ok' }), ack('c0', A)]
    expect(kinds(events)).toEqual(['falseOk'])
  })

  test('false ok: earned by the ack of another message', () => {
    const events = [send('a'), get('c0', 'a', A), ack('c0', B), reply('a', A, { c0: 'ok' })]
    expect(kinds(events)).toEqual(['falseOk'])
  })

  test('foreign ack: another client made it ok', () => {
    const events = [send('a'), get('c0', 'a', A), forge(A), reply('a', A, { c0: 'ok' })]
    expect(kinds(events)).toEqual(['foreignAck'])
  })

  test('foreign ack: a forged auth is answered like a good one', () => {
    for (const way of ['http-forged-string', 'http-auth-object'] as const) {
      expect(kinds([{ type: 'forge-answer', by: 'c2', way, status: 200 }])).toEqual(['foreignAck'])
      expect(kinds([{ type: 'forge-answer', by: 'c2', way, status: 401 }])).toEqual([])
    }
  })

  test('phantom: received and never sent', () => {
    expect(kinds([get('c2', 'n', A)])).toEqual(['phantom'])
    expect(kinds([get('c0', 'half a te', A)])).toEqual(['phantom'])
  })

  test('corrupt: not as it was sent', () => {
    const frame = { type: 'receive', name: 'c0', session: 0, life: 1, text: 'a' } as const
    expect(kinds([send('a'), { ...frame, mid: A, sendType: 'group', target: 'c0' }])).toEqual(['corrupt'])
    expect(kinds([send('a'), { ...frame, mid: A, sendType: 'personal', target: 'c1' }])).toEqual(['corrupt'])
    expect(kinds([send('a'), { ...frame, mid: '7', sendType: 'personal', target: 'c0' }])).toEqual(['corrupt'])
  })

  test('wrong target: received by one it was not for', () => {
    expect(kinds([send('a'), reply('a', A, { c0: 'wait' }), get('c0', 'a', A), get('c1', 'a', A)])).toEqual([
      'wrongTarget',
    ])
  })

  test('rejected but delivered', () => {
    expect(kinds([send('a'), refusal('a'), get('c0', 'a', A)])).toEqual(['rejectedDelivered'])
    expect(kinds([send('a'), reply('a', A, { c0: 'full' }), get('c0', 'a', A)])).toEqual(['rejectedDelivered'])
  })

  test('group member omitted, invented or unknown', () => {
    const got = [get('c0', 'g', A), get('c1', 'g', A)]
    expect(kinds([send('g'), reply('g', A, { c0: 'wait' }), ...got])).toEqual(['groupOmitted'])
    expect(kinds([send('g'), reply('g', A, { c0: 'wait', c1: 'wait', c2: 'full' }), ...got])).toEqual(['groupOmitted'])
    expect(kinds([send('g'), reply('g', A, {}), ...got])).toEqual(['groupOmitted'])
  })

  test('forgotten: a recipient is not known any more', () => {
    expect(kinds([send('a'), reply('a', A, { c0: 'no' })])).toEqual(['forgotten'])
  })

  test('a reply that is not as documented', () => {
    expect(kinds([send('a'), reply('a', '', { c0: 'full' })])).toEqual(['badReply'])
    expect(kinds([send('a'), reply('a', A, { c0: 'fine' }), get('c0', 'a', A)])).toEqual(['badReply'])
    expect(kinds([{ type: 'nonsense', what: 'a 200 without JSON' }])).toEqual(['nonsense'])
  })

  test('too many copies after ok: in flight, on a new connection, after a crash', () => {
    const again = get('c0', 'a', A)
    expect(kinds([...delivered(), again, again])).toEqual(['dupAfterOk'])
    expect(kinds([...delivered(), open('c0', 7), get('c0', 'a', A, 7)])).toEqual(['dupAfterOk'])

    const b = [send('b'), get('c0', 'b', B), ack('c0', B), reply('b', B, { c0: 'ok' })]
    const forgets = [open('c0', 7, 2), get('c0', 'a', A, 7, 2), get('c0', 'a', A, 7, 2)]
    expect(kinds([...delivered(), ...b, kill(1), start(2), ...forgets])).toEqual([])
    const forgetsBoth = [...delivered(), ...b, kill(1), start(2), ...forgets, get('c0', 'b', B, 7, 2)]
    expect(kinds(forgetsBoth)).toEqual(['dupAfterOk'])
    expect(kinds(forgetsBoth, 1, 2)).toEqual([])
  })

  test('a clean stop that does not say so to a socket, or forgets an ack', () => {
    const [told, ended] = stop(1) as [Event, Event]
    expect(kinds([closed('c0', 0, 1006), told, closed('c1', 1, 1012), ended])).toEqual([])
    expect(kinds([told, closed('c0', 0, 1006), ended])).toEqual(['badGoodbye'])
    expect(kinds([told, ended, start(2), closed('c0', 0, 1006, 2)])).toEqual([])
    const again = [told, ended, start(2), open('c0', 7, 2), get('c0', 'a', A, 7, 2)]
    expect(kinds([...delivered(), ...again], 1, 0)).toEqual(['dupAfterOk'])
  })

  test('a hub that ends by itself', () => {
    expect(kinds([{ type: 'exit', life: 1, why: 'code 1' }])).toEqual(['selfExit'])
  })
})

/** a, received and acked by c0, and its pusher told so. */
function delivered(): Event[] {
  return [open('c0', 0), send('a'), get('c0', 'a', A), ack('c0', A), reply('a', A, { c0: 'ok' })]
}
