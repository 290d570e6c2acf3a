import { expect, test } from 'vitest'
import { Conduct } from '../../server/ws/conduct.ts'
import { testClock } from '../helpers/clock.ts'

const times = <T>(n: number, fn: () => T): T[] => Array.from({ length: n }, fn)

test('three packets before AUTH are forgiven, the third wrong token is not', () => {
  const conduct = new Conduct(testClock())
  expect(times(4, () => conduct.tooEarly())).toEqual([false, false, false, true])
  expect(times(3, () => conduct.wrongToken())).toEqual([false, false, true])
})

test('20 bad packets a minute are forgiven', async () => {
  const clock = testClock()
  const conduct = new Conduct(clock)
  expect(times(20, () => conduct.badPacket()).some(Boolean)).toBe(false)
  expect(conduct.badPacket()).toBe(true)
  await clock.advance(60_001)
  expect(times(20, () => conduct.badPacket()).some(Boolean)).toBe(false)
})

test('the 201st packet of a second pauses the socket for the rest of it', async () => {
  const clock = testClock()
  const conduct = new Conduct(clock)
  await clock.advance(300)
  expect(times(200, () => conduct.packet().then)).not.toContain('pause')
  expect(conduct.packet()).toEqual({ then: 'pause', ms: 700 })
  await clock.advance(700)
  expect(conduct.packet()).toEqual({ then: 'read' })
})

test('packets that moved something do not count', () => {
  const conduct = new Conduct(testClock())
  for (const _ of times(1_000, () => 0)) {
    expect(conduct.packet()).toEqual({ then: 'read' })
    conduct.useful()
  }
})

test('ten such seconds in a row close the socket; a quiet one begins anew', async () => {
  const clock = testClock()
  const conduct = new Conduct(clock)
  const busySecond = async () => {
    const said = times(201, () => conduct.packet().then)
    await clock.advance(1_000)
    return said
  }
  for (const _ of times(9, () => 0)) expect(await busySecond()).not.toContain('close')
  await clock.advance(2_000)
  for (const _ of times(10, () => 0)) expect(await busySecond()).not.toContain('close')
  expect(conduct.packet()).toEqual({ then: 'close' })
})

test('a wall clock that jumps changes nothing', () => {
  const clock = testClock()
  const conduct = new Conduct(clock)
  for (const _ of times(201, () => conduct.packet())) clock.jump(3_600_000)
  expect(conduct.packet()).toEqual({ then: 'pause', ms: 1_000 })
  times(20, () => conduct.badPacket())
  clock.jump(-7_200_000)
  expect(conduct.badPacket()).toBe(true)
})
