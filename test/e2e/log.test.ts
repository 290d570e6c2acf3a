/** Where the built program writes: its log, and what nothing could deliver. */
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closedPort } from '../helpers/receiver.ts'
import { type HubProcess, type HubSpawn, spawnHub } from '../helpers/process.ts'
import { runShell } from '../helpers/shell.ts'

let cwd = ''
const spawned: HubSpawn[] = []
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'carillon-log-'))
})
afterEach(async () => {
  for (const { child } of spawned.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(cwd, { recursive: true })
})

function start(config: string): HubSpawn {
  writeFileSync(join(cwd, 'config.yaml'), `http: {host: 127.0.0.1, port: 0}\n${config}`, { mode: 0o600 })
  const hub = spawnHub([], {}, undefined, cwd)
  hub.listening.catch(() => {})
  spawned.push(hub)
  return hub
}

function read(name: string): string {
  return existsSync(join(cwd, name)) ? readFileSync(join(cwd, name), 'utf8') : ''
}

/** Another process does it in its own time. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5)
}

/** The config of a recipient whose only robot is not there. */
async function lostCause(): Promise<string> {
  const url = `http://127.0.0.1:${await closedPort()}/hook`
  return `queue: {retry_count: 0}\nrecipients: {ops: {platforms: {webhook: {webhooks: [{url: "${url}"}]}}}}\n`
}

function push(hub: Pick<HubProcess, 'url'>): Promise<Response> {
  return fetch(`${hub.url}/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      recipient_alias: 'ops',
      type: 'error',
      strategy: 'failover',
      style: 'text',
      content: { title: '数据库告警', msg: '连接数超过阈值' },
    }),
  })
}

test('file: nothing on stdout, all of it in the file when the hub has stopped', async () => {
  const { child, output } = start('log: {output: file}')
  await until(() => output().includes('the log is in log/app.log'))
  expect(output()).toMatch(/^carillon: listening on http:\/\/127\.0\.0\.1:\d+, the log is in log\/app\.log\n$/)
  child.kill('SIGTERM')
  await once(child, 'exit')
  const messages = read('log/app.log')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg)
  expect(messages).toEqual(expect.arrayContaining(['the config was read', 'listening', 'stopping']))
  expect(messages.at(-1)).toBe('stopped')
  expect(read('log/info.log')).toContain('"msg":"stopped"')
})

test('a signal HUP opens the files anew and stops nothing', async () => {
  const { child, listening } = start('log: {output: both}')
  const { url } = await listening
  await until(() => read('log/app.log').includes('listening'))
  renameSync(join(cwd, 'log/app.log'), join(cwd, 'log/app.log.1'))
  child.kill('SIGHUP')
  await until(() => existsSync(join(cwd, 'log/app.log')))
  expect((await fetch(`${url}/health`)).status).toBe(200)
})

test('every key acts: where, what, how long, how many, how packed, and for whom', async () => {
  mkdirSync(join(cwd, 'logs'))
  chmodSync(join(cwd, 'logs'), 0o2750)
  const old = ['hub.log.2020-01-01T00-00-00.000Z', 'error.log.2020-01-01T00-00-00.000Z.gz']
  for (const name of old) writeFileSync(join(cwd, 'logs', name), 'old')
  const keys = 'output: both, file_path: logs/hub.log, max_size: 0.001, max_backups: 2, max_age: 9, compress: true'
  // a line for each request
  const { child, listening } = start(`server: {mode: debug}\nlog: {level: info, format: json, ${keys}}\n`)
  const { url } = await listening
  const packed = () => readdirSync(join(cwd, 'logs')).filter((name) => /^hub\.log\..*\.gz$/.test(name))
  const isTidy = () => packed().length === 2 && old.every((name) => !existsSync(join(cwd, 'logs', name)))
  for (let requests = 0; requests < 40 || !isTidy(); requests += 1) await fetch(`${url}/health`)
  child.kill('SIGTERM')
  await once(child, 'exit')

  const [newest = ''] = packed().toReversed()
  const lines = gunzipSync(readFileSync(join(cwd, 'logs', newest)))
    .toString()
    .trimEnd()
    .split('\n')
  expect(lines.join('\n').length).toBeGreaterThan(0.001 * 1024 * 1024)
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({
      level: expect.stringMatching(/^(info|warn)$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      msg: expect.any(String),
    })
  }
  for (const name of ['hub.log', 'info.log', 'error.log', 'debug.log', newest]) {
    expect([name, statSync(join(cwd, 'logs', name)).mode & 0o777]).toEqual([name, 0o640])
  }
  expect(existsSync(join(cwd, 'log'))).toBe(false)
})

test('format, level and output: text lines of that level and above, in the file alone', async () => {
  const { child, output } = start('log: {output: file, format: text, level: error}\n')
  await until(() => output().includes('the log is in log/app.log'))
  child.kill('SIGTERM')
  await once(child, 'exit')
  expect(read('log/app.log')).toBe('')
  expect(statSync(join(cwd, 'log/app.log')).mode & 0o777).toBe(0o600)

  const second = start('log: {output: file, format: text, level: info, compress: false}\n')
  await until(() => second.output().includes('the log is in log/app.log'))
  second.child.kill('SIGTERM')
  await once(second.child, 'exit')
  expect(read('log/app.log')).toMatch(/^time=\S+Z level=info msg="the config was read" file=\S+\n/)
})

test('a log that cannot be written: what to change, and exit 1', async () => {
  writeFileSync(join(cwd, 'log'), '')
  const { child, output } = start('log: {output: file}')
  expect(await once(child, 'close')).toEqual([1, null])
  expect(output()).toMatch(/^carillon: log\/app\.log cannot be written \(E\w+\): change log\.file_path, or who may/)
})

describe('what nothing could deliver', () => {
  test('is logged unless told, and a script that counts errors in log/app.log finds them', async () => {
    const { listening } = start(`log: {output: both}\n${await lostCause()}`)
    expect((await push(await listening)).status).toBe(200)
    await until(() => read('log/error.log').includes('系统通知'))
    const [failed = '', notice = ''] = read('log/error.log').trimEnd().split('\n')
    expect(JSON.parse(failed)).toMatchObject({
      level: 'error',
      msg: '消息推送失败',
      platform: 'webhook',
      recipient: 'ops',
    })
    expect(JSON.parse(notice)).toMatchObject({
      level: 'error',
      msg: '系统通知',
      title: '数据库告警',
      message: '连接数超过阈值',
      reason: '所有推送渠道都失败',
    })
    const counted = await runShell(`grep -c '"level":"error"' log/app.log`, { cwd })
    expect(counted.trim()).toBe('2')
  })

  test('goes where the section system says', async () => {
    const section = 'system: {notifications: [{type: console}, {type: file}, {type: http}]}\n'
    const { listening, output } = start(section + (await lostCause()))
    await push(await listening)
    const names = () => (existsSync(join(cwd, 'notifications')) ? readdirSync(join(cwd, 'notifications')) : [])
    await until(() => names().length > 0 && output().includes('时间 Time:'))
    expect(names()[0]).toMatch(/^system_notify_\d{8}_\d{6}\.txt$/)
    const sheet = read(`notifications/${names()[0]}`)
    expect(sheet).toContain('标题 Title: 数据库告警')
    expect(sheet).toContain('接收者 Recipient: ops')
    expect(output()).toContain(sheet)
  })

  test('a terminal that is gone ends nothing', async () => {
    mkdirSync(join(cwd, 'n'))
    const section = 'system: {notifications: [{type: console}, {type: file, path: n}]}\n'
    const { child, listening } = start(section + (await lostCause()))
    const hub = await listening
    child.stdout?.destroy()
    await push(hub)
    await until(() => readdirSync(join(cwd, 'n')).length > 0)
    await push(hub)
    await until(() => readdirSync(join(cwd, 'n')).length > 1)
    expect((await fetch(`${hub.url}/health`)).status).toBe(200)
    expect(child.exitCode).toBeNull()
  })
})
