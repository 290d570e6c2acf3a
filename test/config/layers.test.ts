import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configFolder, STRONG } from '../helpers/config.ts'

describe('what wins', () => {
  test('flags over environment over file over defaults', async () => {
    const { file, read } = configFolder()
    file('config.yaml', 'http: {port: 1, host: 127.0.0.1, waitTimeout: 1, maxBody: 1}')
    const env = { CARILLON_HTTP__PORT: '2', CARILLON_HTTP__HOST: '127.0.0.2', CARILLON_HTTP__WAIT_TIMEOUT: '2' }
    const { config } = await read({ port: 3 }, env)
    expect(config.http).toMatchObject({ port: 3, host: '127.0.0.2', waitTimeout: 2, maxBody: 1, maxUrl: 16_384 })
  })

  test.each([
    [{ CARILLON_TOKEN: '12345678901234567' }, { token: '12345678901234567' }],
    [{ CARILLON_HTTP__CORS: 'false' }, { http: { cors: false } }],
    [{ CARILLON_HTTP__WAITTIMEOUT: '7' }, { http: { waitTimeout: 7 } }],
    [{ carillon_http__port: '7' }, { http: { port: 9093 } }],
    [{ CARILLON_EXPIRE: 'null' }, { expire: null }],
    [{ CARILLON_CLIENTS: '[{name: "a", group: "g"}]' }, { clients: [{ name: 'a@user', group: 'g@group' }] }],
    [{ SERVER_PORT: '7' }, { http: { port: 7 } }],
    [{ SERVER_PORT: '' }, { http: { port: 9093 } }],
  ])('%j', async (env, expected) => {
    const { read } = configFolder()
    expect((await read({}, env)).config).toMatchObject(expected)
  })

  test('server.port in the file is http.port, SERVER_PORT wins over both', async () => {
    const { file, read } = configFolder()
    file('config.yaml', 'server: {port: 5}')
    expect((await read()).config.http.port).toBe(5)
    expect((await read({}, { SERVER_PORT: '6' })).config.http.port).toBe(6)
    file('config.yaml', 'http: {port: 5}\nserver: {port: 5}')
    expect((await read()).config.http.port).toBe(5)
  })

  test('an unknown name in the environment', async () => {
    const { read, mistakes } = configFolder()
    expect(await mistakes({}, { CARILLON_HTTP__PROT: '1' })).toEqual([
      'CARILLON_HTTP__PROT: http.prot: there is no such key; did you mean http.port?',
    ])
    // set by orchestrators for a service of this name
    expect((await read({}, { CARILLON_PORT: 'tcp://10.0.0.1:9093' })).warnings).toEqual([
      'CARILLON_PORT in the environment is not a key of the config and is ignored',
    ])
  })
})

describe('secrets that stand elsewhere', () => {
  test('from the environment and from files', async () => {
    const { cwd, file, read } = configFolder()
    file('secret', `${STRONG}\n`)
    file('config.yaml', `token: "\${file:${join(cwd, 'secret')}}"\nfcm: {apiKey: "a-\${env:KEY}-b"}`)
    const { config } = await read({}, { KEY: 'k' })
    expect(config.token).toBe(STRONG)
    expect(config.fcm.apiKey).toBe('a-k-b')
  })
})
