import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeLine, firstLine, type Line, scan } from '../../../server/store/lowdb/frame.ts'
import { random } from '../../crash/random.ts'

const FLIPS = 500

/** Lines of batches of these sizes, each batch flushed before the next, from the seq 10 on. */
function linesOf(batches: readonly number[]): Line[] {
  const lines: Line[] = []
  let durable = 9
  for (const size of batches) {
    for (let n = 0; n < size; n += 1) lines.push({ seq: durable + 1 + n, durable, json: `["line ${durable + 1 + n}"]` })
    durable += size
  }
  return lines
}

const bytesOf = (lines: readonly Line[]) => Buffer.from(lines.map(encodeLine).join(''))

/** Where each line begins. */
function offsetsOf(lines: readonly Line[]): number[] {
  let offset = 0
  return lines.map((line) => {
    const start = offset
    offset += Buffer.byteLength(encodeLine(line))
    return start
  })
}

/** Three batches: lines 0 to 2 and 3 to 5 were acknowledged, 6 to 8 never were. */
const lines = linesOf([3, 3, 3])
const bytes = bytesOf(lines)
const offsets = offsetsOf(lines)
const at = (place: number) => offsets[place] ?? bytes.length
const seqs = (some: readonly Line[]) => some.map(({ seq }) => seq)

test('gives back what was put in, whatever the JSON is', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(), (values, first) => {
      const put = values.map((value, n) => ({ seq: first + n, durable: first, json: JSON.stringify(value) }))
      expect(scan(bytesOf(put), first)).toEqual({ lines: put, damage: null })
    }),
  )
})

test('keeps every complete line of a file cut anywhere, and tells where the torn one began', () => {
  for (let size = at(6); size <= bytes.length; size += 1) {
    const whole = offsetsOf([...lines, ...linesOf([0])]).filter((start) => start < size).length
    const { lines: read, damage } = scan(bytes.subarray(0, size), 10)
    const isCutBetween = size === bytes.length || offsets.includes(size)
    expect(read).toHaveLength(isCutBetween ? whole : whole - 1)
    expect(damage).toEqual(isCutBetween ? null : { offset: at(whole - 1), seq: 10 + whole - 1, acknowledged: false })
  }
})

describe('in a part that was acknowledged', () => {
  test.each([0, 1, 2, 3, 4, 5])('line %i removed is told', (place) => {
    const { damage } = scan(bytesOf(lines.toSpliced(place, 1)), 10)
    expect(damage).toEqual({ offset: at(place), seq: 10 + place, acknowledged: true })
  })

  test.each([0, 1, 2, 3, 4])('line %i swapped with the next is told', (place) => {
    const [one, two] = lines.slice(place, place + 2)
    if (!one || !two) throw new Error('the lines are too few')
    const { damage } = scan(bytesOf(lines.toSpliced(place, 2, two, one)), 10)
    expect(damage).toEqual({ offset: at(place), seq: 10 + place, acknowledged: true })
  })

  test.each([0, 1, 2, 3, 4])('line %i duplicated is told', (place) => {
    const [line] = lines.slice(place, place + 1)
    if (!line) throw new Error('the lines are too few')
    const { damage } = scan(bytesOf(lines.toSpliced(place, 0, line)), 10)
    expect(damage).toEqual({ offset: at(place + 1), seq: 10 + place + 1, acknowledged: true })
  })

  test.each([0, 1, 2, 3, 4, 5])('zeros from line %i on are told', (place) => {
    const zeroed = Buffer.from(bytes)
    zeroed.fill(0, at(place) + 3, at(place) + 20)
    expect(scan(zeroed, 10).damage).toEqual({ offset: at(place), seq: 10 + place, acknowledged: true })
  })

  test('a removed line is told by the last line alone', () => {
    const few = linesOf([1, 1])
    expect(scan(bytesOf(few.slice(1)), 10).damage).toEqual({ offset: 0, seq: 10, acknowledged: true })
  })

  test('every flipped bit is told, with its line', () => {
    const { between } = random(7, 'flips')
    for (let n = 0; n < FLIPS; n += 1) {
      const flipped = Buffer.from(bytes)
      const byte = between(0, at(6))
      flipped[byte] = (flipped[byte] ?? 0) ^ (1 << between(0, 8))
      const place = offsets.findLastIndex((start) => start <= byte)
      expect(scan(flipped, 10).damage).toEqual({ offset: at(place), seq: 10 + place, acknowledged: true })
    }
  })
})

describe('in what was never acknowledged', () => {
  test('a bad line costs itself alone', () => {
    const zeroed = Buffer.from(bytes)
    zeroed.fill(0, at(7), at(7) + 10)
    const { lines: read, damage } = scan(zeroed, 10)
    expect(seqs(read)).toEqual([10, 11, 12, 13, 14, 15, 16, 18])
    expect(damage).toEqual({ offset: at(7), seq: 17, acknowledged: false })
  })

  test.each([1, 20, 512])('a removed line costs itself alone, and %i bytes of garbage nothing', (size) => {
    const { next } = random(size, 'garbage')
    const garbage = Buffer.from(Array.from({ length: size }, () => Math.floor(next() * 256)))
    const { lines: read, damage } = scan(Buffer.concat([bytesOf(lines.toSpliced(7, 1)), garbage]), 10)
    expect(seqs(read)).toEqual([10, 11, 12, 13, 14, 15, 16, 18])
    expect(damage).toEqual({ offset: at(7), seq: 17, acknowledged: false })
  })

  test.each([
    ['zeros', Buffer.alloc(65_536)],
    ['line ends', Buffer.alloc(100, '\n')],
    ['a line from elsewhere', Buffer.from(encodeLine({ seq: 3, durable: 2, json: '[]' }))],
  ])('%s at the end cost nothing', (_, more) => {
    const { lines: read, damage } = scan(Buffer.concat([bytes, more]), 10)
    expect(read).toEqual(lines)
    expect(damage).toEqual({ offset: bytes.length, seq: 19, acknowledged: false })
  })

  test('no flipped bit goes unseen, and none costs another line', () => {
    const { between } = random(8, 'flips')
    for (let n = 0; n < FLIPS; n += 1) {
      const flipped = Buffer.from(bytes)
      const byte = between(at(6), bytes.length)
      flipped[byte] = (flipped[byte] ?? 0) ^ (1 << between(0, 8))
      const place = offsets.findLastIndex((start) => start <= byte)
      const { lines: read, damage } = scan(flipped, 10)
      expect(damage).toEqual({ offset: at(place), seq: 10 + place, acknowledged: false })
      // a line end that is gone takes the next line with it
      expect(read.length).toBeGreaterThanOrEqual(lines.length - 2)
      expect(read.every((line) => lines.some((put) => put.seq === line.seq && put.json === line.json))).toBe(true)
    }
  })
})

test('a mark makes the batch before it acknowledged', () => {
  const marked = bytesOf([...lines, { seq: 19, durable: 18, json: '[]' }])
  const { between } = random(9, 'flips')
  for (let n = 0; n < FLIPS; n += 1) {
    const flipped = Buffer.from(marked)
    // the last byte of the batch is the line end between it and the mark: without it the mark is gone too
    const byte = between(0, bytes.length - 1)
    flipped[byte] = (flipped[byte] ?? 0) ^ (1 << between(0, 8))
    expect(scan(flipped, 10).damage?.acknowledged).toBe(true)
  }
})

test('the first line is read alone', () => {
  expect(firstLine(bytes)).toEqual(lines[0])
  expect(firstLine(bytes.subarray(0, 5))).toBeNull()
  expect(firstLine(bytes.subarray(3))).toBeNull()
})
