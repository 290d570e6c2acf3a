/** The config files of PushServer in front of the built hub: what they ask for happens. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { status } from '../helpers/receiver.ts'
import { isApart } from './pushserver/network.ts'
import { type Edition, fixture, isEnded, setStage, type Stage } from './pushserver/stage.ts'
import { gotBy } from './pushserver/vendors.ts'

const RULE = '='.repeat(64)
const BIG_HEADER = 'x'.repeat(100_000)
const editions: readonly Edition[] = ['first', 'second']

const lineSchema = z.looseObject({ level: z.string(), time: z.iso.datetime(), msg: z.string() })
type Line = z.infer<typeof lineSchema>

function linesOf(stage: Stage, name: string): readonly Line[] {
  const lines = stage.file(`log/${name}`).split('\n')
  return lines.filter((line) => line !== '').map((line) => lineSchema.parse(JSON.parse(line)))
}

const messagesOf = (lines: readonly Line[], level: string) =>
  lines.filter((line) => line.level === level).map(({ msg }) => msg)

/** A push that nobody takes, once all there is to tell of it is told. */
async function failed(stage: Stage): Promise<string> {
  stage.vendors.refuse()
  const id = await stage.push('push-failover.json')
  await stage.task(id, isEnded)
  await stage.vendors.watch.received(1)
  return id
}

describe.each(editions)('the file of the %s version', (edition) => {
  test('starts a hub that says where it is and where its log is, and nothing else', async () => {
    const stage = await setStage(edition)
    const hub = await stage.start()
    expect(await stage.api('/health')).toMatchObject({ code: 200, status: 'ok' })
    await hub.stop()
    expect(await hub.ended).toBe(0)
    const url = `http://${stage.written.replace('localhost', '127.0.0.1')}`
    expect(hub.output()).toBe(`carillon: listening on ${url}, the log is in log/app.log\n`)

    const lines = linesOf(stage, 'app.log')
    const relay = 'smtp_relay.enabled is true, but this version does not relay mail: nothing listens on its port'
    const warnings = messagesOf(lines, 'warn')
    expect(warnings.filter((line) => line.startsWith('smtp_relay'))).toEqual(edition === 'second' ? [relay] : [])
    expect(warnings.filter((line) => !/^(smtp_relay|http\.verifyToken|api\.token)\b/.test(line))).toEqual([])
    expect(messagesOf(lines, 'error')).toEqual([])
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'the config was read', file: 'config/config.yaml' }))
    expect(readdirSync(join(stage.cwd, 'log')).toSorted()).toEqual(['app.log', 'debug.log', 'error.log', 'info.log'])
    // mode: debug
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'request', method: 'GET', path: '/health', status: 200 }),
    )
  })

  test('a push that nobody takes is told in all the ways that it names', async () => {
    const stage = await setStage(edition)
    const hub = await stage.start()
    const id = await failed(stage)
    await hub.printed(new RegExp(`^${RULE}\\n[^]*^${RULE}$`, 'm'))

    const { data } = await stage.api('/api/v1/notifications')
    const [notice] = z.array(z.looseObject({ title: z.string() })).parse(data['notifications'])
    expect(notice).toMatchObject({ task_id: id, type: 'warning', strategy: 'failover', status: 'unread' })
    const [request] = stage.vendors.watch.requests
    expect(JSON.parse(request?.body ?? '')).toEqual(notice)
    const [way, token] = {
      first: ['/webhook/system-notify', undefined],
      second: ['/webhook/system-notify', 'Bearer your-token'],
    }[edition]
    expect(request).toMatchObject({ method: 'POST', url: way })
    expect(request?.headers['authorization']).toBe(token)

    const folder = join(stage.cwd, 'notifications')
    const names = () => (existsSync(folder) ? readdirSync(folder) : [])
    await stage.until(() => names().length > 0)
    expect(names()).toEqual([expect.stringMatching(/^system_notify_\d{8}_\d{6}\.txt$/)])
    const sheet = await stage.shell('ls -t notifications/ | head -5 | xargs -I {} cat notifications/{}')
    expect(sheet).toContain(notice?.title)
    expect(sheet).toContain(id)
    expect(hub.output()).toContain(sheet)
    await hub.stop()
    expect(linesOf(stage, 'app.log').some(({ msg }) => msg === '系统通知')).toBe(edition === 'second')
  })
})

test('the log has the documented words and keys, each level in its file, too', async () => {
  const stage = await setStage('second')
  const hub = await stage.start()
  stage.vendors.dingtalk.says('no')
  await stage.task(await stage.push('push-all.json'), isEnded)
  await hub.stop()
  const lines = linesOf(stage, 'app.log')
  const pushed = (platform: string) => lines.filter((line) => line['platform'] === platform)
  const said = (level: string, msg: string, more: object = {}) =>
    expect.objectContaining({ level, msg, recipient: 'ops_alert', ...more })

  expect(pushed('feishu')).toEqual(Array(2).fill(said('info', '消息推送成功')))
  expect(pushed('wechat')).toEqual([said('info', '消息推送成功')])
  expect(pushed('email')).toEqual([said('info', '邮件发送成功')])
  expect(pushed('dingtalk')).toEqual(
    Array(2).fill(said('error', '消息推送失败', { error: expect.stringContaining('token is not exist') })),
  )
  for (const level of ['error', 'info', 'debug']) {
    expect(linesOf(stage, `${level}.log`)).toEqual(lines.filter((line) => line.level === level))
  }
  // no key of a robot is in it, and no password
  expect(stage.file('log/app.log')).not.toMatch(/hook\/(xxx|yyy)|access_token|your-(secret|password)|SEC\.\.\./)
})

test('what it takes of headers is what the file says', async () => {
  const [small, large] = await Promise.all(editions.map((edition) => setStage(edition)))
  const statusOf = async (stage: Stage | undefined) => {
    await stage?.start()
    return (await stage?.request('/health', { headers: { 'x-big': BIG_HEADER } }))?.status
  }
  expect(await statusOf(small)).toBe(431)
  expect(await statusOf(large)).toBe(200)
})

test.each(['release', 'test'])('mode %s: no request is logged', async (mode) => {
  const stage = await setStage('second', { edit: (text) => text.replace('mode: "debug"', `mode: "${mode}"`) })
  const hub = await stage.start()
  await stage.api('/health')
  await hub.stop()
  expect(messagesOf(linesOf(stage, 'app.log'), 'info')).toEqual([
    'the config was read',
    'listening',
    'stopping',
    'stopped',
  ])
})

test('as the unit of systemd starts it: -config FILE, the folders elsewhere', async () => {
  const place = 'etc/pushserver/config.yaml'
  const stage = await setStage('second', { place, edit: (text) => text.replace('"log/app.log"', '"var/log/app.log"') })
  const hub = await stage.start({ args: ['-config', join(stage.cwd, place)] })
  expect(await stage.api('/health')).toMatchObject({ code: 200 })
  await hub.stop()
  expect(stage.file('var/log/app.log')).toContain(`"file":"${join(stage.cwd, place)}"`)
})

test('SERVER_PORT, as a compose file sets it, wins over the port of the file', async ({ skip }) => {
  skip(!isApart, 'ports of its own are needed, and no network of its own can be made here')
  const stage = await setStage('second')
  const hub = await stage.start({ env: { SERVER_PORT: '8081' } })
  expect(hub.output()).toContain('listening on http://127.0.0.1:8081')
  const port = await stage.network.lead(8081)
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
})

test('a port in use: which key to change, and exit 1', async ({ skip }) => {
  skip(!isApart, 'the port of the file is needed, and no network of its own can be made here')
  const stage = await setStage('second')
  await stage.start()
  await expect(stage.start({ args: ['--data', 'other'] })).rejects.toThrow(
    /carillon: port 8080 of 0\.0\.0\.0 is in use: choose another with http\.port/,
  )
})

test.each([
  ['first', 'your-app-password', 'admin@example.com'],
  ['second', 'your-password', 'admin@example.com,ops@example.com'],
] as const)(
  'mail of the %s version: one for all, over TLS, with the account of the file',
  async (edition, password, to) => {
    const account = { username: 'your-email@gmail.com', password }
    const stage = await setStage(edition, { mail: { account } })
    await stage.start()
    const id = await stage.push(
      '{"recipient_alias":"ops_alert","type":"info","platform":"email","style":"text","content":{"title":"标题","msg":"正文"}}',
    )
    expect(await stage.task(id, isEnded)).toMatchObject({ status: 'completed', strategy: 'platform' })
    expect(stage.vendors.mail.mails).toMatchObject([
      { from: 'noreply@example.com', to: to.split(','), user: account.username, secure: true, text: '正文' },
    ])
  },
)

test('the bodies that the second version shows reach whom they name', async () => {
  const stage = await setStage('second')
  await stage.start()
  const seen = async (body: string) => {
    const before = gotBy(stage.vendors)
    expect((await stage.task(await stage.push(body), isEnded)).status).toBe('completed')
    const now = Object.entries(gotBy(stage.vendors))
    return now.map(([name, got]) => got.slice(before[name]?.length).toSorted().join(' '))
  }
  const both = 'xxx yyy'
  const mailed = 'admin@example.com,ops@example.com'
  expect(await seen('push-all.json')).toEqual([both, both, 'xxx', mailed])
  expect(await seen('push-failover.json')).toEqual(['xxx', '', '', ''])
  expect(await seen('push-webhook_failover.json')).toEqual(['dev', '', '', 'dev-lead@example.com'])
  expect(await seen('push-mixed.json')).toEqual([both, '', '', ''])
  expect(await seen('push-platform.json')).toEqual(['xxx', '', '', ''])
})

test('as many rounds as the file asks for, then the last line of defence', async () => {
  const edit = (text: string) =>
    text
      .replace('retry_count: 3', 'retry_count: 2')
      .replace('retry_delay: 5', 'retry_delay: 0.1')
      .replaceAll(/smtp:(\s+host: .*\s+port:) \d+/g, 'smtp:$1 1')
  const stage = await setStage('second', { edit })
  await stage.start()
  const { feishu, dingtalk, wechat, watch } = stage.vendors
  for (const robot of [feishu, dingtalk, wechat]) robot.answer = status(500)
  const id = await stage.push('push-all.json')
  const task = await stage.task(id, isEnded)
  expect(task.status).toBe('failed')
  expect(task.results.map((result) => [result.platform, result.webhook, result.status])).toEqual([
    ['feishu', '主告警机器人', 'failed'],
    ['feishu', '备用告警机器人', 'failed'],
    ['dingtalk', '主告警机器人', 'failed'],
    ['dingtalk', '备用告警机器人', 'failed'],
    ['wechat', '告警群', 'failed'],
    ['email', '系统管理员, 运维团队', 'failed'],
  ])
  expect([feishu, dingtalk, wechat].map(({ requests }) => requests.length)).toEqual([6, 6, 3])
  expect(JSON.parse((await watch.received(1)).body)).toMatchObject({ task_id: id, reason: '所有推送渠道都失败' })
  const told = () => linesOf(stage, 'error.log').map(({ msg }) => msg)
  await stage.until(() => told().includes('系统通知'))
  expect(told().toSorted()).toEqual([...Array(15).fill('消息推送失败'), '系统通知', ...Array(3).fill('邮件发送失败')])
  expect(told().at(-1)).toBe('系统通知')
})

describe('the last line of defence of the whole hub, as the second version shows it', () => {
  const about = async (type: string) => {
    const edit = (text: string) => `${text}\n${fixture('second', `system-${type}.yaml`)}`
    const stage = await setStage('second', { edit })
    const hub = await stage.start()
    stage.vendors.refuse()
    // it has no system notifications of its own
    await stage.push('push-webhook_failover.json')
    return { stage, hub }
  }
  const TITLE = '部署通知'

  test('console', async () => {
    const { hub } = await about('console')
    const [sheet] = await hub.printed(new RegExp(`^${RULE}\\n[^]*^${RULE}$`, 'm'))
    expect(sheet).toContain(TITLE)
  })

  test('file', async () => {
    const { stage } = await about('file')
    const folder = join(stage.cwd, 'notifications')
    await stage.until(() => existsSync(folder) && readdirSync(folder).length > 0)
    expect(await stage.shell('cat notifications/*')).toContain(TITLE)
  })

  test('syslog', async () => {
    const { stage } = await about('syslog')
    const notice = () => linesOf(stage, 'info.log').find(({ msg }) => msg === '系统通知')
    await stage.until(() => notice() !== undefined)
    expect(notice()).toMatchObject({ title: TITLE, level: 'info', type: 'info' })
  })

  test('http', async ({ skip }) => {
    skip(!isApart, 'port 9090 is needed, and no network of its own can be made here')
    const { stage } = await about('http')
    const { url, headers, body } = await stage.vendors.watch.received(1)
    expect(url).toBe('/webhook/system-notify')
    expect(headers).toMatchObject({ authorization: 'Bearer your-token', 'content-type': 'application/json' })
    expect(JSON.parse(body)).toMatchObject({ title: TITLE, strategy: 'webhook_failover' })
  })
})
