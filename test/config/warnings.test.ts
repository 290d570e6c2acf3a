import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configFolder, STRONG } from '../helpers/config.ts'

describe('warnings', () => {
  test.each([
    ['a weak token', 'token: test', ['token', 'http.verifyToken', 'api.token']],
    ['a short token', 'token: 123456789012345a', ['http.verifyToken', 'api.token']],
    [
      'open sessions',
      `token: ${STRONG}\nhttp: {verifyToken: true}\nwebsocket: {verifyToken: false}`,
      ['websocket.verifyToken'],
    ],
    ['a weak admin token', `token: ${STRONG}\nadminToken: test\nhttp: {verifyToken: true}`, ['adminToken']],
    ['an open API that a token of its own closes', `token: ${STRONG}\napi: {token: ${STRONG}}`, ['http.verifyToken']],
    ['a weak token of the API', `token: ${STRONG}\nhttp: {verifyToken: true}\napi: {token: test}`, ['api.token']],
    ['nothing on loopback', 'token: test\nhttp: {host: 127.0.0.1}', []],
    [
      'weakness on loopback behind a proxy',
      'token: test\nhttp: {host: 127.0.0.1}\ntrustProxy: ["127.0.0.1"]',
      ['token', 'http.verifyToken', 'api.token'],
    ],
    ['nothing on loopback by name', 'token: test\nhttp: {host: localhost}', []],
    ['the old key of Web Push', 'http: {host: "::1"}\nwebpush: {serverKey: k}', ['webpush.serverKey']],
    ['an empty key of Web Push', 'http: {host: "::1"}\nwebpush: {serverKey: ""}', []],
  ])('%s', async (_, text, expected) => {
    const { file, read } = configFolder()
    file('config.yaml', text)
    expect((await read()).warnings.map((line) => line.split(' ')[0])).toEqual(expected)
  })

  test('webhooks get the hub token unless they have a secret', async () => {
    const { file, read } = configFolder()
    file(
      'config.yaml',
      'http: {host: "::1"}\nwebhook: {clients: [{name: a, url: "http://h/"}, {name: b, url: "http://h/", secret: s}]}',
    )
    const { warnings } = await read()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^webhook: the hub token is sent .* to a;/)
  })

  test.skipIf(process.platform === 'win32')('a file that others can read', async () => {
    const { cwd, file, read } = configFolder()
    file('config.yaml', 'http: {host: "::1"}')
    chmodSync(join(cwd, 'config.yaml'), 0o640)
    expect((await read()).warnings).toEqual([
      'config.yaml can be read by other users of this machine: chmod 600 config.yaml',
    ])
  })
})
