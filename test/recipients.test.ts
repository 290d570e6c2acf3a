import { expect, test } from 'vitest'
import { configOf } from '../server/config.ts'
import { configuredRecipients } from '../server/recipients.ts'

const config = await configOf(
  {
    token: 'a-token-of-16-characters-or-more',
    clients: [
      { name: 'anna', group: 'g1', groups: ['g1', 'g2'] },
      { name: 'both', groups: [] },
      { name: 'both', group: 'null' },
    ],
  },
  {
    webhook: {
      clients: [
        { name: 'both', group: 'g3', url: 'http://127.0.0.1/1' },
        { name: 'hook', group: 'g1', url: 'http://127.0.0.1/2' },
        { name: 'hook', url: 'http://127.0.0.1/3' },
      ],
    },
  },
)

test('every recipient once, with all its groups; only named clients are expected to connect', () => {
  expect(configuredRecipients(config)).toEqual([
    { id: 'system@user', groups: [], connects: true },
    { id: 'anna@user', groups: ['g1@group', 'g2@group'], connects: true },
    { id: 'both@user', groups: ['g3@group'], connects: true },
    { id: 'hook@user', groups: ['g1@group'], connects: false },
  ])
})

test('the endpoints of a recipient stand in the order of the config', () => {
  const hook = config.reaches.find(({ recipient }) => recipient === 'hook@user')
  expect(hook?.platforms).toMatchObject([{ channel: 'webhook', endpoints: [{ name: 'hook' }, { name: 'hook' }] }])
})
