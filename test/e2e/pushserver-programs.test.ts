/** The programs that the documents of PushServer show, run by their interpreters against the built hub. */
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { isApart } from './pushserver/network.ts'
import { type Envelope, fixture, isEnded, objectsIn, setStage, type Stage, works } from './pushserver/stage.ts'
import { gotBy } from './pushserver/vendors.ts'

const how = isApart ? 'byte for byte' : 'with localhost:8080 replaced, as no network of their own can be made here'
const TASK = /^task_\d{8}_\d{6}_[0-9a-z]{6}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const NO_TASK = { code: 404, message: '任务不存在', data: { task_id: 'f029b7c4-e0a2-4a35-8fd0-247542bab4b6' } }

const hasCurl = await works('command -v curl && command -v bash')
const pythons = ['python3', '/usr/bin/python3']
const loads = await Promise.all(pythons.map((python) => works(`${python} -c 'import requests'`)))
const python = pythons.find((_, at) => loads[at])

const idOf = ({ data }: Envelope) => String(data['task_id'])

/** Two notifications, one of them read. */
async function leaveTwo(stage: Stage): Promise<void> {
  for (const _ of ['unread', 'read']) await stage.task(await stage.push('push-system.json'), isEnded)
  const { data } = await stage.api('/api/v1/notifications?limit=1')
  const [{ id }] = data['notifications'] as [{ id: string }]
  await stage.api(`/api/v1/notifications/${id}/read`, { method: 'PUT' })
}

/** What Feishu is asked from now on is answered when the test says so. */
function holdFeishu({ vendors: { feishu } }: Stage): () => void {
  const held: ServerResponse[] = []
  feishu.answer = (response) => void held.push(response)
  return () => {
    for (const response of held) response.writeHead(200).end('{"code":0}')
  }
}

describe(`curl, ${how}`, () => {
  test('as the first version shows it', async ({ skip }) => {
    skip(!hasCurl, 'there is no curl or no bash here')
    const stage = await setStage('first')
    await stage.start()
    const [health, tried] = objectsIn(await stage.program('verify.sh'))
    expect(health).toMatchObject({ code: 200, message: '服务运行正常', data: { status: 'healthy' } })
    expect(health).toMatchObject({
      status: 'ok',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      version: expect.any(String),
    })
    expect(tried).toMatchObject({ code: 200, data: { task_id: expect.stringMatching(TASK), recipient: '运维告警组' } })
    if (tried) await stage.task(idOf(tried), isEnded)
    expect(gotBy(stage.vendors)).toEqual({ feishu: ['xxx'], dingtalk: [], wechat: [], mail: [] })
    expect(JSON.parse(stage.vendors.feishu.requests[0]?.body ?? '')).toMatchObject({
      msg_type: 'text',
      content: { text: '测试消息\n这是一条测试消息' },
    })

    const [alarm, task, list, unread, read, count] = objectsIn(await stage.program('curl.sh'))
    expect(alarm).toMatchObject({ code: 200, data: { strategy: 'all', style: 'card' } })
    if (alarm)
      expect(await stage.task(idOf(alarm), isEnded)).toMatchObject({
        status: 'completed',
        results: [
          { platform: 'feishu', webhook: '告警机器人', status: 'success' },
          { platform: 'dingtalk', webhook: '告警机器人', status: 'success' },
          { platform: 'wechat', webhook: '告警群', status: 'success' },
          { platform: 'email', webhook: '管理员邮箱', status: 'success' },
        ],
      })
    expect(gotBy(stage.vendors)).toEqual({
      feishu: ['xxx', 'xxx'],
      dingtalk: ['xxx'],
      wechat: ['xxx'],
      mail: ['admin@example.com'],
    })
    expect(task).toEqual(NO_TASK)
    expect(list?.data).toEqual({ notifications: [], pagination: { total: 0, limit: 50, offset: 0, count: 0 } })
    expect(unread?.data).toEqual({ notifications: [], pagination: { total: 0, limit: 10, offset: 0, count: 0 } })
    expect(read).toMatchObject({ code: 404, message: '通知不存在' })
    expect(count?.data).toMatchObject({ statistics: { total: 0, unread: 0, read: 0 } })
  })

  test('as the second version shows it', async ({ skip }) => {
    skip(!hasCurl, 'there is no curl or no bash here')
    const stage = await setStage('second')
    await stage.start()
    // its last line wants telnet and the mail relay
    const [health, tried] = objectsIn(await stage.shell(`bash ${stage.put('verify.sh')} </dev/null || true`))
    expect(health).toMatchObject({ code: 200, message: '服务运行正常', data: { status: 'healthy' } })
    expect(tried).toMatchObject({
      code: 200,
      message: '推送任务已提交',
      data: { task_id: expect.stringMatching(TASK) },
    })

    const pushed = objectsIn(await stage.program('push.sh'))
    expect(pushed).toHaveLength(4)
    const tasks = await Promise.all(pushed.map((answer) => stage.task(idOf(answer), isEnded)))
    expect(tasks.map(({ status, results }) => [status, results.length])).toEqual([
      ['completed', 1],
      ['completed', 6],
      ['completed', 6],
      ['completed', 1],
    ])
    const got = Object.entries(gotBy(stage.vendors)).map(([name, keys]) => [name, keys.toSorted()])
    expect(Object.fromEntries(got)).toEqual({
      feishu: ['dev', 'xxx', 'xxx', 'xxx', 'xxx', 'yyy', 'yyy'],
      dingtalk: ['xxx', 'xxx', 'yyy', 'yyy'],
      wechat: ['xxx', 'xxx'],
      mail: Array(2).fill('admin@example.com,ops@example.com'),
    })

    // this version relays no mail, and says so
    for (const answer of objectsIn(await stage.program('relay.sh'))) expect(answer).toMatchObject({ code: 404 })
  })

  test('batch_push.sh', async ({ skip }) => {
    skip(!hasCurl, 'there is no curl or no bash here')
    const stage = await setStage('second')
    await stage.start()
    const printed = await stage.program('batch_push.sh')
    expect(printed.match(/^发送消息: \{.*\}$/gm)).toHaveLength(3)
    const answers = objectsIn(printed)
    expect(answers).toHaveLength(3)
    for (const answer of answers) {
      expect(answer).toMatchObject({ code: 200, message: '推送任务已提交' })
      expect(await stage.task(idOf(answer), isEnded)).toMatchObject({ status: 'completed' })
    }
    expect(gotBy(stage.vendors)['feishu']).toEqual(['xxx', 'xxx', 'xxx', 'yyy'])
    const texts = stage.vendors.feishu.requests.map(({ body }) => /服务器\d状态/.exec(body)?.[0])
    expect(texts).toEqual(['服务器1状态', '服务器2状态', '服务器3状态', '服务器3状态'])
  })

  test('log_monitor.sh tells of more than ten errors, and of ten not', async ({ skip }) => {
    skip(!hasCurl, 'there is no curl or no bash here')
    const stage = await setStage('second')
    await stage.start()
    stage.vendors.refuse()
    const fail = async () => {
      const before = errorsIn(stage)
      const id = await stage.push('push-all.json')
      expect(await stage.task(id, isEnded)).toMatchObject({ status: 'failed' })
      await stage.until(() => errorsIn(stage) === before + 7)
    }
    await fail()
    expect(await stage.program('log_monitor.sh')).toBe('')

    await fail()
    const printed = await stage.program('log_monitor.sh')
    expect(printed).toMatch(/^警告: 最近1小时错误数量过多 \(14\)$/m)
    const [answer] = objectsIn(printed)
    expect(answer).toMatchObject({ code: 200, data: { strategy: 'failover' } })
    if (answer) await stage.task(idOf(answer), isEnded)
    const { data } = await stage.api('/api/v1/notifications?status=unread&limit=1')
    expect(data).toMatchObject({
      notifications: [{ title: 'PushServer错误告警', message: '最近1小时错误数量: 14', type: 'warning' }],
      pagination: { total: 3 },
    })
  })
})

function errorsIn(stage: Stage): number {
  return stage.file('log/app.log').match(/"level":"error"/g)?.length ?? 0
}

describe.each([
  ['1', UUID],
  ['2', TASK],
] as const)(`programs, ${how}, to a hub of dialect %s`, (dialect, idForm) => {
  /** Runs while two notifications are there, and the robot has not answered yet. */
  async function printedBy(name: string, interpreter: string): Promise<string> {
    const stage = await setStage('first')
    await stage.start({ env: { CARILLON_SERVER__DIALECT: dialect } })
    await leaveTwo(stage)
    const answer = holdFeishu(stage)
    const [first = '', ...rest] = (await stage.program(name, interpreter)).split('\n')
    const id = first.replace('任务ID: ', '')
    expect(id).toMatch(idForm)
    await stage.vendors.feishu.received(1)
    answer()
    expect(await stage.task(id, isEnded)).toMatchObject({ status: 'completed', strategy: 'failover', style: 'card' })
    expect(stage.vendors.feishu.requests[0]?.body).toMatch(/服务部署完成|应用版本v1\.2\.0部署成功/)
    return rest.join('\n')
  }

  test('in Python', async ({ skip }) => {
    skip(python === undefined, 'there is no python3 with requests here')
    expect(await printedBy('notify.py', python ?? '')).toBe(
      '任务状态: processing\n未读通知数量: 1\n' +
        "通知统计: {'total': 2, 'unread': 1, 'read': 1, 'by_type': {'error': 2, 'warning': 0, 'info': 0}}\n",
    )
  })

  test('in JavaScript', async () => {
    expect(await printedBy('notify.js.txt', process.execPath)).toBe(
      '任务状态: processing\n未读通知数量: 1\n' +
        '通知统计: {\n  total: 2,\n  unread: 1,\n  read: 1,\n  by_type: { error: 2, warning: 0, info: 0 }\n}\n',
    )
  })
})

test(`a thousand pushes of ab, ${how}: none fails, and the hub stops in time`, async ({ skip }) => {
  skip(!(await works('command -v ab')), 'there is no ab here')
  const stage = await setStage('second')
  const hub = await stage.start()
  stage.write('test_data.json', fixture('second', 'push-failover.json'))
  const printed = await stage.shell(
    `ab -n 1000 -c 10 -T application/json -p test_data.json http://${stage.written}/api/v1/push`,
  )
  expect(printed).toMatch(/^Complete requests: +1000$/m)
  expect(printed).toMatch(/^Failed requests: +0$/m)
  expect(printed).not.toContain('Non-2xx responses')
  await hub.stop('SIGTERM')
  expect(await hub.ended).toBe(0)
})
