import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createOutbound, type Outbound } from '../../../server/channels/outbound/outbound.ts'
import { basic, createRoutes, type Proxy } from '../../../server/channels/outbound/routes.ts'
import { selfSigned } from '../../helpers/certificate.ts'
import { testClock, type TestClock } from '../../helpers/clock.ts'
import {
  type Receiver,
  startProxy,
  startRawServer,
  startReceiver,
  status,
  type TestProxy,
} from '../../helpers/receiver.ts'

const auth = { username: 'pip', password: 'a:b 密' }
const credentials = `Basic ${Buffer.from('pip:a:b 密').toString('base64')}`
let clock: TestClock
let outbound: Outbound
let proxy: TestProxy
let plain: Receiver
let secure: Receiver

beforeEach(async () => {
  clock = testClock()
  outbound = createOutbound(clock, 15_000)
  proxy = await startProxy()
  plain = await startReceiver()
  secure = await startReceiver(status(200), selfSigned)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all([outbound, proxy, plain, secure].map((one) => one.close()))
})

function post(url: string, through: Partial<Proxy> = {}) {
  const target = { host: '127.0.0.1', port: proxy.port, auth, ...through }
  const headers = { 'x-a': '1' }
  return outbound.request({ method: 'POST', url, headers, body: 'hello', trusted: true, proxy: target })
}

test('an http target is asked of the proxy', async () => {
  expect(await post(`${plain.url}/in?q=1`)).toMatchObject({ ok: true, status: 200 })
  const host = new URL(plain.url).host
  expect(proxy.asked).toEqual([{ line: `POST ${plain.url}/in?q=1`, auth: credentials, host }])
  expect(plain.requests).toMatchObject([{ method: 'POST', url: '/in?q=1', body: 'hello' }])
  expect(plain.requests[0]?.headers).toMatchObject({ host, 'x-a': '1' })
  expect(plain.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
})

test('an https target is reached through a tunnel, of which the proxy sees no path', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  expect(await post(`${secure.url}/in?q=1`)).toMatchObject({ ok: true, status: 200 })
  const host = new URL(secure.url).host
  expect(proxy.asked).toEqual([{ line: `CONNECT ${host}`, auth: credentials, host }])
  expect(secure.requests).toMatchObject([{ method: 'POST', url: '/in?q=1', body: 'hello' }])
})

test('a certificate that nobody vouches for ends it before anything is sent', async () => {
  expect(await post(secure.url)).toEqual({ ok: false, detail: 'DEPTH_ZERO_SELF_SIGNED_CERT', maybeDelivered: false })
  const direct = await outbound.request({ method: 'GET', url: secure.url, headers: {}, trusted: true })
  expect(direct).toEqual({ ok: false, detail: 'DEPTH_ZERO_SELF_SIGNED_CERT', maybeDelivered: false })
  expect(secure.requests).toEqual([])
})

test('without credentials none are sent', async () => {
  await post(plain.url, { auth: undefined })
  expect(proxy.asked).toMatchObject([{ auth: undefined }])
})

test('a proxy that refuses is named in the detail, without its credentials', async () => {
  proxy.refuse = 407
  expect(await post(plain.url)).toMatchObject({ ok: true, status: 407 })
  expect(await post(secure.url)).toEqual({ ok: false, detail: 'the proxy answered HTTP 407', maybeDelivered: false })
})

test('a proxy that never opens its tunnel costs the time limit', async () => {
  const deaf = await startRawServer('')
  const answer = post(secure.url, { port: Number(new URL(deaf.url).port) })
  await clock.advance(15_000)
  expect(await answer).toMatchObject({ ok: false, detail: 'no answer within 15 s' })
  await deaf.close()
})

test('one tunnel for each proxy and its credentials', async () => {
  const routes = createRoutes()
  const to = (through: Proxy) => routes.to(new URL('https://a.test/x'), through, true).dispatcher
  const first = to({ host: 'p', port: 1, auth })
  expect(to({ host: 'p', port: 1, auth: { ...auth } })).toBe(first)
  expect(to({ host: 'p', port: 1 })).not.toBe(first)
  expect(to({ host: 'p', port: 1, auth, protocol: 'https' })).not.toBe(first)
  await routes.close()
})

test('a proxy may have an IPv6 address', async () => {
  const routes = createRoutes()
  expect(routes.to(new URL('http://a.test/x?y'), { host: '::1', port: 8080 }, true)).toMatchObject({
    origin: 'http://[::1]:8080',
    path: 'http://a.test/x?y',
    headers: { host: 'a.test' },
  })
  await routes.close()
})

test('Basic credentials are UTF-8', () => {
  expect(basic(auth)).toBe(credentials)
  expect(basic(undefined)).toBeNull()
})
