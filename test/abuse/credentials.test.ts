/** Who may do what, at every door; and that nobody speaks for somebody else. */
import { describe, expect, test } from 'vitest'
import { testClock } from '../helpers/clock.ts'
import { ADMIN_TOKEN, type Answer, startHub, type TestHub, TOKEN } from '../helpers/hub.ts'
import { GOOD } from '../helpers/pushserver.ts'
import { forgeries } from './forgeries.ts'

const DAY_MS = 24 * 3_600_000
const MID = '1800000000000'

type Send = (hub: TestHub, headers?: Record<string, string>) => Promise<Pick<Answer, 'status' | 'headers' | 'text'>>
const get = (path: string): Send => {
  return async (hub, headers = {}) => {
    const answer = await fetch(hub.url + path, { headers })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
}
const post = (body: unknown, path = '/'): Send => {
  return (hub, headers) => hub.post(body, headers, path)
}
const push = (target: string) => post({ cmd: 'MESSAGE', data: { sendType: 'personal', target, message: {} } })
const call = { channel: '#ops', content: 'x' }

/** With `http.verifyToken` on: what is asked, and the status with no token, a wrong one, the hub's, the admin's, a client's `auth`. */
const rights: readonly (readonly [string, Send, number, number, number, number, number])[] = [
  ['GET /me.send', get('/me.send'), 401, 401, 200, 200, 200],
  ['GET /dev.group', get('/dev.group'), 401, 401, 200, 200, 200],
  ['GET /nobody.send', get('/nobody.send'), 401, 401, 200, 200, 200],
  ['GET /system.send', get('/system.send'), 401, 401, 403, 200, 403],
  ['POST /me.send', post({ text: 'x' }, '/me.send'), 401, 401, 200, 200, 200],
  ['MESSAGE to me', push('me'), 401, 401, 200, 200, 200],
  ['MESSAGE to system', push('system'), 401, 401, 403, 200, 403],
  ['TEST_HTTP', post({ cmd: 'TEST_HTTP' }), 401, 401, 200, 200, 200],
  ['AUTH', post({ cmd: 'AUTH', data: { token: TOKEN, name: 'me' } }), 401, 401, 200, 200, 200],
  ['AUTH with a wrong token', post({ cmd: 'AUTH', data: { token: 'wrong', name: 'me' } }), 401, 401, 403, 403, 403],
  ['AUTH as system', post({ cmd: 'AUTH', data: { token: TOKEN, name: 'system' } }), 401, 401, 403, 403, 403],
  ['MESSAGE_CALLBACK', post({ cmd: 'MESSAGE_CALLBACK', data: { mid: MID } }), 401, 401, 401, 401, 200],
  ['CONFIRM', post({ cmd: 'CONFIRM', data: { mid: MID } }), 401, 401, 401, 401, 404],
  ['REGISTER_FCM', post({ cmd: 'REGISTER_FCM', data: { token: 't' } }), 401, 401, 401, 401, 200],
  ['POST /api/v1/push', post({ ...GOOD, recipient_alias: 'me' }, '/api/v1/push'), 401, 401, 200, 200, 401],
  ['GET /api/v1/notifications', get('/api/v1/notifications'), 401, 401, 200, 200, 401],
  ['GET /api/v1/task/x', get('/api/v1/task/x'), 401, 401, 404, 404, 401],
  ['GET /api/v1/nothing', get('/api/v1/nothing'), 401, 401, 404, 404, 401],
  ['POST /slack/send/message', post(call, '/slack/send/message'), 401, 401, 200, 200, 401],
  ['GET /api/v2/dead-letters', get('/api/v2/dead-letters'), 401, 401, 200, 200, 403],
  ['POST …/resend', post({}, `/api/v2/dead-letters/${MID}/me/resend`), 401, 401, 404, 404, 403],
  ['GET /metrics', get('/metrics'), 401, 401, 200, 200, 403],
  ['GET /health', get('/health'), 200, 200, 200, 200, 200],
  ['GET /confirm/x', get('/confirm/x'), 403, 403, 403, 403, 403],
  ['GET /nothing', get('/nothing'), 404, 404, 404, 404, 404],
]

test.each(rights)('%s', async (_, send, ...expected) => {
  const hub = await startHub({ config: { http: { verifyToken: true, waitTimeout: 0 } } })
  const { auth } = await hub.login('me', { group: 'dev' })
  const statuses: number[] = []
  for (const token of [undefined, 'wrong', TOKEN, ADMIN_TOKEN, auth]) {
    const answer = await send(hub, token === undefined ? {} : { authorization: `Bearer ${token}` })
    statuses.push(answer.status)
    if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    for (const secret of [TOKEN, ADMIN_TOKEN]) expect(answer.text).not.toContain(secret)
  }
  expect(statuses).toEqual(expected)
})

describe('auth', () => {
  const ack = { cmd: 'MESSAGE_CALLBACK', data: { mid: MID } }

  test('that is forged in one of twenty ways proves nothing, wherever it stands', async () => {
    const hub = await startHub({ config: { http: { verifyToken: true, waitTimeout: 0 } } })
    const { auth } = await hub.login('me')
    const stranger = await hub.connect()
    expect((await hub.post({ ...ack, auth })).status).toBe(200)
    for (const [way, forged] of forgeries(auth, TOKEN)) {
      const text = typeof forged === 'string' ? forged : JSON.stringify(forged)
      expect.soft((await hub.post({ ...ack, auth: forged })).status, way).toBe(401)
      expect.soft((await hub.post(ack, { authorization: `Bearer ${text}` })).status, way).toBe(401)
      expect.soft((await hub.get('/me.send', { authorization: text })).status, way).toBe(401)
      expect.soft((await get(`/confirm/${encodeURIComponent(text)}`)(hub)).status, way).toBe(403)
    }
    for (const [way, forged] of [...forgeries(auth, TOKEN)].slice(0, 15)) {
      stranger.send('PING', undefined, { auth: forged })
      expect
        .soft(await stranger.next('INFO'), way)
        .toMatchObject({ data: expect.stringContaining('auth is not valid') })
    }
  })

  test('is no token: it opens no session', async () => {
    const hub = await startHub()
    const { auth } = await hub.login('me')
    const thief = await hub.connect()
    for (const name of ['me', 'you']) {
      thief.send('AUTH', { token: auth, name })
      expect(await thief.next('AUTH')).toMatchObject({ data: { code: 403 } })
    }
    expect((await hub.post({ cmd: 'AUTH', data: { token: auth, name: 'you' } })).status).toBe(403)
  })

  test('of another hub, of an hour after its end, or of one whose data was lost proves nothing', async () => {
    const clock = testClock()
    const [here, there] = [await startHub({ clock }), await startHub({ clock })]
    const { auth } = await here.login('me')
    expect((await there.post({ ...ack, auth })).status).toBe(401)
    expect((await here.post({ ...ack, auth })).status).toBe(200)
    clock.jump(30 * DAY_MS)
    expect((await here.post({ ...ack, auth })).status).toBe(401)
  })

  test('of a name speaks for that name alone: a foreign ack, confirm or registration changes nothing', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const [victim, rogue] = [await hub.login('victim'), await hub.login('rogue', { confirms: true })]
    await hub.get('/victim.send?idem=k')
    const { mid } = await victim.message()
    for (const cmd of ['MESSAGE_CALLBACK', 'MESSAGE_WEBPUSH_CALLBACK', 'MESSAGE_FCM_CALLBACK']) {
      expect((await hub.post({ cmd, data: { mid }, auth: rogue.auth })).status).toBe(200)
      rogue.send(cmd, { mid })
    }
    expect((await hub.post({ cmd: 'CONFIRM', data: { mid }, auth: rogue.auth })).status).toBe(404)
    rogue.send('CONFIRM', { mid })
    await rogue.next('INFO')
    for (const auth of [{ name: 'victim' }, { name: 'victim', group: '' }, 'victim', 'victim@user']) {
      expect((await hub.post({ cmd: 'MESSAGE_CALLBACK', data: { mid }, auth })).status).toBe(401)
    }
    await rogue.settled()
    expect((await hub.get('/victim.send?idem=k')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { victim: 'wait' } })
    victim.ack(mid)
    await victim.settled()
    expect((await hub.get('/victim.send?idem=k')).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { victim: 'ok' } })
  })
})

test('an idempotency key of a stranger discloses nothing and takes nothing away but itself', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
  const { auth } = await hub.login('you')
  const key = { 'idempotency-key': 'order-1' }
  const first = await hub.get('/me.send?text=stranger', key)
  const anonymous = await hub.get('/me.send?text=mine', key)
  expect([anonymous.status, anonymous.headers.get('x-message-id')]).toEqual([422, null])
  expect(anonymous.text).not.toContain('stranger')
  for (const proof of [TOKEN, auth, ADMIN_TOKEN]) {
    const mine = await hub.get('/me.send?text=mine', { ...key, authorization: proof })
    expect(mine.status).toBe(200)
    expect(mine.headers.get('x-message-id')).not.toBe(first.headers.get('x-message-id'))
  }
})
