import { describe, expect, onTestFinished, test } from 'vitest'
import type { Endpoint } from '../../server/channels/channel.ts'
import webhook from '../../server/channels/webhook.ts'
import { event } from '../../server/hub/settle.ts'
import { startReceiver, status } from '../helpers/receiver.ts'
import { ALICE, HUB_TOKEN, running, step } from '../helpers/runner.ts'

describe('real webhooks', () => {
  function endpointOf(client: Record<string, unknown>): Endpoint {
    const [configured] = webhook.configured(
      { retryTimeout: 3000, clients: [{ name: 'alice', ...client }] },
      { firstMs: 1_000, maxMs: 1_000, tries: 1 },
    )
    if (!configured) throw new Error('the webhook was not configured')
    return configured.endpoint
  }

  test('are retried from retryTimeout on, never before Retry-After, and end with 2xx', async () => {
    const rig = await running()
    const receiver = await startReceiver(status(500))
    onTestFinished(() => receiver.close())
    rig.plans.set(ALICE, [step([endpointOf({ url: receiver.url })])])
    const mid = await rig.push()
    const tried = (count: number) =>
      rig.until(async () => typeof (await rig.store.attempts(mid, ALICE))[count - 1]?.outcome === 'string')

    await tried(1)
    await rig.clock.advance(2_999)
    expect(receiver.requests).toHaveLength(1)
    receiver.answer = status(429, { 'retry-after': '60' })
    await rig.clock.advance(1)
    await tried(2)
    await rig.clock.advance(59_999)
    expect(receiver.requests).toHaveLength(2)
    receiver.answer = status(204)
    await rig.clock.advance(1)
    await tried(3)
    expect(await rig.delivery(mid)).toMatchObject({ state: 'delivered', via: 'webhook', open: false })
    expect((await rig.store.attempts(mid, ALICE)).map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['retry', 'HTTP 500'],
      ['retry', 'HTTP 429'],
      ['delivered', null],
    ])
  })

  test('beside a live session: whoever has it first, the other still gets it', async () => {
    const rig = await running()
    rig.connecting.add(ALICE)
    const receiver = await startReceiver()
    onTestFinished(() => receiver.close())
    rig.plans.set(ALICE, [step([endpointOf({ url: receiver.url })])])
    const byHook = await rig.push()
    await rig.until(async () => (await rig.delivery(byHook)).dueAt === null)
    expect(await rig.delivery(byHook)).toMatchObject({ state: 'delivered', open: true })

    const bySession = await rig.push()
    await rig.settle.now([event(bySession, ALICE, 'delivered', { via: 'websocket', closes: true })], [])
    await rig.until(async () => (await rig.delivery(bySession)).dueAt === null)
    expect(receiver.requests).toHaveLength(2)
    expect(await rig.delivery(bySession)).toMatchObject({ state: 'delivered', via: 'websocket', open: false })
  })

  test('a dead one tells no secret, in no line and no record', async () => {
    const rig = await running()
    const proxy = { host: '127.0.0.1', port: 1, auth: { username: 'canary-user', password: 'canary-password' } }
    const secret = 'canary-secret'
    const ways: Record<string, unknown>[] = [
      { url: 'http://canary-me:canary-pw@127.0.0.1:1/canary-path?canary=1' },
      { url: 'http://127.0.0.1:1/canary-path', secret, method: 'GET' },
      { url: 'http://a.test/canary-path', proxy },
      { url: 'https://a.test/canary-path', proxy, secret },
    ]
    rig.plans.set(ALICE, [step(ways.map(endpointOf))])
    const mid = await rig.push()
    await rig.until(async () => (await rig.delivery(mid)).dueAt !== rig.clock.now())
    const told = JSON.stringify([await rig.store.attempts(mid, ALICE), await rig.delivery(mid)]) + rig.lines.join('')
    expect(told.match(/ECONNREFUSED/g)?.length).toBeGreaterThanOrEqual(8)
    expect(told).not.toMatch(/canary/)
    expect(HUB_TOKEN).toMatch(/canary/)
  })
})
