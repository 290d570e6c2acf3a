import { describe, expect, onTestFinished, test } from 'vitest'
import { createSender, type SenderOptions } from '../../../clients/sdk/index.ts'
import { testClock } from '../../helpers/clock.ts'
import { startHub, TOKEN } from '../../helpers/hub.ts'
import { type Answer, startReceiver, status } from '../../helpers/receiver.ts'
import { joined, refusal } from './stage.ts'

const waiting = { http: { waitTimeout: 0 }, clients: [{ name: 'you', group: 'home' }] }

describe('a push', () => {
  test('tells how far it got, by either scheme of the URL', async () => {
    const hub = await startHub()
    const you = await joined(hub.url, 'you', { group: 'home' })
    const extras: unknown[] = []
    you.onMessage(({ extra }) => extras.push(extra))
    const sender = createSender(hub.wsUrl)
    expect(await sender.push({ to: 'you', text: 'a', extra: { n: [1] } })).toEqual({
      mid: expect.stringMatching(/^\d{13}$/),
      states: { you: 'ok' },
    })
    expect(await sender.push({ group: 'home' })).toMatchObject({ states: { you: 'ok' } })
    expect(await sender.push({ to: 'nobody' })).toEqual({ mid: null, states: { nobody: 'no' } })
    expect(extras).toEqual([{ n: [1] }, {}])
  })

  test('reads nested replies, and recipients named like their keys', async () => {
    for (const reply of ['flat', 'nested'] as const) {
      const clients = [{ name: 'status' }, { name: 'mid', group: 'g' }]
      const hub = await startHub({ config: { ...waiting, clients, http: { waitTimeout: 0, reply } } })
      const sender = createSender(hub.url)
      expect(await sender.push({ to: 'status' })).toEqual({
        mid: expect.stringMatching(/^\d{13}$/),
        states: { status: 'ready' },
      })
      expect(await sender.push({ group: 'g' })).toMatchObject({ states: { mid: 'ready' } })
      expect(await sender.push({ to: 'nobody' })).toEqual({ mid: null, states: { nobody: 'no' } })
    }
  })

  test('carries the token, an auth and its expiry', async () => {
    const hub = await startHub({ config: { ...waiting, http: { waitTimeout: 0, verifyToken: true } } })
    expect(await refusal(createSender(hub.url).push({ to: 'you' }))).toMatchObject({
      code: 'need-token',
      status: 401,
      message: 'a valid token is needed in the header "authorization"',
      mayPass: false,
      maybeAccepted: false,
    })
    await createSender(hub.url, { token: TOKEN }).push({ to: 'you', expire: 60 })
    const { auth } = await hub.login('me')
    const { mid } = await createSender(hub.url, { token: auth }).push({ to: 'you' })
    expect(await hub.store.message(mid ?? '')).toMatchObject({ from: { name: 'me' } })
  })

  test('with a key is accepted once', async () => {
    const hub = await startHub({ config: waiting })
    const sender = createSender(hub.url)
    const { mid } = await sender.push({ to: 'you' }, { key: 'k' })
    expect((await sender.push({ to: 'you' }, { key: 'k' })).mid).toBe(mid)
    expect(await refusal(sender.push({ to: 'you', text: 'x' }, { key: 'k' }))).toMatchObject({
      code: 'idempotency-mismatch',
      status: 422,
    })
  })

  test.each([
    ['not-allowed', 403, { to: 'system' }],
    ['bad-packet', 400, { to: '' }],
    ['bad-name', 400, { to: '/' }],
    ['too-large', 413, { to: 'you', text: 'x'.repeat(70_000) }],
  ])('may be refused as %s', async (code, status, push) => {
    const hub = await startHub({ config: waiting })
    expect(await refusal(createSender(hub.url).push(push))).toMatchObject({ code, status, retryAfter: null })
  })

  test('a full inbox may pass, and says when to try again', async () => {
    const hub = await startHub({ config: { ...waiting, inbox: { maxMessages: 1 } } })
    const sender = createSender(hub.url)
    await sender.push({ to: 'you' })
    const error = await refusal(sender.push({ to: 'you' }))
    expect(error).toMatchObject({ code: 'inbox-full', status: 429, mayPass: true, maybeAccepted: false })
    expect(error.retryAfter).toBeGreaterThan(0)
  })
})

/** Answers one after another, the last one again and again; the hub itself cannot be made to fail in all these ways. */
async function scripted(answers: Answer[], options: SenderOptions = {}) {
  const server = await startReceiver((response, request) => {
    const [answer = status(500)] = answers.length > 1 ? answers.splice(0, 1) : answers
    answer(response, request)
  })
  onTestFinished(() => server.close())
  return { server, sender: createSender(server.url, { random: () => 1, ...options }) }
}

const busy = status(503, { 'x-error': 'store-busy', 'retry-after': '2' })
const taken: Answer = (response) =>
  response.setHeader('x-message-id', '1').end('{"cmd":"MESSAGE_REPLY","data":{"you":"ok"}}')

describe('with patience', () => {
  test('tries again with one key, not before Retry-After, then backs off', async () => {
    const clock = testClock()
    const timers: number[] = []
    const after = (ms: number, fn: () => void) => {
      timers.push(ms)
      return clock.after(ms, fn)
    }
    const { server, sender } = await scripted([busy, status(502), taken], { clock: { ...clock, after }, timeoutMs: 9 })
    const push = sender.push({ to: 'you' }, { retryForMs: 60_000 })
    await expect.poll(() => timers).toEqual([9, 2_000])
    await clock.advance(1_999)
    expect(server.requests).toHaveLength(1)
    await clock.advance(1)
    await expect.poll(() => timers).toEqual([9, 2_000, 9, 1_000])
    await clock.advance(1_000)
    expect(await push).toEqual({ mid: '1', states: { you: 'ok' } })
    const keys = server.requests.map(({ headers }) => headers['idempotency-key'])
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0], keys[0]])
  })

  test('keeps the key that was given', async () => {
    const { server, sender } = await scripted([taken])
    await sender.push({ to: 'you' }, { retryForMs: 1, key: 'mine' })
    expect(server.requests[0]?.headers['idempotency-key']).toBe('mine')
  })

  test('gives up at once when it would have to wait longer than it may', async () => {
    const { server, sender } = await scripted([busy])
    expect(await refusal(sender.push({ to: 'you' }, { retryForMs: 1_500 }))).toMatchObject({ retryAfter: 2 })
    expect(server.requests).toHaveLength(1)
  })

  test('without it tries once, without a key', async () => {
    const { server, sender } = await scripted([busy])
    expect(await refusal(sender.push({ to: 'you' }))).toMatchObject({ code: 'store-busy', status: 503, mayPass: true })
    expect(server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined])
  })
})

describe('what is no answer of a hub', () => {
  const page: Answer = (response) => response.end('<html>welcome to this hotel</html>')

  test.each([
    ['a page', page, 200, false],
    ['a missing page', status(404), 404, false],
    ['a proxy without a hub', status(502), 502, true],
    ['a proxy that holds back', status(429), 429, true],
  ])('%s', async (_, answer, code, mayPass) => {
    const { sender } = await scripted([answer])
    expect(await refusal(sender.push({ to: 'you' }))).toMatchObject({
      code: 'unexpected',
      status: code,
      message: `the answer is ${code} and not one of a hub`,
      mayPass,
      maybeAccepted: true,
    })
  })

  test('no answer: unreachable, with the reason', async () => {
    expect(await refusal(createSender('http://127.0.0.1:9').push({ to: 'you' }))).toMatchObject({
      code: 'unreachable',
      status: null,
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/: .+/),
      maybeAccepted: true,
    })
  })

  test('none in time', async () => {
    const clock = testClock()
    const { server, sender } = await scripted([() => {}], { clock, timeoutMs: 700 })
    const error = refusal(sender.push({ to: 'you' }))
    await server.received(1)
    await clock.advance(700)
    expect(await error).toMatchObject({ code: 'unreachable', message: expect.stringContaining('within 700 ms') })
  })
})

test('a token or key that no header can hold is told, and not tried again', async () => {
  const patient = { retryForMs: 60_000 }
  await expect(createSender('http://127.0.0.1:9', { token: '口令' }).push({ to: 'you' }, patient)).rejects.toThrow(
    TypeError,
  )
  const sender = createSender('http://127.0.0.1:9')
  await expect(sender.push({ to: 'you' }, { ...patient, key: 'a\nb' })).rejects.toThrow(TypeError)
})

test('a URL that is none is told at once', () => {
  expect(() => createSender('nowhere')).toThrow(TypeError)
})
