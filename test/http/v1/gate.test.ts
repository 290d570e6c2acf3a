import { describe, expect, test } from 'vitest'
import { testClock } from '../../helpers/clock.ts'
import { ADMIN_TOKEN, type Overrides, TOKEN } from '../../helpers/hub.ts'
import { GOOD, NOTIFICATIONS, PUSH, startApi } from '../../helpers/pushserver.ts'

const API_TOKEN = 'the token of this test api'
const calls = [
  ['GET', '/api/v1/task/x'],
  ['GET', NOTIFICATIONS],
  ['DELETE', NOTIFICATIONS],
  ['GET', `${NOTIFICATIONS}/statistics`],
  ['PUT', `${NOTIFICATIONS}/read-all`],
  ['GET', `${NOTIFICATIONS}/x`],
  ['PUT', `${NOTIFICATIONS}/x/read`],
  ['DELETE', `${NOTIFICATIONS}/x`],
] as const

const refused = (status: number, message: string, error: string) => ({
  status,
  json: { code: status, message, data: { error } },
})
const needToken = refused(401, '认证失败', '需要在authorization请求头中携带有效的token')

describe('open, unless the config says otherwise', () => {
  test('no call asks for a token, and a wrong one is no obstacle', async () => {
    const hub = await startApi({ config: { clients: [{ name: 'ops_alert' }] } })
    await hub.pushed()
    await hub.pushed({}, { authorization: 'wrong' })
    for (const [method, path] of calls) expect([200, 404]).toContain((await hub.send(method, path)).status)
  })

  test('only the admin pushes to system', async () => {
    const hub = await startApi()
    const post = (headers: Record<string, string>) => hub.post({ ...GOOD, recipient_alias: 'system' }, headers, PUSH)
    expect((await post({})).status).toBe(403)
    expect((await post({ authorization: TOKEN })).status).toBe(403)
    expect((await post({ authorization: `Bearer ${ADMIN_TOKEN}` })).status).toBe(200)
  })
})

describe.each([
  ['api.token', { api: { token: API_TOKEN } }, [API_TOKEN, TOKEN, ADMIN_TOKEN]],
  ['http.verifyToken', { http: { verifyToken: true } }, [TOKEN, ADMIN_TOKEN]],
  ['both', { api: { token: API_TOKEN }, http: { verifyToken: true } }, [API_TOKEN, TOKEN, ADMIN_TOKEN]],
] satisfies (readonly [string, Overrides, readonly string[]])[])('closed by %s', (_, closing, right) => {
  const config: Overrides = { ...closing, clients: [{ name: 'ops_alert' }] }

  test('each call needs a token, bare or as Bearer', async () => {
    const hub = await startApi({ config })
    for (const token of right) {
      for (const authorization of [token, `Bearer ${token}`, `bearer ${token}`]) {
        await hub.pushed({}, { authorization })
        for (const [method, path] of calls) {
          expect([200, 404]).toContain((await hub.send(method, path, { authorization })).status)
        }
      }
    }
  })

  test('without one, or with a wrong one, nothing is done', async () => {
    const hub = await startApi({ config })
    const { auth } = await hub.login('me')
    for (const authorization of ['', 'wrong', 'Bearer', `Basic ${TOKEN}`, `${TOKEN}x`, auth]) {
      const headers: Record<string, string> = authorization === '' ? {} : { authorization }
      const answers = [await hub.post(GOOD, headers, PUSH)]
      for (const [method, path] of calls) answers.push(await hub.send(method, path, headers))
      for (const answer of answers) {
        expect(answer).toMatchObject(needToken)
        expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      }
    }
    expect((await hub.store.inbox('ops_alert@user', { limit: 1 })).items).toEqual([])
  })

  test('what is not there, too', async () => {
    const hub = await startApi({ config })
    expect(await hub.get('/api/v1/nothing')).toMatchObject(needToken)
    expect(await hub.send('PUT', PUSH)).toMatchObject(needToken)
  })
})

test("the API's token is good for nothing else", async () => {
  const hub = await startApi({ config: { api: { token: API_TOKEN }, http: { verifyToken: true } } })
  expect((await hub.get('/me.send?text=x', { authorization: API_TOKEN })).status).toBe(401)
  const post = await hub.post({ ...GOOD, recipient_alias: 'system' }, { authorization: API_TOKEN }, PUSH)
  expect(post.status).toBe(403)
})

test('guessing bars the address, right tokens too, until a try has come back', async () => {
  const clock = testClock()
  const config: Overrides = { api: { token: API_TOKEN }, trustProxy: ['127.0.0.9'], limits: { attempts: 3 } }
  const hub = await startApi({ clock, config })
  const list = (authorization: string) => hub.get(NOTIFICATIONS, { authorization })
  for (let n = 0; n < 3; n += 1) expect(await list(`wrong ${n}`)).toMatchObject(needToken)
  const barred = await list(API_TOKEN)
  expect(barred).toMatchObject(refused(429, '请求过多', '该地址认证失败次数过多，请稍后重试'))
  expect(barred.headers.get('retry-after')).toBe('60')
  expect((await hub.get('/health')).status).toBe(200)
  await clock.advance(60_000)
  expect((await list(API_TOKEN)).status).toBe(200)
})

test.each([
  [PUSH, 'POST'],
  [NOTIFICATIONS, 'GET'],
  ['/api/v1/nothing', 'GET'],
])('a token in the URL of %s is 400', async (path, method) => {
  const hub = await startApi()
  const headers = { 'content-type': 'application/json' }
  const body = method === 'POST' ? { body: JSON.stringify(GOOD) } : {}
  expect(await hub.request(`${path}?token=${TOKEN}`, { method, headers, ...body })).toMatchObject(
    refused(400, '请求参数错误', 'token不能放在URL中，请使用authorization请求头'),
  )
})
