/** A config.yaml and the calls of PushServer, as they are documented, against the built program. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { type HubProcess, spawnHub } from '../helpers/process.ts'
import { type Received, type Receiver, startReceiver } from '../helpers/receiver.ts'

const answerSchema = z.object({ code: z.number(), message: z.string(), data: z.record(z.string(), z.unknown()) })
type Answer = z.infer<typeof answerSchema>

interface Robots {
  readonly feishu: Receiver
  readonly feishuSpare: Receiver
  readonly dingtalk: Receiver
}

const json =
  (body: string): Receiver['answer'] =>
  (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
const FEISHU_OK = json('{"code":0,"msg":"success","data":{}}')
const FEISHU_GONE = json('{"code":19001,"msg":"param invalid: incoming webhook access token invalid","data":{}}')
const DINGTALK_OK = json('{"errcode":0,"errmsg":"ok"}')
const DINGTALK_GONE = json('{"errcode":300001,"errmsg":"token is not exist"}')

async function startRobots(): Promise<Robots> {
  const robots = {
    feishu: await startReceiver(FEISHU_OK),
    feishuSpare: await startReceiver(FEISHU_OK),
    dingtalk: await startReceiver(DINGTALK_OK),
  }
  onTestFinished(async () => {
    for (const robot of Object.values(robots)) await robot.close()
  })
  return robots
}

/** The documented file, cut down to what is here; only the robots' hosts are others. */
function configOf({ feishu, feishuSpare, dingtalk }: Robots, more = ''): string {
  return `
# 服务器配置
server:
  port: 0                 # HTTP服务端口
  host: "127.0.0.1"       # 监听地址
  mode: "debug"           # 运行模式: debug/release/test
  read_timeout: 30
  write_timeout: 30
  max_header_bytes: 1048576
${more}
log:
  level: "info"
  format: "json"
  output: "stdout"
queue:
  worker_count: 50
  timeout: 10
  retry_count: 0
  retry_delay: 5
recipients:
  ops_alert:
    name: "运维告警组"
    platforms:
      feishu:
        enabled: true
        webhooks:
          - url: "${feishu.url}/open-apis/bot/v2/hook/xxx"
            secret: "your-secret"
            name: "主告警机器人"
          - url: "${feishuSpare.url}/open-apis/bot/v2/hook/yyy"
            secret: "your-secret-2"
            name: "备用告警机器人"
      dingtalk:
        enabled: true
        webhooks:
          - url: "${dingtalk.url}/robot/send?access_token=xxx"
            secret: "SEC..."
            name: "主告警机器人"
  dev_team:
    name: "开发团队"
    platforms:
      feishu:
        enabled: true
        webhooks:
          - url: "${feishu.url}/open-apis/bot/v2/hook/dev"
            secret: "dev-secret"
            name: "开发群机器人"
`
}

/** A folder with this as `config/config.yaml`, in which the program starts as often as one likes. */
function installed(config: string): { start(): Promise<HubProcess> } {
  const cwd = mkdtempSync(join(tmpdir(), 'carillon-pushserver-'))
  mkdirSync(join(cwd, 'config'))
  writeFileSync(join(cwd, 'config/config.yaml'), config, { mode: 0o600 })
  const hubs: HubProcess[] = []
  onTestFinished(async () => {
    for (const hub of hubs) await hub.stop('SIGKILL')
    rmSync(cwd, { recursive: true })
  })
  return {
    async start() {
      const hub = await spawnHub([], {}, undefined, cwd).listening
      hubs.push(hub)
      return hub
    },
  }
}

function curl(...args: string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    execFile('curl', ['-sS', ...args], (error, stdout) => {
      if (error) reject(error)
      else resolve(answerSchema.parse(JSON.parse(stdout)))
    })
  })
}

/** The documented command line, with this as its body. */
async function push({ url }: HubProcess, body: string): Promise<Answer> {
  return curl('-X', 'POST', `${url}/api/v1/push`, '-H', 'Content-Type: application/json', '-d', body)
}

const pushOf = (more: string) => `{
    "recipient_alias": "ops_alert",
    "type": "error",
    ${more}
    "style": "card",
    "content": {
      "title": "数据库告警",
      "msg": "数据库连接数超过阈值，当前连接数：150/100"
    }
  }`

/** The task once nothing more is tried. */
async function ended({ url }: HubProcess, { data }: Answer): Promise<Record<string, unknown>> {
  for (;;) {
    const task = await curl(`${url}/api/v1/task/${String(data['task_id'])}`)
    if (task.data['status'] !== 'processing') return task.data
  }
}

const bodyOf = ({ body }: Received): unknown => JSON.parse(body)

describe('with the config of PushServer', () => {
  test('strategies reach the robots that they name', async () => {
    const robots = await startRobots()
    const hub = await installed(configOf(robots)).start()

    const all = await push(hub, pushOf('"strategy": "all",'))
    expect(all).toMatchObject({ code: 200, message: '推送任务已提交', data: { recipient: '运维告警组' } })
    expect(await ended(hub, all)).toMatchObject({ status: 'completed', strategy: 'all' })
    expect([robots.feishu, robots.feishuSpare, robots.dingtalk].map(({ requests }) => requests.length)).toEqual([
      1, 1, 1,
    ])
    expect(robots.feishu.requests.map(bodyOf)).toMatchObject([{ msg_type: 'interactive', sign: expect.any(String) }])
    expect(robots.dingtalk.requests.map(({ url }) => url)).toEqual([
      expect.stringMatching(/^\/robot\/send\?access_token=xxx&timestamp=\d{13}&sign=/),
    ])

    const failover = await push(hub, pushOf('"strategy": "failover",').replace('"card"', '"text"'))
    expect(await ended(hub, failover)).toMatchObject({
      results: [{ platform: 'feishu', webhook: '主告警机器人', status: 'success', message: '发送成功' }],
    })
    expect(robots.feishu.requests.map(bodyOf)).toMatchObject([{}, { msg_type: 'text' }])

    const only = await push(hub, pushOf('"platform": "dingtalk",'))
    expect(await ended(hub, only)).toMatchObject({ strategy: 'platform', results: [{ platform: 'dingtalk' }] })
    expect([robots.feishu, robots.feishuSpare, robots.dingtalk].map(({ requests }) => requests.length)).toEqual([
      2, 1, 2,
    ])
  })

  test('a robot that fails hands over to the next, inside a channel and across', async () => {
    const robots = await startRobots()
    robots.feishu.answer = FEISHU_GONE
    const hub = await installed(configOf(robots)).start()
    const failed = {
      platform: 'feishu',
      webhook: '主告警机器人',
      status: 'failed',
      message: expect.stringMatching(/^19001 /),
    }

    expect(await ended(hub, await push(hub, pushOf('"strategy": "failover",')))).toMatchObject({
      status: 'completed',
      results: [failed, { platform: 'feishu', webhook: '备用告警机器人', status: 'success' }],
    })

    robots.feishuSpare.answer = FEISHU_GONE
    expect(await ended(hub, await push(hub, pushOf('')))).toMatchObject({
      status: 'completed',
      strategy: 'failover',
      results: [failed, { webhook: '备用告警机器人', status: 'failed' }, { platform: 'dingtalk', status: 'success' }],
    })
  })

  test('what nobody took becomes a notification; it and the task outlive a crash', async () => {
    const robots = await startRobots()
    for (const robot of [robots.feishu, robots.feishuSpare]) robot.answer = FEISHU_GONE
    robots.dingtalk.answer = DINGTALK_GONE
    const home = installed(configOf(robots))
    const first = await home.start()
    const pushed = await push(first, pushOf('"strategy": "webhook_failover",'))
    const task = await ended(first, pushed)
    expect(task).toMatchObject({ status: 'failed', strategy: 'webhook_failover' })
    await first.stop('SIGKILL')

    const hub = await home.start()
    const api = `${hub.url}/api/v1`
    expect(await ended(hub, pushed)).toEqual(task)
    const { data } = await curl(`${api}/notifications?status=unread&limit=10`)
    expect(data).toMatchObject({
      notifications: [
        {
          id: expect.stringMatching(/^notify_\d{14}_\d{6}$/),
          title: '数据库告警',
          type: 'error',
          strategy: 'webhook_failover',
          style: 'card',
          task_id: task['task_id'],
          status: 'unread',
        },
      ],
      pagination: { total: 1, limit: 10, offset: 0, count: 1 },
    })
    const id = z.array(z.looseObject({ id: z.string() })).parse(data['notifications'])[0]?.id ?? ''

    expect(await curl('-X', 'PUT', `${api}/notifications/${id}/read`)).toMatchObject({ code: 200 })
    expect(await curl(`${api}/notifications/statistics`)).toMatchObject({
      message: '获取通知统计成功',
      data: { statistics: { total: 1, unread: 0, read: 1, by_type: { error: 1 } } },
    })
    expect(await curl('-X', 'PUT', `${api}/notifications/read-all`)).toMatchObject({ code: 200, data: { count: 0 } })
    expect(await curl('-X', 'DELETE', `${api}/notifications/${id}`)).toMatchObject({ code: 200 })
    expect(await curl('-X', 'DELETE', `${api}/notifications`)).toMatchObject({ code: 200, data: { count: 0 } })
    expect(await curl(`${api}/notifications/${id}`)).toMatchObject({ code: 404, message: '通知不存在' })
  })

  test('in the dialect of its first version', async () => {
    const robots = await startRobots()
    const hub = await installed(configOf(robots, '  dialect: "1"')).start()
    const pushed = await push(hub, pushOf('"strategy": "failover",'))
    expect(pushed).toMatchObject({
      message: '消息推送任务已创建',
      data: { task_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) },
    })
    expect(await ended(hub, pushed)).toMatchObject({ results: [{ message: '消息发送成功' }] })
    expect(await curl(`${hub.url}/api/v1/task/invalid-task-id`)).toEqual({
      code: 404,
      message: '任务不存在',
      data: { task_id: 'invalid-task-id' },
    })
    expect(await push(hub, '{"type":"info","style":"text","content":{"title":"a","msg":"b"}}')).toEqual({
      code: 400,
      message: '请求参数错误',
      data: { error: 'recipient_alias不能为空' },
    })
  })

  test('no secret of a robot is in an answer or in the log', async () => {
    const robots = await startRobots()
    robots.feishu.answer = json('{"code":19021,"msg":"sign match fail of your-secret or timestamp"}')
    const hub = await installed(configOf(robots)).start()
    const task = await ended(hub, await push(hub, pushOf('"strategy": "all",')))
    expect(task).toMatchObject({ results: [{ status: 'failed' }, { status: 'success' }, { status: 'success' }] })
    const printed = JSON.stringify(task) + hub.output()
    expect(printed).toContain('消息推送失败')
    expect(printed).not.toMatch(/your-secret|SEC\.\.\.|hook\/xxx|access_token=xxx/)
  })
})

test('the JavaScript of the documentation works as it stands', async () => {
  const robots = await startRobots()
  const { url } = await installed(configOf(robots)).start()

  async function sendNotification(title: string, message: string, recipient = 'ops_alert', type = 'info') {
    const response = await fetch(`${url}/api/v1/push`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        recipient_alias: recipient,
        type,
        strategy: 'failover',
        style: 'card',
        content: { title, msg: message },
      }),
    })
    return answerSchema.parse(await response.json())
  }
  const get = async (path: string) => answerSchema.parse(await (await fetch(`${url}/api/v1/${path}`)).json())

  const result = await sendNotification('部署通知', '应用版本v1.2.0部署成功')
  const task = await get(`task/${String(result.data['task_id'])}`)
  expect(['processing', 'completed']).toContain(task.data['status'])
  expect((await get('notifications?status=unread&limit=10&offset=0')).data).toMatchObject({ pagination: { total: 0 } })
  await robots.feishu.received(1)
})
