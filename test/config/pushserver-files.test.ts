/** The config files of both versions of PushServer, word by word: every key is known, and gets where it acts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ReadConfig } from '../../server/config.ts'
import { configFolder } from '../helpers/config.ts'

const fixtures = join(import.meta.dirname, '../fixtures/pushserver')
const text = (name: string) => readFileSync(join(fixtures, name), 'utf8')

async function readText(yaml: string): Promise<ReadConfig> {
  const { file, read } = configFolder()
  file('config/config.yaml', yaml)
  return read()
}

/** Each way out as `platform: name`, in the order they are tried. */
function waysOf({ config }: ReadConfig, recipient: string): readonly string[] {
  const reach = config.reaches.find((one) => one.recipient === `${recipient}@user`)
  return (reach?.platforms ?? []).flatMap(({ channel, endpoints }) =>
    endpoints.map(({ name }) => `${channel}: ${name}`),
  )
}

const OPEN = ['http.verifyToken', 'api.token']
const NO_RELAY = 'smtp_relay.enabled'
const firstWords = ({ warnings }: ReadConfig) => warnings.map((line) => line.split(' ')[0])

describe('the file of the first version', () => {
  test('every section', async () => {
    const read = await readText(text('first/config.yaml'))
    expect(read.file).toBe('config/config.yaml')
    expect(read.config).toMatchObject({
      http: { port: 8080, host: '0.0.0.0', verifyToken: false },
      server: { mode: 'debug', dialect: '2' },
      log: { level: 'info', format: 'json', output: 'file', file_path: 'log/app.log' },
      queue: {
        worker_count: 50,
        buffer_size: 10_000,
        timeout: 10,
        max_concurrent_per_platform: 20,
        batch_size: 100,
      },
    })
    expect(firstWords(read)).toEqual(OPEN)
  })

  test('every way out, those of the hub itself too', async () => {
    const read = await readText(text('first/config.yaml'))
    expect(waysOf(read, 'ops_alert')).toEqual([
      'feishu: 告警机器人',
      'dingtalk: 告警机器人',
      'wechat: 告警群',
      'email: 管理员邮箱',
      'system: 控制台通知',
      'system: 文件通知',
      'system: HTTP通知',
    ])
    expect(read.config.reaches.find(({ recipient }) => recipient === 'ops_alert@user')?.name).toBe('运维告警组')
    expect(waysOf(read, 'system')).toEqual(['system: 控制台通知', 'system: 文件通知', 'system: HTTP通知'])
  })
})

describe('the file of the second version', () => {
  test('every section', async () => {
    const read = await readText(text('second/config.yaml'))
    expect(read.config).toMatchObject({
      http: { port: 8080, host: '0.0.0.0', verifyToken: false },
      server: { mode: 'debug', read_timeout: 30, write_timeout: 30, max_header_bytes: 1_048_576 },
      log: {
        level: 'info',
        format: 'json',
        output: 'file',
        file_path: 'log/app.log',
        max_size: 100,
        max_backups: 10,
        max_age: 30,
        compress: true,
      },
      queue: {
        worker_count: 50,
        buffer_size: 10_000,
        timeout: 10,
        max_concurrent_per_platform: 20,
        batch_size: 100,
        retry_count: 3,
        retry_delay: 5,
      },
      smtp_relay: {
        enabled: true,
        port: 2525,
        host: '0.0.0.0',
        auth: { username: 'relay_user', password: 'relay_pass' },
        accounts: [
          {
            name: 'Gmail账户1',
            host: 'smtp.gmail.com',
            port: 587,
            from: 'noreply1@example.com',
            tls: true,
            timeout: 30,
          },
          { name: 'QQ邮箱账户', host: 'smtp.qq.com', port: 587, from: 'noreply2@example.com', tls: true, timeout: 30 },
        ],
      },
    })
    expect(firstWords(read)).toEqual([NO_RELAY, ...OPEN])
  })

  test('every way out, with the rounds of the section queue', async () => {
    const read = await readText(text('second/config.yaml'))
    expect(waysOf(read, 'ops_alert')).toEqual([
      'feishu: 主告警机器人',
      'feishu: 备用告警机器人',
      'dingtalk: 主告警机器人',
      'dingtalk: 备用告警机器人',
      'wechat: 告警群',
      'email: 系统管理员, 运维团队',
      'system: 控制台通知',
      'system: 文件通知',
      'system: 系统日志',
      'system: HTTP通知',
    ])
    expect(waysOf(read, 'dev_team')).toEqual(['feishu: 开发群机器人', 'email: 开发负责人'])
    const endpoints = read.config.reaches.flatMap(({ platforms }) => platforms.flatMap((one) => one.endpoints))
    for (const { backoff } of endpoints) expect(backoff).toMatchObject({ firstMs: 5_000, tries: 4 })
  })

  test.each([
    ['console', '控制台通知'],
    ['file', '文件通知'],
    ['syslog', '系统日志'],
    ['http', 'HTTP通知'],
  ])('the notifications that it shows for %s', async (type, name) => {
    expect(waysOf(await readText(text(`second/system-${type}.yaml`)), 'system')).toEqual([`system: ${name}`])
  })
})

test('`enabled: false` takes out a platform, a notification, and the notifications of the hub', async () => {
  const yaml = text('second/config.yaml')
    .replace('wechat:\n        enabled: true', 'wechat:\n        enabled: false')
    .replace('name: "文件通知"\n            enabled: true', 'name: "文件通知"\n            enabled: false')
  const ways = waysOf(await readText(yaml), 'ops_alert')
  expect(ways).not.toContain('wechat: 告警群')
  expect(ways).not.toContain('system: 文件通知')
  expect(ways).toContain('system: 系统日志')
  const off = text('first/config.yaml').replace(/(\nsystem:\n {2}enabled:) true/, '$1 false')
  expect(waysOf(await readText(off), 'system')).toEqual([])
})
