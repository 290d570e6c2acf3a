import { expect, test } from 'vitest'
import { type Caller, may, type Verb } from '../../server/directory/access.ts'

const me: Caller = { kind: 'client', id: 'me@user' }
const hub: Caller = { kind: 'hub' }
const anyone: Caller = { kind: 'anyone' }
const admin: Caller = { kind: 'admin' }

test.each<[Caller, Verb, string, boolean]>([
  [anyone, 'push', 'me@user', true],
  [anyone, 'connect', 'me@user', true],
  [anyone, 'act-as', 'me@user', false],
  [anyone, 'push', 'system@user', false],
  [hub, 'push', 'dev@group', true],
  [hub, 'connect', 'me@user', true],
  [hub, 'connect', 'system@user', false],
  [hub, 'act-as', 'me@user', false],
  [me, 'push', 'you@user', true],
  [me, 'push', 'system@user', false],
  [me, 'act-as', 'me@user', true],
  [me, 'act-as', 'you@user', false],
  [me, 'connect', 'me@user', false],
  [admin, 'push', 'system@user', true],
  [admin, 'connect', 'system@user', true],
  [admin, 'act-as', 'me@user', true],
])('%j %s %s: %s', (caller, verb, target, allowed) => {
  expect(may(caller, verb, target)).toBe(allowed)
})
