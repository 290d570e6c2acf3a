import { expect, test } from 'vitest'
import { createGroups } from '../../server/directory/groups.ts'

test('members are listed once, in the order of joining', () => {
  const groups = createGroups()
  for (const member of ['b@user', 'a@user', 'b@user']) groups.add('dev@group', member)
  expect(groups.members('dev@group')).toEqual(['b@user', 'a@user'])
  expect(groups.members('other@group')).toEqual([])
})

test('a list that was handed out never changes', () => {
  const groups = createGroups()
  groups.add('dev@group', 'a@user')
  const before = groups.members('dev@group')
  groups.add('dev@group', 'b@user')
  groups.remove('dev@group', 'a@user')
  expect(before).toEqual(['a@user'])
  expect(Object.isFrozen(before)).toBe(true)
  expect(groups.members('dev@group')).toEqual(['b@user'])
})

test('an unchanged group is listed once for all pushes', () => {
  const groups = createGroups()
  groups.add('dev@group', 'a@user')
  expect(groups.members('dev@group')).toBe(groups.members('dev@group'))
})

test('who is no member is no trouble to remove', () => {
  const groups = createGroups()
  groups.remove('dev@group', 'a@user')
  groups.add('dev@group', 'a@user')
  groups.remove('dev@group', 'b@user')
  expect(groups.members('dev@group')).toEqual(['a@user'])
})
