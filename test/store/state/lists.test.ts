import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from '../../../server/store/state/heap.ts'
import { MidList } from '../../../server/store/state/mid-list.ts'

const mid = fc.integer({ min: 0, max: 400 }).map((n) => 1_800_000_000_000 + n)
const command = fc.oneof(
  fc.record({ add: mid }),
  fc.record({ remove: mid }),
  fc.record({ removeFirst: fc.constant(true) }),
)

test('a list of mids is what a sorted array would be, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 600 }), mid, fc.integer({ min: 0, max: 9 }), (commands, at, limit) => {
      const list = new MidList()
      const model = new Set<number>()
      for (const one of commands) {
        if ('add' in one) {
          list.add(one.add)
          model.add(one.add)
        } else {
          const gone = 'remove' in one ? one.remove : (list.first ?? 0)
          expect(list.delete(gone)).toBe(model.delete(gone))
        }
      }
      const sorted = [...model].toSorted((a, b) => a - b)
      expect(list.size).toBe(sorted.length)
      expect(list.first).toBe(sorted[0])
      const above = sorted.filter((one) => one > at)
      const below = sorted.filter((one) => one < at)
      expect(list.after(at, limit)).toEqual(above.slice(0, limit))
      expect(list.before(at, limit)).toEqual(below.toReversed().slice(0, limit))
      expect(list.upTo(at)).toEqual(sorted.filter((one) => one <= at))
    }),
  )
})

test('a heap gives what is earliest, and of one time what came first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), fc.nat(20), (times, now) => {
      const heap = new Heap<string>()
      for (const [n, at] of times.entries()) heap.push(at, `${at} ${n}`)
      const expected = times
        .map((at, n) => ({ at, value: `${at} ${n}` }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ value }) => value)
      const due = expected.filter((value) => Number.parseInt(value, 10) <= now)
      expect(due.map(() => heap.popUpTo(now))).toEqual(due)
      expect(heap.popUpTo(now)).toBeUndefined()
      expect(expected.slice(due.length).map(() => heap.pop())).toEqual(expected.slice(due.length))
      expect(heap.top).toBeUndefined()
    }),
  )
})
