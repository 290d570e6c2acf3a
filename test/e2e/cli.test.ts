/** The built program's commands beside `serve`, as an operator types them. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startProcess } from '../helpers/process.ts'
import { type Receiver, startReceiver, status } from '../helpers/receiver.ts'

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'dist/server/main.js')
let cwd = ''
let receiver: Receiver

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'carillon-cli-'))
  receiver = await startReceiver()
  writeFileSync(
    join(cwd, 'config.yaml'),
    `token: a-token-of-16-characters-or-more
http: {host: 127.0.0.1, port: 0}
recipients:
  ops: {platforms: {webhook: {webhooks: [{name: Jobs, url: "${receiver.url}/jobs"}]}}}
`,
    { mode: 0o600 },
  )
})
afterEach(async () => {
  await receiver.close()
  rmSync(cwd, { recursive: true })
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, program = bin): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd, env: { ...process.env, ...env } }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

describe('config check', () => {
  test('names the file, the recipients and their endpoints, and makes nothing', async () => {
    expect(await run(['config', 'check'])).toEqual({
      code: 0,
      out: 'ok: config.yaml\nsystem\n  system: syslog\nops\n  webhook: Jobs\n',
      err: '',
    })
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  test('without a token none is made', async () => {
    writeFileSync(join(cwd, 'bare.yaml'), 'http: {verifyToken: true}', { mode: 0o600 })
    expect(await run(['config', 'check', '--config', 'bare.yaml'])).toEqual({
      code: 0,
      out: 'ok: bare.yaml\nsystem\n  system: syslog\n',
      err: '',
    })
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  test('tells every mistake', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'http: {prot: 1}\nrecipients: {ops: {platforms: {webhok: {}}}}\n')
    expect(await run(['config', 'check', '--config', 'bad.yaml'])).toEqual({
      code: 1,
      out: '',
      err: [
        'carillon: the config has 2 mistakes (bad.yaml):',
        '  http.prot: there is no such key; did you mean http.port?',
        '  recipients.ops.platforms.webhok: there is no such key; did you mean recipients.ops.platforms.webhook?',
        '',
      ].join('\n'),
    })
  })
})

describe('channel test', () => {
  test('works while a hub runs on the same folder', async () => {
    const hub = await startProcess([], {}, cwd)
    expect(await run(['channel', 'test', 'ops'])).toEqual({
      code: 0,
      out: 'ops / webhook / Jobs: delivered\n',
      err: '',
    })
    expect(receiver.requests).toMatchObject([{ method: 'POST', url: '/jobs' }])
    expect(await hub.stop()).toBe(0)
  })

  test('ends with 1 when something was not taken', async () => {
    receiver.answer = status(410)
    expect(await run(['channel', 'test', 'webhook', '--platform', 'webhook'])).toEqual({
      code: 1,
      out: 'ops / webhook / Jobs: failed: HTTP 410\n',
      err: '',
    })
  })

  test('ends with 2 for a name that nobody has, and lists those there are', async () => {
    expect(await run(['channel', 'test', 'opps'])).toEqual({
      code: 2,
      out: '',
      err: 'carillon: nobody is reached by the name opps; recipients: system, ops; channels: system, webhook\n',
    })
    expect(receiver.requests).toEqual([])
  })

  test('ends with 2 when it is called wrongly, with 1 for a config with mistakes', async () => {
    expect(await run(['channel', 'test'])).toMatchObject({ code: 2, out: '' })
    expect(await run(['channel', 'test', 'ops'], { CARILLON_HTTP__PORT: 'x' })).toMatchObject({ code: 1, out: '' })
  })
})

describe('the program that the package installs', () => {
  test('is named carillon and finds its way through a link', async () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ bin: { carillon: 'dist/server/main.js' } })
    expect(readFileSync(bin, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node')
    symlinkSync(bin, join(cwd, 'carillon'))
    expect(await run(['--version'], {}, join(cwd, 'carillon'))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })
})
