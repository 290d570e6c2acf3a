import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from '../../server/hub/turns.ts'

test('a flood is spread over turns of the event loop by what each costs, in the order of arrival', async () => {
  const done: number[] = []
  const turns = new Turns<number>((item) => {
    done.push(item)
    return 64
  })
  for (let item = 0; item < 10; item += 1) turns.add(item)
  expect(done).toEqual([])
  const seen: number[] = []
  while (done.length < 10) {
    await nextTurn()
    seen.push(done.length)
  }
  expect(seen).toEqual([4, 8, 10])
  expect(done).toEqual(done.toSorted((a, b) => a - b))
})

test('what costs more than a turn has room for gets one alone', async () => {
  const done: string[] = []
  const turns = new Turns<string>((item) => {
    done.push(item)
    return 10_000
  })
  turns.add('a')
  turns.add('b')
  await nextTurn()
  expect(done).toEqual(['a'])
  await nextTurn()
  expect(done).toEqual(['a', 'b'])
})

test('added twice it waits once; added by its own work it has another turn', async () => {
  const done: string[] = []
  const turns: Turns<string> = new Turns<string>((item) => {
    done.push(item)
    if (done.length === 1) setImmediate(() => turns.add(item))
    return 1
  })
  turns.add('a')
  turns.add('a')
  await nextTurn()
  expect(done).toEqual(['a'])
  for (let turn = 0; turn < 3; turn += 1) await nextTurn()
  expect(done).toEqual(['a', 'a'])
})
