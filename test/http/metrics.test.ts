/** Each event moves its own metrics, by as much as it should, and no other. */
import { beforeEach, describe, expect, test } from 'vitest'
import { difference } from '../helpers/exposition.ts'
import { ADMIN_TOKEN, TOKEN } from '../helpers/hub.ts'
import { accepted, type MetricsHub, reached, startMetricsHub, waiting } from '../helpers/metrics.ts'

const RETRY_MS = 3_000

let hub: MetricsHub
beforeEach(async () => {
  hub = await startMetricsHub({
    config: {
      http: { verifyToken: true },
      websocket: { retryTimeout: RETRY_MS },
      inbox: { maxMessages: 2 },
      clients: [{ name: 'bob' }],
    },
  })
})

const refused = (door: string, code: string) => ({ [`carillon_refusals_total{door="${door}",code="${code}"}`]: 1 })

describe('GET /metrics', () => {
  const ask = (authorization?: string) =>
    fetch(`${hub.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } })

  test.each([TOKEN, `Bearer ${TOKEN}`, `Bearer ${ADMIN_TOKEN}`])(
    'is for whoever holds the token: %s',
    async (token) => {
      const { status, headers } = await ask(token)
      expect(status).toBe(200)
      expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
      expect(headers.get('cache-control')).toBe('no-store')
    },
  )

  test('is for nobody else', async () => {
    for (const token of [undefined, 'Bearer wrong', '']) {
      const { status, headers } = await ask(token)
      expect(status).toBe(401)
      expect(headers.get('www-authenticate')).toBe('Bearer')
    }
    const { auth } = await hub.login('bob')
    expect((await ask(auth)).status).toBe(403)
  })

  test('names nobody: what is counted has few labels, whoever comes', async () => {
    await hub.push('a-stranger')
    await hub.login('a-recipient', { device: 'a-device' })
    const text = await (await ask(TOKEN)).text()
    expect(text).not.toMatch(/a-stranger|a-recipient|a-device/)
  })

  test.each([
    'carillon_pushes_total{result="accepted"}',
    'carillon_pushes_refused_total{code="store-full"}',
    'carillon_refusals_total{door="websocket",code="internal"}',
    'carillon_deliveries_total{channel="none",state="failed"}',
    'carillon_sockets_closed_total{code="1013"}',
    'carillon_fault{fault="disk-low"}',
  ])('%s is there before anything was counted: alerts see the first step up', async (key) => {
    expect((await hub.scrape()).samples.get(key)).toBe(0)
  })

  test('two at the same time are both whole', async () => {
    const [one, other] = await Promise.all([hub.scrape(), hub.scrape()])
    expect([...one.samples.keys()]).toEqual([...other.samples.keys()])
    expect(one.samples.size).toBeGreaterThan(100)
  })
})

describe('pushes', () => {
  test('one that waits for its recipient, and one to nobody', async () => {
    await hub.moves(() => hub.push('bob'), { ...accepted, ...reached('queued'), ...waiting(1) })
    await hub.moves(() => hub.push('nobody'), { 'carillon_pushes_total{result="nobody"}': 1 })
  })

  test('a repeat is no new one', async () => {
    await hub.push('bob', { 'idempotency-key': 'k' })
    await hub.moves(() => hub.push('bob', { 'idempotency-key': 'k' }), {
      'carillon_pushes_total{result="repeated"}': 1,
    })
  })

  test('one that the hub refuses is counted by the hub and at its door', async () => {
    await hub.push('bob')
    await hub.push('bob')
    await hub.moves(() => hub.push('bob'), {
      'carillon_pushes_refused_total{code="inbox-full"}': 1,
      ...refused('http', 'inbox-full'),
    })
  })

  test.each([
    ['no token', () => hub.get('/bob.send?text=a'), 'need-token'],
    ['no such path', () => hub.get('/nothing'), 'not-found'],
    ['a packet without a cmd', () => hub.post([], { authorization: TOKEN }), 'bad-packet'],
    ['bad JSON to the API', () => hub.post('{', { authorization: TOKEN }, '/api/v1/push'), 'bad-json'],
    ['a wrong method of a call', () => hub.get('/email/send/message'), 'bad-method'],
    ['dead letters without a token', () => hub.get('/api/v2/dead-letters'), 'need-token'],
    ['metrics without a token', () => hub.get('/metrics'), 'need-token'],
    ['AUTH with a wrong token', () => hub.post({ cmd: 'AUTH', data: { token: 'x', name: 'bob' } }), 'need-token'],
  ])('what a door refuses: %s', (_, act, code) => hub.moves(act, refused('http', code)))
})

describe('sessions', () => {
  test('one comes, another of the same recipient on a device, one is replaced', async () => {
    const one = { carillon_sessions: 1, carillon_recipients_live: 1 }
    await hub.moves(() => hub.login('bob'), one)
    await hub.moves(() => hub.login('bob', { device: 'phone' }), { carillon_sessions: 1 })
    await hub.moves(() => hub.login('bob', { device: 'phone' }), { 'carillon_sockets_closed_total{code="4001"}': 1 })
    await hub.moves(() => hub.login('new'), { ...one, carillon_recipients_known: 1 })
  })

  test('what a socket is refused', async () => {
    const client = await hub.connect()
    await hub.moves(() => client.send('MESSAGE'), refused('websocket', 'need-auth'))
    await hub.moves(() => client.send('AUTH', { token: 'wrong', name: 'bob' }), refused('websocket', 'need-token'))
    const bob = await hub.login('bob')
    await hub.moves(() => bob.send('MESSAGE', { sendType: 'neither' }), refused('websocket', 'bad-packet'))
  })

  test('a socket that never comes through AUTH', async () => {
    await hub.connect()
    await hub.moves(() => hub.clock.advance(30_000), { 'carillon_sockets_closed_total{code="4408"}': 1 })
  })
})

describe('deliveries to a session', () => {
  test('a frame, and its ack after a while; a second ack is nothing', async () => {
    const bob = await hub.login('bob')
    await hub.moves(() => void hub.push('bob'), {
      ...accepted,
      ...reached('queued'),
      ...waiting(1),
      carillon_frames_sent_total: 1,
    })
    const { mid } = await bob.message()
    await hub.clock.advance(250)
    const before = await hub.scrape()
    const acked = { ...reached('delivered', 'websocket'), ...waiting(-1), carillon_ack_latency_seconds_count: 1 }
    await hub.moves(() => bob.ack(mid), acked)
    const exact = difference(before, await hub.scrape())
    expect(exact['carillon_ack_latency_seconds_sum']).toBeCloseTo(0.25, 6)
    expect(exact['carillon_ack_latency_seconds_bucket{le="0.25"}']).toBe(1)
    expect(exact['carillon_ack_latency_seconds_bucket{le="0.1"}']).toBeUndefined()

    await hub.moves(async () => {
      bob.ack(mid)
      await bob.settled()
    }, {})
  })

  test('a frame that is sent again: its ack counts from the first time on', async () => {
    const bob = await hub.login('bob')
    void hub.push('bob')
    const { mid } = await bob.message()
    await hub.moves(() => hub.clock.advance(RETRY_MS), {
      ...reached('sent', 'websocket'),
      carillon_frames_resent_total: 1,
    })
    await hub.moves(() => hub.clock.advance(RETRY_MS), { carillon_frames_resent_total: 1 })
    const before = await hub.scrape()
    bob.ack(mid)
    await bob.settled()
    const { carillon_ack_latency_seconds_sum: age } = difference(before, await hub.scrape())
    expect(age).toBe((2 * RETRY_MS) / 1_000)
  })

  test('two devices have it, one person confirms', async () => {
    const phone = await hub.login('bob', { device: 'phone', confirms: true })
    const desk = await hub.login('bob', { device: 'desk' })
    void hub.push('bob')
    const { mid } = await phone.message()
    await desk.message()
    await hub.moves(() => phone.ack(mid), {
      ...reached('delivered', 'websocket'),
      carillon_ack_latency_seconds_count: 1,
    })
    await hub.moves(() => desk.ack(mid), { carillon_ack_latency_seconds_count: 1 })
    await hub.moves(() => phone.send('CONFIRM', { mid }), { ...reached('confirmed', 'websocket'), ...waiting(-1) })
  })

  test('what expires, and what goes with its recipient', async () => {
    const data = { sendType: 'personal', target: 'bob', message: { text: 'a', desp: '' }, expire: 5 }
    await hub.post({ cmd: 'MESSAGE', data }, { authorization: TOKEN })
    await hub.push('bob')
    await hub.moves(() => hub.clock.advance(5_000), {
      ...reached('expired'),
      ...waiting(-1),
      carillon_scheduled_deliveries: -1,
    })
    const bob = await hub.login('bob')
    await bob.message()
    await hub.moves(() => bob.send('UNREGISTER'), {
      ...reached('removed'),
      ...waiting(-1),
      carillon_sessions: -1,
      carillon_recipients_live: -1,
      'carillon_sockets_closed_total{code="4003"}': 1,
    })
  })
})
