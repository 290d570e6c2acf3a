import { describe, expect, test } from 'vitest'
import { configOf } from '../../server/config.ts'
import { writeTimeoutOf } from '../../server/config/server-section.ts'
import { configFolder, STRONG } from '../helpers/config.ts'

test('the section of PushServer as its README has it', async () => {
  const { file, read } = configFolder()
  file(
    'config.yaml',
    `token: ${STRONG}
http: {verifyToken: true}
server: {port: 8080, host: "0.0.0.0", mode: debug, read_timeout: 30, write_timeout: 30, max_header_bytes: 1048576}
`,
  )
  const { config, warnings } = await read()
  expect(config.http).toMatchObject({ port: 8080, host: '0.0.0.0' })
  expect(config.server).toMatchObject({ mode: 'debug', read_timeout: 30, max_header_bytes: 1_048_576, dialect: '2' })
  expect(warnings).toEqual([])
})

describe('server.host and http.host', () => {
  test('are one setting', async () => {
    const { file, read } = configFolder()
    file('config.yaml', 'server: {host: 127.0.0.1}')
    expect((await read()).config.http.host).toBe('127.0.0.1')
    file('config.yaml', 'server: {host: 127.0.0.1}\nhttp: {host: 127.0.0.1, port: 7}')
    expect((await read()).config.http).toMatchObject({ host: '127.0.0.1', port: 7 })
  })

  test('what stands higher wins', async () => {
    const { file, read } = configFolder()
    file('config.yaml', 'server: {host: 127.0.0.1}')
    expect((await read({ host: '127.0.0.2' })).config.http.host).toBe('127.0.0.2')
    expect((await read({}, { CARILLON_SERVER__HOST: '127.0.0.3' })).config.http.host).toBe('127.0.0.3')
  })

  test('may not differ', async () => {
    const { file, mistakes } = configFolder()
    file('config.yaml', 'server: {host: 127.0.0.1, port: 1}\nhttp: {host: 127.0.0.2, port: 2}')
    expect(await mistakes()).toEqual([
      'server.port and http.port differ: they are one setting, keep one',
      'server.host and http.host differ: they are one setting, keep one',
    ])
  })

  test('also where the values come from a program', async () => {
    const { http } = await configOf({ token: STRONG, server: { host: '127.0.0.1', port: 5 } })
    expect(http).toMatchObject({ host: '127.0.0.1', port: 5 })
    const differ = configOf({ token: STRONG, server: { port: 5 }, http: { port: 6 } })
    await expect(differ).rejects.toThrow('server.port and http.port differ')
  })
})

describe('server.write_timeout', () => {
  test.each([
    [{ write_timeout: 2 }, 5_000, 2_000],
    [{}, 5_000, 30_000],
    [{}, 60_000, 65_000],
  ])('%j where pushes wait %i ms: %i ms', async (keys, waitTimeout, expected) => {
    const { server, http } = await configOf({ token: STRONG, server: keys, http: { waitTimeout } })
    expect(writeTimeoutOf(server, http.waitTimeout)).toBe(expected)
  })

  test('that is no longer than a push waits: a warning, on loopback too', async () => {
    const { file, read } = configFolder()
    file('config.yaml', 'server: {host: 127.0.0.1, write_timeout: 5}')
    expect((await read()).warnings).toEqual([expect.stringMatching(/^server.write_timeout is not longer than/)])
    file('config.yaml', 'server: {host: 127.0.0.1, write_timeout: 6}')
    expect((await read()).warnings).toEqual([])
  })
})

test.each([
  ['server: {mode: fast}', 'server.mode: expected one of "debug"|"release"|"test"'],
  ['server: {dialect: "3"}', 'server.dialect: expected one of "1"|"2"'],
  ['log: {file_path: log/error.log}', 'log.file_path: another file name, please'],
  ['log: {format: xml}', 'log.format: expected one of "json"|"text"'],
])('%s', async (text, expected) => {
  const { file, mistakes } = configFolder()
  file('config.yaml', text)
  expect((await mistakes()).join()).toContain(expected)
})
