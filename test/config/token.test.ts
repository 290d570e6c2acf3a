import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'
import { configFolder, STRONG } from '../helpers/config.ts'

const CANNOT = 'the header "authorization" cannot carry it'

test.each([
  '密码',
  'pässword',
  'a\nb',
  'a\tb',
  ' hunter2',
  'hunter2 ',
  'a\u0000',
  'Bearer hunter2',
  'bearer hunter2',
  '\u200ba',
])('a token %j is refused at the start, wherever it stands, and is not repeated', async (token) => {
  const { file, mistakes } = configFolder()
  const quoted = JSON.stringify(token)
  file('config.json', `{"token": ${quoted}, "adminToken": ${quoted}, "api": {"token": ${quoted}}}`)
  const lines = await mistakes()
  expect(lines.map((line) => line.split(':')[0])).toEqual(['token', 'adminToken', 'api.token'])
  for (const line of lines) expect(line).toContain(CANNOT)
  expect(lines.join()).not.toContain(token)
})

test('so is one that somebody wrote into the data folder', async () => {
  const { file, read } = configFolder()
  file('data/token', '密码密码密码密码密码\n')
  await expect(read()).rejects.toThrow(CANNOT)
})

test.each(['a', STRONG, 'with spaces inside', 'Bearer', '!#$%&\'*+-.^_`|~:;,/?@[]{}"\\<>=()'])(
  'a token %j is taken, by header as well as by AUTH',
  async (adminToken) => {
    const { file, read } = configFolder()
    file('config.json', JSON.stringify({ token: adminToken }))
    expect((await read()).config.token).toBe(adminToken)
    const hub = await startHub({ config: { adminToken } })
    for (const authorization of [adminToken, `Bearer ${adminToken}`]) {
      expect((await hub.get('/system.send', { authorization })).status).toBe(200)
    }
    const client = await hub.connect()
    client.send('AUTH', { token: adminToken, name: 'system' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
  },
)

test('the one that the hub makes itself is such a token', async () => {
  const { cwd, read } = configFolder()
  const { config } = await read()
  expect(readFileSync(join(cwd, 'data/token'), 'utf8').trim()).toBe(config.token)
  expect((await read()).config.token).toBe(config.token)
})
