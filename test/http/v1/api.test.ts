import { describe, expect, test } from 'vitest'
import { createLog } from '../../../server/ground/log.ts'
import { createMemoryStore } from '../../../server/store/memory.ts'
import { type Store, StoreBusy, StoreFailed, StoreFull } from '../../../server/store/store.ts'
import { testClock } from '../../helpers/clock.ts'
import type { Overrides } from '../../helpers/hub.ts'
import { type ApiHub, GOOD, NOTIFICATIONS, PUSH, robot, startApi, webhooks } from '../../helpers/pushserver.ts'
import { watched } from '../../helpers/runner.ts'

const refused = (status: number, message: string, error: string) => ({
  status,
  json: { code: status, message, data: { error } },
})

describe('paths and methods', () => {
  const badMethod = refused(405, '请求方法不支持', '该接口不支持此请求方法')

  test.each([
    ['PUT', PUSH, 'POST, OPTIONS'],
    ['GET', PUSH, 'POST, OPTIONS'],
    ['POST', '/api/v1/task/x', 'GET, OPTIONS'],
    ['PUT', NOTIFICATIONS, 'GET, DELETE, OPTIONS'],
    ['GET', `${NOTIFICATIONS}/x/read`, 'PUT, OPTIONS'],
    ['PUT', `${NOTIFICATIONS}/x`, 'GET, DELETE, OPTIONS'],
    ['PATCH', PUSH, 'GET, POST, PUT, DELETE, OPTIONS'],
  ])('%s %s is 405 and says what is served', async (method, path, allow) => {
    const hub = await startApi()
    const answer = await hub.send(method, path)
    expect(answer).toMatchObject(badMethod)
    expect(answer.headers.get('allow')).toBe(allow)
  })

  test('HEAD is none of them', async () => {
    const hub = await startApi()
    expect(await hub.send('HEAD', NOTIFICATIONS)).toMatchObject({ status: 405, text: '' })
  })

  test.each(['/api/v1', '/api/v1/', '/api/v1/nothing', '/api/v1/task', '/api/v1/push/x', '/api/v1?x=1'])(
    '%s is none, whatever is posted there',
    async (path) => {
      const hub = await startApi()
      const nothing = refused(404, '资源不存在', '接口不存在')
      expect(await hub.get(path)).toMatchObject(nothing)
      expect(await hub.post({ cmd: 'TEST_HTTP' }, {}, path)).toMatchObject(nothing)
    },
  )

  test.each(['PUT', 'DELETE'])('%s is let through here only', async (method) => {
    const hub = await startApi()
    for (const path of ['/', '/api', '/api/v1x', '/api/v10/push', '/x/api/v1/push', '/api/V1/notifications']) {
      const answer = await hub.send(method, path)
      expect(answer).toMatchObject({ status: 405, json: { cmd: 'INFO' } })
      expect(answer.headers.get('allow')).toBe('GET, POST, OPTIONS')
    }
  })

  test('health stays as it is', async () => {
    const hub = await startApi()
    expect((await hub.get('/health')).json).toMatchObject({
      status: 'ok',
      code: 200,
      message: '服务运行正常',
      data: { status: 'healthy' },
    })
  })
})

describe('CORS', () => {
  const preflight = (method: string) => ({
    origin: 'https://console.example',
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,content-type',
  })

  test.each([
    ['POST', PUSH],
    ['PUT', `${NOTIFICATIONS}/x/read`],
    ['DELETE', NOTIFICATIONS],
  ])('a preflight for %s is answered before any token check', async (method, path) => {
    const hub = await startApi({ config: { api: { token: 'the token of this api' } } })
    const { status, headers } = await hub.send('OPTIONS', path, preflight(method))
    expect(status).toBe(200)
    expect(headers.get('access-control-allow-origin')).toBe('https://console.example')
    expect(headers.get('access-control-allow-methods')).toBe(method)
    expect(headers.get('access-control-allow-headers')).toBe('authorization,content-type')
  })

  test('answers name the origin, refusals too', async () => {
    const hub = await startApi()
    for (const path of [NOTIFICATIONS, '/api/v1/nothing', `${NOTIFICATIONS}?limit=x`]) {
      const { headers } = await hub.get(path, { origin: 'https://console.example' })
      expect(headers.get('access-control-allow-origin')).toBe('https://console.example')
    }
  })

  test('off: a preflight is 403, in the envelope', async () => {
    const hub = await startApi({ config: { http: { cors: false } } })
    const answer = await hub.send('OPTIONS', PUSH, preflight('POST'))
    expect(answer).toMatchObject(refused(403, '没有权限', '未开启跨域请求（http.cors）'))
  })
})

describe('limits', () => {
  const config: Overrides = { http: { maxBody: 1_000, maxUrl: 500 }, clients: [{ name: 'ops_alert' }] }

  test('a body that is too large, of another type, or packed', async () => {
    const hub = await startApi({ config })
    const tooLarge = await hub.post({ ...GOOD, content: { title: 'x', msg: 'x'.repeat(1_000) } }, {}, PUSH)
    expect(tooLarge).toMatchObject(refused(413, '请求体过大', '请求体超过大小限制（http.maxBody）'))
    expect(tooLarge.headers.get('connection')).toBe('close')
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-encoding': 'gzip' },
    ]) {
      expect(await hub.post(GOOD, headers, PUSH)).toMatchObject(
        refused(415, '请求体类型不支持', 'Content-Type必须是application/json，且不能压缩'),
      )
    }
  })

  test('a URL that is too long', async () => {
    const hub = await startApi({ config })
    expect(await hub.get(`${NOTIFICATIONS}?x=${'x'.repeat(500)}`)).toMatchObject(
      refused(414, 'URL过长', 'URL超过长度限制（http.maxUrl）'),
    )
  })

  test('JSON that is too deep', async () => {
    const hub = await startApi({ config })
    const deep = `{"extra":${'['.repeat(40)}${']'.repeat(40)}}`
    expect(await hub.post(deep, {}, PUSH)).toMatchObject(refused(400, '请求参数错误', 'JSON嵌套超过32层'))
  })
})

describe('trouble of the hub', () => {
  /** A hub whose store throws this at each accept from now on. */
  async function troubled(error: Error, log = createLog('silent')): Promise<ApiHub> {
    const clock = testClock()
    const memory = createMemoryStore({ clock })
    const store = watched(memory, (ops) => {
      if (ops.some(({ op }) => op === 'accept')) throw error
    })
    return startApi({ clock, log, store, config: { clients: [{ name: 'ops_alert' }] } })
  }

  test.each([
    [new StoreFull('full'), 507, '存储空间不足', '磁盘空间不足，消息未被接收'],
    [new StoreBusy('busy'), 503, '服务暂不可用', '队列已满，消息未被接收，请稍后重试'],
    [new StoreFailed('failed'), 503, '服务暂不可用', '存储故障，无法确定消息是否已被接收'],
  ])('%s', async (error, status, message, text) => {
    const hub = await troubled(error)
    const answer = await hub.post(GOOD, {}, PUSH)
    expect(answer).toMatchObject(refused(status, message, text))
    expect(answer.headers.has('retry-after')).toBe(status === 503)
  })

  test('a fault is 500, logged, and tells nothing of itself', async () => {
    const lines: string[] = []
    const hub = await troubled(
      new Error('a secret of the code'),
      createLog('error', { write: (line) => void lines.push(line) }),
    )
    const error = '服务器内部错误'
    const answer = await hub.post(GOOD, {}, PUSH)
    expect(answer.status).toBe(500)
    expect(answer.json).toEqual({ code: 500, message: '推送失败', error, data: { error } })
    expect(lines.join()).toContain('a secret of the code')
  })

  test('a fault elsewhere', async () => {
    const clock = testClock()
    const memory = createMemoryStore({ clock })
    const store: Store = { ...memory, inbox: () => Promise.reject(new Error('x')) }
    const hub = await startApi({ clock, store })
    expect(await hub.get(NOTIFICATIONS)).toMatchObject(refused(500, '服务器内部错误', '服务器内部错误'))
  })

  test('an inbox without room is 429', async () => {
    const hub = await startApi({ config: { clients: [{ name: 'ops_alert' }], inbox: { maxMessages: 1 } } })
    await hub.pushed()
    expect(await hub.post(GOOD, {}, PUSH)).toMatchObject(refused(429, '请求过多', '接收者等待中的消息已满，请稍后重试'))
  })

  test('a full queue is 503, and nothing is accepted', async () => {
    const silent = await robot(() => {})
    const config: Overrides = {
      queue: { buffer_size: 1 },
      recipients: { ops_alert: { platforms: { webhook: webhooks({ silent }) } } },
    }
    const hub = await startApi({ config })
    await hub.pushed()
    const answer = await hub.post(GOOD, {}, PUSH)
    expect(answer).toMatchObject(refused(503, '服务暂不可用', '推送队列已满，消息未被接收，请稍后重试'))
    expect(answer.headers.get('retry-after')).toBe('1')
    expect((await hub.store.inbox('ops_alert@user', { limit: 9 })).items).toHaveLength(1)
  })
})
