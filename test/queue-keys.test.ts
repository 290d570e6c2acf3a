/** Keys of `queue`, and what live sessions and retention mean for platforms, as a whole hub obeys them. */
import type { ServerResponse } from 'node:http'
import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../server/store/memory.ts'
import type { Store } from '../server/store/store.ts'
import { testClock, type TestClock } from './helpers/clock.ts'
import { type Overrides, startHub, type TestHub, TOKEN } from './helpers/hub.ts'
import { type Receiver, startReceiver } from './helpers/receiver.ts'

const OPS = 'ops@user'
const DAY_MS = 86_400_000

let clock: TestClock
let vendor: Receiver
/** requests that the vendor has not answered */
let open: ServerResponse[]
/** as many as there ever were at once */
let most: number
beforeEach(async () => {
  clock = testClock()
  open = []
  most = 0
  vendor = await startReceiver((response) => {
    open.push(response)
    most = Math.max(most, open.length)
  })
  return () => vendor.close()
})

/** `ops` with a robot of each of these platforms, whose vendor takes its time. */
function ops(more: Overrides = {}, recipient: object = {}): Overrides {
  const wechat = { webhooks: [{ url: `${vendor.url}/wechat?key=1` }] }
  const slack = { webhooks: [{ url: `${vendor.url}/slack` }] }
  return { ...more, recipients: { ops: { platforms: { wechat, slack }, ...recipient } } }
}

const push = (hub: TestHub, body: object = {}) =>
  hub.post(
    { recipient_alias: 'ops', type: 'info', style: 'text', content: { title: 't', msg: 'm' }, ...body },
    { authorization: TOKEN },
    '/api/v1/push',
  )

/** Lets the vendor answer one request after another, each when the next one has come. */
async function answerAll(count: number): Promise<void> {
  for (let answered = 0; answered < count; answered += 1) {
    await vendor.received(Math.min(count, answered + most))
    open.shift()?.end('{"errcode":0}')
  }
}

describe('attempts at once', () => {
  test('are no more than queue.worker_count, whatever the platforms', async () => {
    const hub = await startHub({ config: ops({ queue: { worker_count: 2 } }) })
    for (let n = 0; n < 3; n += 1) await push(hub, { strategy: 'all' })
    await vendor.received(2)
    await answerAll(4)
    expect(most).toBe(2)
  })

  test('are no more than queue.max_concurrent_per_platform through one of them', async () => {
    const hub = await startHub({ config: ops({ queue: { max_concurrent_per_platform: 1 } }) })
    for (let n = 0; n < 4; n += 1) await push(hub, { platform: 'wechat' })
    await vendor.received(1)
    await answerAll(4)
    expect(most).toBe(1)
  })
})

test('queue.batch_size is how many deliveries are claimed at once', async () => {
  const limits = new Set<number>()
  const memory = createMemoryStore({ clock })
  const store: Store = {
    ...memory,
    claim(now, limit, leaseMs) {
      limits.add(limit)
      return memory.claim(now, limit, leaseMs)
    },
  }
  const hub = await startHub({ clock, store, config: ops({ queue: { batch_size: 7 } }) })
  await push(hub)
  expect([...limits]).toEqual([7])
})

test('queue.timeout is how long one attempt may take', async () => {
  const hub = await startHub({ clock, config: ops({ queue: { timeout: 3, retry_count: 0 } }) })
  const { json } = await push(hub, { platform: 'wechat' })
  await vendor.received(1)
  await clock.advance(2_999)
  const task = async () => {
    const { task_id } = (json as { data: { task_id: string } }).data
    return (await hub.get(`/api/v1/task/${task_id}`)).json
  }
  expect(await task()).toMatchObject({ data: { status: 'processing' } })
  await clock.advance(1)
  await expect.poll(task).toMatchObject({ data: { results: [{ status: 'timeout', message: 'no answer within 3 s' }] } })
})

describe('escalate', () => {
  const waiting = [
    { platform: 'websocket', wait: 30 },
    { platform: 'wechat', wait: 60 },
  ]

  test('gives live sessions their time before a robot rings, and none where there is no session', async () => {
    const hub = await startHub({ clock, config: ops({}, { strategy: 'escalate', escalate: waiting }) })
    await push(hub)
    await vendor.received(1)
    open.shift()?.end('{"errcode":0}')
    const me = await hub.login('ops')
    await push(hub)
    await me.message()
    await clock.advance(29_999)
    expect(vendor.requests).toHaveLength(1)
    await clock.advance(1)
    await vendor.received(2)
  })

  test.each([false, true])('is stopped by an ack, but not of a client that can confirm (%s)', async (confirms) => {
    const hub = await startHub({ clock, config: ops({}, { strategy: 'escalate', escalate: waiting }) })
    const me = await hub.login('ops', { device: 'phone', confirms })
    await push(hub)
    me.ack((await me.message()).mid)
    await me.settled()
    await clock.advance(30_000)
    if (confirms) await vendor.received(1)
    expect(vendor.requests).toHaveLength(confirms ? 1 : 0)
  })
})

test('a notification is kept as long as retention.days, read or not', async () => {
  vendor.answer = (response) => response.writeHead(200).end('{"errcode":93000}')
  const hub = await startHub({ clock, config: ops({ retention: { days: 2 } }) })
  await push(hub, { platform: 'wechat' })
  const total = async () => (await hub.get('/api/v1/notifications')).json
  await expect.poll(total).toMatchObject({ data: { pagination: { total: 1 } } })
  expect(await hub.store.list({ recipient: OPS, states: ['failed'] }, { limit: 9 })).toMatchObject({ items: [{}] })
  await clock.advance(2 * DAY_MS)
  await expect.poll(total).toMatchObject({ data: { pagination: { total: 0 } } })
})
