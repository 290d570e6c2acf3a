/** The built program's commands beside `serve`, as an operator types them. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { spawnHub, startProcess } from '../helpers/process.ts'
import { carillon, type Ended, runProgram } from '../helpers/program.ts'
import { type Receiver, startReceiver, status } from '../helpers/receiver.ts'

const root = join(import.meta.dirname, '../..')
const main = join(root, 'dist/server/main.js')
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

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, program = carillon): Promise<Ended> {
  return runProgram(args, { cwd, env, program })
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

test('config check --json', async () => {
  const { code, out } = await run(['config', 'check', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    ok: true,
    file: 'config.yaml',
    recipients: [{ recipient: 'system' }, { recipient: 'ops', groups: [], platforms: { webhook: ['Jobs'] } }],
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
      err:
        'carillon: nobody is reached by the name opps; recipients: system, ops; channels: system, webhook\n' +
        'See carillon channel test --help\n',
    })
    expect(receiver.requests).toEqual([])
  })

  test('ends with 1 for a config with mistakes', async () => {
    expect(await run(['channel', 'test', 'ops'], { CARILLON_HTTP__PORT: 'x' })).toMatchObject({ code: 1, out: '' })
  })

  test('--json is an object for each endpoint, what the other side wrote in its detail', async () => {
    receiver.answer = status(410)
    const { code, out } = await run(['channel', 'test', 'ops', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual({
      recipient: 'ops',
      channel: 'webhook',
      endpoint: 'Jobs',
      outcome: 'failed',
      detail: 'HTTP 410',
    })
  })
})

describe('config doc', () => {
  test('a key, in both languages', async () => {
    expect(await run(['config', 'doc', 'http.waitTimeout'])).toEqual({
      code: 0,
      out: expect.stringMatching(
        /^http.waitTimeout\n {4}whole number, default 5000, CARILLON_HTTP__WAIT_TIMEOUT\n {4}\S/,
      ),
      err: '',
    })
    expect((await run(['config', 'doc', 'http.waitTimeout', '--zh'])).out).toMatch(/默认 5000.*\n.*\p{Script=Han}/u)
  })

  test('a place that holds a name, and all below it', async () => {
    const { out } = await run(['config', 'doc', 'recipients.ops.platforms.webhook'])
    expect(out).toContain('\nrecipients.<name>.platforms.webhook.webhooks[].url\n    text, required\n')
    expect(out).not.toContain('feishu')
  })

  test('every key that the page has', async () => {
    const page = readFileSync(join(root, 'config/README.md'), 'utf8')
    const inPage = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key)
    const { out } = await run(['config', 'doc', '--json'])
    const keys = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { key: string }).key)
    expect(inPage.length).toBeGreaterThan(100)
    expect(keys).toEqual(expect.arrayContaining(inPage))
  })

  test('an unknown key is answered with the nearest', async () => {
    expect(await run(['config', 'doc', 'http.wiatTimeout'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('there is no key http.wiatTimeout; did you mean http.waitTimeout?'),
    })
  })
})

describe('the program', () => {
  const commands = [
    'serve',
    'send NAME [TEXT]',
    'listen NAME',
    'config check',
    'config doc [KEY]',
    'store check',
    'store repair',
    'store backup DIR',
    'store restore DIR',
    'channel test NAME',
    'completion bash|zsh|fish',
  ]

  test('lists the commands', async () => {
    for (const { code, out, err } of await Promise.all([['--help'], ['-h'], ['help']].map((args) => run(args)))) {
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out.split('\n').map((line) => line.split('  ')[0])).toEqual(
        expect.arrayContaining(commands.map((usage) => `carillon ${usage}`)),
      )
    }
  })

  test('tells of a command and does nothing', async () => {
    const lines = [
      ['send', '--help'],
      ['help', 'send'],
      ['send', 'me', 'x', '-help'],
    ]
    for (const { code, out } of await Promise.all(lines.map((args) => run(args)))) {
      expect(code).toBe(0)
      expect(out).toMatch(/^carillon send NAME \[TEXT\] \[options\]\n/)
      expect(out).toMatch(/^ {2}--wait\[=SECONDS\] {2}\S/m)
    }
  })

  test('tells of a family of commands', async () => {
    const { out } = await run(['config', '--help'])
    expect(out).toMatch(/^carillon config check .*\ncarillon config doc /)
    expect(out).not.toContain('carillon send')
  })

  test('refuses what it does not know, with the nearest that it knows, and ends with 2', async () => {
    const lines: [string[], string, string][] = [
      [['sned', 'me', 'hello'], 'there is no command sned; did you mean send?', 'See carillon --help'],
      [['config', 'chekc'], 'there is no command config chekc; did you mean config check?', 'See carillon --help'],
      [['config'], 'there is no command config; there are: config check, config doc', 'See carillon --help'],
      [['dance', '--help'], 'there is no command dance; there are: serve, send,', 'See carillon --help'],
      [['send', 'me', '--wiat'], 'send has no option --wiat; did you mean --wait?', 'See carillon send --help'],
      [['--prot', '1'], 'serve has no option --prot; did you mean --port?', 'its options; see carillon --help'],
      [['--config', 'a', 'config'], 'there is one argument too many: config', 'its options; see carillon --help'],
    ]
    const ended = await Promise.all(lines.map(([args]) => run(args)))
    for (const [at, { code, out, err }] of ended.entries()) {
      const [, text = '', hint = ''] = lines[at] ?? []
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(`carillon: ${text}`)
      expect(err).toContain(`${hint}\n`)
    }
  })

  test('without a command it is the hub', async () => {
    const hub = await spawnHub([], {}, [carillon], cwd).listening
    expect((await fetch(`${hub.url}/health`)).status).toBe(200)
    expect(await hub.stop()).toBe(0)
  })

  test('ends with 1, without a word, when nobody reads what it prints', async () => {
    const line = `{ node '${carillon}' config doc; echo "ended with $?" >&2; } | head -c 0`
    const { stderr } = await promisify(execFile)('sh', ['-c', line])
    expect(stderr).toBe('ended with 1\n')
  })
})

describe('the program that the package installs', () => {
  test('is named carillon and finds its way through a link', async () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ bin: { carillon: relative(root, carillon) } })
    expect(readFileSync(carillon, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node')
    symlinkSync(carillon, join(cwd, 'carillon'))
    expect(await run(['--version'], {}, join(cwd, 'carillon'))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  test('the server alone knows no other command, and says where they are', async () => {
    expect(await run(['config', 'check'], {}, main)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('there is no command config here; this program only runs the hub'),
    })
  })
})
