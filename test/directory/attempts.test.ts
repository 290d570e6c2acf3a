import { describe, expect, test } from 'vitest'
import { type Attempts, createAttempts } from '../../server/directory/attempts.ts'
import { createLog } from '../../server/ground/log.ts'
import { Refusal } from '../../server/protocol/errors.ts'
import { testClock } from '../helpers/clock.ts'
import { requestFrom } from '../helpers/request.ts'

const MINUTE_MS = 60_000
const stranger = '192.0.2.7'

function setUp(trustProxy: readonly string[] = []) {
  const clock = testClock()
  const lines: string[] = []
  const log = createLog('warn', { write: (line) => void lines.push(line) })
  const limits = { attempts: 30, attemptsPerMinute: 1, socketsPerAddress: 100 }
  return { clock, lines, attempts: createAttempts({ limits, trustProxy, clock, log }) }
}

/** What becomes of a proof: looked at, or the seconds to wait. */
function attempt(attempts: Attempts, address: string, isRight = false): 'right' | 'wrong' | number {
  try {
    return attempts.prove(requestFrom(address), () => {
      if (!isRight) throw new Error('wrong')
      return 'right'
    })
  } catch (error) {
    return error instanceof Refusal && error.code === 'too-many-attempts' ? error.retryAfterS : 'wrong'
  }
}

/** How many of so many wrong proofs are looked at. */
function guess(attempts: Attempts, address: string, times: number): number {
  return Array.from({ length: times }, () => attempt(attempts, address)).filter((end) => end === 'wrong').length
}

describe('failed proofs', () => {
  test('are looked at 30 times, then once a minute', async () => {
    const { clock, attempts } = setUp()
    expect(guess(attempts, stranger, 2_000)).toBe(30)
    expect(attempt(attempts, stranger)).toBe(60)
    await clock.advance(MINUTE_MS - 1)
    expect(attempt(attempts, stranger)).toBe(1)
    await clock.advance(1)
    expect(guess(attempts, stranger, 10)).toBe(1)
    await clock.advance(3 * MINUTE_MS)
    expect(guess(attempts, stranger, 10)).toBe(3)
    await clock.advance(24 * 60 * MINUTE_MS)
    expect(guess(attempts, stranger, 100)).toBe(30)
  })

  test('bar the right one from that address until it has a try, and from no other', async () => {
    const { clock, attempts } = setUp()
    guess(attempts, stranger, 30)
    expect(attempt(attempts, stranger, true)).toBe(60)
    expect(attempt(attempts, '192.0.2.8', true)).toBe('right')
    await clock.advance(MINUTE_MS)
    expect(attempt(attempts, stranger, true)).toBe('right')
    expect(attempt(attempts, stranger, true)).toBe('right')
  })

  test('right ones cost nothing', () => {
    const { attempts } = setUp()
    for (let n = 0; n < 100; n += 1) expect(attempt(attempts, stranger, true)).toBe('right')
    expect(guess(attempts, stranger, 40)).toBe(30)
  })

  test('a jump of the wall clock gives nothing back', () => {
    const { clock, attempts } = setUp()
    guess(attempts, stranger, 30)
    clock.jump(24 * 60 * MINUTE_MS)
    expect(attempt(attempts, stranger)).toBe(60)
  })

  test('from anywhere in one IPv6 /64 are one count', () => {
    const { attempts } = setUp()
    let looked = 0
    for (let n = 0; n < 100; n += 1) looked += guess(attempts, `2001:db8:1:2:${n}::1`, 1)
    expect(looked).toBe(30)
    expect(attempt(attempts, '2001:db8:1:3::1', true)).toBe('right')
  })

  test('of 100,000 addresses are remembered; that of the longest ago is forgotten', () => {
    const { attempts } = setUp()
    const addressOf = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
    guess(attempts, stranger, 30)
    guess(attempts, '192.0.2.8', 30)
    for (let n = 0; n < 99_998; n += 1) guess(attempts, addressOf(n), 1)
    expect(attempt(attempts, stranger)).toBe(60)
    guess(attempts, addressOf(99_998), 1)
    expect(attempt(attempts, stranger)).toBe(60)
    expect(attempt(attempts, '192.0.2.8')).toBe('wrong')
  })

  test('are told to the operator once when they end the tries of an address', () => {
    const { attempts, lines } = setUp()
    guess(attempts, stranger, 29)
    expect(lines).toEqual([])
    guess(attempts, stranger, 20)
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { address: stranger, msg: expect.stringContaining('is refused for a while') },
    ])
  })
})

describe('sockets without AUTH', () => {
  test('are 100 at most for an address; one that came through or is gone makes room once', () => {
    const { attempts } = setUp()
    const open = (address = stranger) => attempts.open(requestFrom(address))
    const [first, second] = Array.from({ length: 100 }, () => open())
    expect(() => open()).toThrow('too many sockets')
    expect(() => open('192.0.2.8')).not.toThrow()
    first?.leave()
    first?.leave()
    open()
    expect(() => open()).toThrow('too many sockets')
    second?.leave()
    open()
  })

  test('share their tries with requests', () => {
    const { attempts } = setUp()
    const socket = attempts.open(requestFrom(stranger))
    const wrong = () =>
      socket.prove(() => {
        throw new Error('wrong')
      })
    expect(wrong).toThrow('wrong')
    expect(guess(attempts, stranger, 100)).toBe(29)
    expect(wrong).toThrow('too many failed attempts')
    expect(() => socket.prove(() => 'right')).toThrow('too many failed attempts')
    expect(() => attempts.open(requestFrom(stranger))).toThrow('too many failed attempts')
  })
})

describe('this machine', () => {
  test.each(['127.0.0.1', '::1'])('is not limited while no proxy is named, but the log says so (%s)', (address) => {
    const { attempts, lines } = setUp()
    expect(guess(attempts, address, 2_000)).toBe(2_000)
    expect(attempt(attempts, address, true)).toBe('right')
    for (let n = 0; n < 200; n += 1) attempts.open(requestFrom(address))
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { msg: expect.stringContaining('see trustProxy') },
    ])
  })

  test('is limited like others when one is', () => {
    const { attempts } = setUp(['127.0.0.9'])
    expect(guess(attempts, '127.0.0.1', 2_000)).toBe(30)
    for (let n = 0; n < 100; n += 1) attempts.open(requestFrom('127.0.0.2'))
    expect(() => attempts.open(requestFrom('127.0.0.2'))).toThrow('too many sockets')
  })
})
