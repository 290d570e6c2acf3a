import { expect, test } from 'vitest'
import { type ConfiguredRecipient, loadDirectory } from '../../server/directory/directory.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import { type Store, StoreFull } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import { gateStore } from '../helpers/gate-store.ts'

const cursor = '1800000000000'

function setUp(
  store: Store = createMemoryStore({ clock: testClock() }),
  configured: readonly ConfiguredRecipient[] = [],
) {
  return { store, load: () => loadDirectory(store, configured) }
}

test('who joined is known with its group, after a restart too', async () => {
  const { load } = setUp()
  const directory = await load()
  await directory.join('me@user', 'dev@group')
  await directory.join('you@user', null)
  for (const each of [directory, await load()]) {
    expect([each.has('me@user'), each.has('you@user'), each.has('he@user')]).toEqual([true, true, false])
    expect([each.connects('me@user'), each.connects('he@user')]).toEqual([true, false])
    expect(each.members('dev@group')).toEqual(['me@user'])
  }
})

test('another group replaces the former', async () => {
  const { load } = setUp()
  const directory = await load()
  await directory.join('me@user', 'one@group')
  await directory.join('me@user', 'two@group')
  expect([directory.members('one@group'), directory.members('two@group')]).toEqual([[], ['me@user']])
  await directory.join('me@user', null)
  expect(directory.members('two@group')).toEqual([])
  expect((await load()).members('two@group')).toEqual([])
})

test('joining again as before writes nothing', async () => {
  const { store, load } = setUp()
  const directory = await load()
  await directory.join('me@user', 'dev@group')
  const before = await store.get('recipient', 'me@user')
  await directory.join('me@user', 'dev@group')
  expect((await store.get('recipient', 'me@user'))?.rev).toBe(before?.rev)
})

test('when the store refuses, nothing has changed, and the next try writes', async () => {
  const { store, refuse } = gateStore(createMemoryStore({ clock: testClock() }))
  const { load } = setUp(store)
  const directory = await load()
  await directory.join('old@user', 'one@group')
  refuse(new StoreFull('full'))
  await expect(directory.join('me@user', 'dev@group')).rejects.toThrow(StoreFull)
  await expect(directory.join('old@user', 'two@group')).rejects.toThrow(StoreFull)
  expect(directory.has('me@user')).toBe(false)
  expect([directory.members('dev@group'), directory.members('one@group'), directory.members('two@group')]).toEqual([
    [],
    ['old@user'],
    [],
  ])
  refuse(null)
  await directory.join('me@user', 'dev@group')
  expect((await load()).members('dev@group')).toEqual(['me@user'])
})

test("the config's part stays: groups are never left, and forgetting cannot remove it", async () => {
  const { load } = setUp(undefined, [
    { id: 'me@user', groups: ['dev@group', 'ops@group'], connects: true },
    { id: 'hook@user', groups: ['dev@group'], connects: false },
  ])
  const directory = await load()
  expect([directory.connects('me@user'), directory.connects('hook@user')]).toEqual([true, false])
  await directory.join('me@user', 'dev@group')
  await directory.join('me@user', 'other@group')
  expect(directory.members('dev@group')).toEqual(['me@user', 'hook@user'])
  expect(directory.forget('me@user')).toEqual([{ op: 'delete', kind: 'recipient', id: 'me@user' }])
  expect(directory.has('me@user')).toBe(true)
  expect([directory.members('ops@group'), directory.members('other@group')]).toEqual([['me@user'], []])
})

test('devices are remembered in memory at once and in the store by the op handed out', async () => {
  const { store, load } = setUp()
  const directory = await load()
  await store.write([directory.putDevice('me@user', 'my phone', { cursor, confirms: true })], 'lazy')
  await store.write([directory.putDevice('me@user', '', { cursor, confirms: false })], 'lazy')
  for (const each of [directory, await load()]) {
    expect(each.device('me@user', 'my phone')).toEqual({ cursor, confirms: true })
    expect([...each.devices('me@user').keys()].toSorted()).toEqual(['', 'my phone'])
    expect(each.device('me@user', 'other')).toBeNull()
    expect(each.devices('you@user').size).toBe(0)
  }
})

test('what is forgotten is gone after a restart too: group, devices, registrations', async () => {
  const { store, load } = setUp()
  const before = await load()
  await before.join('me@user', 'dev@group')
  await store.write([before.putDevice('me@user', 'phone', { cursor, confirms: false })], 'lazy')
  await before.register('me@user', { channel: 'fcm', device: '', address: { token: 't' } })

  const directory = await load()
  await store.write(directory.forget('me@user'), 'sync')
  for (const each of [directory, await load()]) {
    expect([each.has('me@user'), each.connects('me@user')]).toEqual([false, false])
    expect(each.members('dev@group')).toEqual([])
    expect(each.device('me@user', 'phone')).toBeNull()
  }
  expect((await store.scan('endpoint', { limit: 1 })).items).toEqual([])
})

test('more recipients than one page are all loaded', async () => {
  const { load } = setUp()
  const directory = await load()
  const ids = Array.from({ length: 2_500 }, (_, n) => `r${n}@user`)
  await Promise.all(ids.map((id) => directory.join(id, 'all@group')))
  const again = await load()
  expect(again.members('all@group')).toHaveLength(2_500)
})
