import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reportOf } from '../../server/cli/config-check.ts'
import { readConfig } from '../../server/config.ts'
import { configFolder, STRONG } from '../helpers/config.ts'

const SECRET = 'whsec_aHVzaC1odXNoLWh1c2g='

test('the file, warnings, and every recipient with the names of its endpoints', async () => {
  const { file, read } = configFolder()
  const hooks = `[{name: Jobs, url: "https://h.test/${STRONG}", secret: ${SECRET}}, {url: "https://u:${STRONG}@second.test/"}]`
  file(
    'my.yaml',
    `token: ${STRONG}
http: {host: 127.0.0.1}
recipients:
  ops: {name: Operations, group: it, strategy: failover, platforms: {webhook: {webhooks: ${hooks}}}}
  night: {}
webhook: {clients: [{name: wh, url: "https://h.test/in"}]}
`,
  )
  const report = reportOf(await read({ config: 'my.yaml' }))
  expect(report.split('\n')).toEqual([
    'ok: my.yaml',
    'warning: webhook: the hub token is sent in the header authorization to wh; give a secret to sign instead',
    'system',
    '  system: syslog',
    'wh',
    '  webhook: wh',
    'ops: Operations, in it@group, by failover',
    '  webhook: Jobs, second.test',
    'night',
    '  no platform',
  ])
  expect(report).not.toMatch(new RegExp(`${STRONG}|${SECRET}`))
})

test('without a file', async () => {
  const { read } = configFolder()
  expect(reportOf(await read()).split('\n')).toEqual([
    'ok: no config file, only defaults, environment and flags',
    'system',
    '  system: syslog',
  ])
})

test('where no token was made yet, none is made and none is called weak', async () => {
  const { cwd } = configFolder()
  const data = join(cwd, 'data')
  const look = () => readConfig({ flags: { data, host: '0.0.0.0' }, env: {}, cwd, readOnly: true })
  expect(await look()).toMatchObject({ kept: null, config: { token: '' } })
  expect(reportOf(await look())).not.toContain('token is weak')
  expect(existsSync(data)).toBe(false)

  const { token } = (await readConfig({ flags: { data }, env: {}, cwd })).config
  expect((await look()).config.token).toBe(token)
})
