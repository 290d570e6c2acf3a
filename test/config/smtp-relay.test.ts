import { expect, test } from 'vitest'
import { configFolder, STRONG } from '../helpers/config.ts'

const RELAY = `
token: ${STRONG}
http: {host: "::1"}
smtp_relay:
  enabled: true
  auth: {username: relay_user, password: "\${env:RELAY_PASS}"}
  accounts:
    - {name: one, host: smtp.example.com, username: u, password: p, from: a@example.com}
    - {host: 127.0.0.1, port: 2526, from: b@example.com, enabled: false, tls: false, timeout: 30}
`

test('it is read, with what is usual where nothing is said', async () => {
  const { file, read } = configFolder()
  file('config.yaml', RELAY)
  const { config } = await read({}, { RELAY_PASS: 'relay_pass' })
  expect(config.smtp_relay).toEqual({
    enabled: true,
    port: 2525,
    auth: { username: 'relay_user', password: 'relay_pass' },
    accounts: [
      {
        name: 'one',
        host: 'smtp.example.com',
        port: 587,
        username: 'u',
        password: 'p',
        from: 'a@example.com',
        enabled: true,
        tls: true,
        timeout: 10,
      },
      {
        host: '127.0.0.1',
        port: 2526,
        username: '',
        password: '',
        from: 'b@example.com',
        enabled: false,
        tls: false,
        timeout: 30,
      },
    ],
  })
})

test('one line says that no mail is relayed, where it is wanted and nowhere else', async () => {
  const { file, read } = configFolder()
  file('config.yaml', RELAY.replaceAll('${env:RELAY_PASS}', 'relay_pass'))
  expect((await read()).warnings).toEqual([
    'smtp_relay.enabled is true, but this version does not relay mail: nothing listens on its port',
  ])
  expect((await read({}, { CARILLON_SMTP_RELAY__ENABLED: 'false' })).warnings).toEqual([])
  file('config.yaml', `token: ${STRONG}\nhttp: {host: "::1"}`)
  expect((await read()).warnings).toEqual([])
})

test('what is wrong in it is named', async () => {
  const { file, mistakes } = configFolder()
  file(
    'config.yaml',
    'smtp_relay: {enabeld: true, accounts: [{host: h, from: nobody}, {host: h, from: a@h, username: u}]}',
  )
  expect(await mistakes()).toEqual([
    expect.stringMatching(/^smtp_relay\.accounts\[0\]\.from: /),
    'smtp_relay.accounts[1].password: there is a username without it',
    'smtp_relay.enabeld: there is no such key; did you mean smtp_relay.enabled?',
  ])
})
