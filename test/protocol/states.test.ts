import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BY_READER,
  hasArrived,
  isFinal,
  mayFollow,
  type MpushWord,
  mpushWord,
  type State,
} from '../../server/protocol/states.ts'

interface Reached {
  readonly state: State
  readonly via: string | null
}

/** as they rank, lowest first */
const states: readonly State[] = [
  'queued',
  'sent',
  'accepted',
  'failed',
  'expired',
  'removed',
  'delivered',
  'confirmed',
]
const vias = ['websocket', 'webhook', 'webpush', null] as const
const all: readonly Reached[] = states.flatMap((state) => vias.map((via) => ({ state, via })))
const pairs = all.flatMap((now) => all.map((next) => ({ now, next })))
const name = ({ state, via }: Reached) => `${state} via ${via}`

/** What stands after these events in this order. */
function after(events: readonly Reached[]): Reached {
  let now: Reached = { state: 'queued', via: null }
  for (const next of events) if (mayFollow(now, next)) now = next
  return now
}

const wordOf = (reached: Reached) => mpushWord({ ...reached, reason: null })

describe('what may follow what', () => {
  test('a higher state follows a lower one and never the other way round, whatever they came by', () => {
    for (const { now, next } of pairs) {
      const up = states.indexOf(next.state) - states.indexOf(now.state)
      if (up !== 0) expect(mayFollow(now, next), `${name(now)} then ${name(next)}`).toBe(up > 0)
    }
  })

  test('nothing follows itself, and no two follow each other', () => {
    for (const one of all) expect(mayFollow(one, one), name(one)).toBe(false)
    for (const { now, next } of pairs) {
      expect(mayFollow(now, next) && mayFollow(next, now), `${name(now)} and ${name(next)}`).toBe(false)
    }
  })

  test('what follows what follows, follows', () => {
    for (const { now, next } of pairs) {
      if (!mayFollow(now, next)) continue
      for (const last of all) {
        if (mayFollow(next, last)) {
          expect(mayFollow(now, last), `${name(now)}, ${name(next)}, ${name(last)}`).toBe(true)
        }
      }
    }
  })

  test('what cannot be told apart ranks alike beside everything else', () => {
    for (const { now, next } of pairs) {
      if (mayFollow(now, next) || mayFollow(next, now)) continue
      expect(now.state).toBe(next.state)
      for (const other of all) {
        expect(mayFollow(now, other), `${name(now)}, ${name(next)}, ${name(other)}`).toBe(mayFollow(next, other))
      }
    }
  })

  test("a session's ack outranks one by Web Push, not the other way round", () => {
    for (const via of ['websocket', 'webhook', null]) {
      expect(mayFollow({ state: 'delivered', via: 'webpush' }, { state: 'delivered', via })).toBe(true)
      expect(mayFollow({ state: 'delivered', via }, { state: 'delivered', via: 'webpush' })).toBe(false)
    }
  })

  test.each(['sent', 'accepted'] as const)('%s by Web Push outranks the same by another channel', (state) => {
    for (const via of ['websocket', 'webhook', null]) {
      expect(mayFollow({ state, via }, { state, via: 'webpush' })).toBe(true)
      expect(mayFollow({ state, via: 'webpush' }, { state, via })).toBe(false)
    }
  })
})

test('what its reader threw away outranks all else, and nothing follows it', () => {
  const thrownAway: Reached = { state: 'removed', via: BY_READER }
  for (const one of all) {
    expect(mayFollow(one, thrownAway), name(one)).toBe(true)
    expect(mayFollow(thrownAway, one), name(one)).toBe(false)
  }
  expect(mayFollow(thrownAway, thrownAway)).toBe(false)
})

describe('the order of events', () => {
  test('any three events end alike in each of their six orders', () => {
    const differing: string[] = []
    for (const a of all) {
      for (const b of all) {
        for (const c of all) {
          const orders = [
            [a, b, c],
            [a, c, b],
            [b, a, c],
            [b, c, a],
            [c, a, b],
            [c, b, a],
          ]
          const ends = new Set(orders.map((events) => `${after(events).state} ${wordOf(after(events))}`))
          if (ends.size > 1) differing.push([a, b, c].map(name).join(', '))
        }
      }
    }
    expect(differing).toEqual([])
  })

  test('many events end alike shuffled and repeated', () => {
    const events = fc.array(fc.constantFrom(...all), { maxLength: 20 })
    const orders = events.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length })),
    )
    fc.assert(
      fc.property(orders, ([one, other]) => {
        expect(after(other).state).toBe(after(one).state)
        expect(wordOf(after(other))).toBe(wordOf(after(one)))
      }),
      { seed: 41 },
    )
  })

  test('the highest state wins', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { minLength: 1 }), (events) => {
        const highest = Math.max(...events.map(({ state }) => states.indexOf(state)))
        expect(after(events).state).toBe(states[highest])
      }),
      { seed: 42 },
    )
  })
})

test('final is what the hub does nothing more for; arrived is what a program or a person has', () => {
  expect(states.filter(isFinal)).toEqual(['failed', 'expired', 'removed', 'confirmed'])
  expect(states.filter(hasArrived)).toEqual(['delivered', 'confirmed'])
})

describe('the words of mpush', () => {
  const table: readonly (readonly [State, MpushWord, MpushWord])[] = [
    ['queued', 'ready', 'ready'],
    ['sent', 'wait', 'webpush-wait'],
    ['accepted', 'wait', 'webpush-ok'],
    ['delivered', 'ok', 'webpush-ok-comfirm'],
    ['confirmed', 'ok', 'ok'],
    ['failed', 'failed', 'failed'],
    ['expired', 'expired', 'expired'],
    ['removed', 'no', 'no'],
  ]

  test.each(table)('%s is %s, by Web Push %s', (state, word, byWebPush) => {
    for (const via of ['websocket', 'webhook', 'email', null]) expect(wordOf({ state, via })).toBe(word)
    expect(wordOf({ state, via: 'webpush' })).toBe(byWebPush)
  })

  test('a failure for want of room is full, and only that', () => {
    expect(mpushWord({ state: 'failed', via: null, reason: 'full' })).toBe('full')
    expect(mpushWord({ state: 'failed', via: null, reason: 'exhausted' })).toBe('failed')
    for (const state of states) {
      if (state !== 'failed') expect(mpushWord({ state, via: null, reason: 'full' })).not.toBe('full')
    }
  })

  test('ok is never said before the receiving program has it', () => {
    const ok = all.filter((reached) => wordOf(reached) === 'ok')
    expect(new Set(ok.map(({ state }) => state))).toEqual(new Set(['delivered', 'confirmed']))
    expect(ok).not.toContainEqual({ state: 'delivered', via: 'webpush' })
  })

  test('a raise of what has not ended raises the word too', () => {
    const rank: readonly MpushWord[] = ['ready', 'wait', 'webpush-wait', 'webpush-ok', 'webpush-ok-comfirm', 'ok']
    const ends: readonly State[] = ['failed', 'expired', 'removed']
    const lowered = pairs
      .filter(({ now, next }) => mayFollow(now, next) && !ends.includes(now.state) && !ends.includes(next.state))
      .filter(({ now, next }) => rank.indexOf(wordOf(next)) < rank.indexOf(wordOf(now)))
      .map(({ now, next }) => `${now.state} via ${now.via} → ${next.state}`)
    // a robot or a mail server that took it says more than a request that is out, though mpush has one word less for it
    expect([...new Set(lowered)]).toEqual(['sent via webpush → accepted'])
  })
})
