import { describe, expect, test } from 'vitest'
import { faultsOf } from '../../server/http/health.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import { type Health, STORE_FAULTS } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import { startHub } from '../helpers/hub.ts'
import { laneRig } from '../helpers/lane.ts'

/** A hub whose store says so of itself. */
async function hubOf(health: Partial<Health>) {
  const clock = testClock()
  const store = createMemoryStore({ clock })
  return startHub({ clock, store: { ...store, health: () => ({ ...store.health(), ...health }) } })
}

test('both documented shapes are in one object', async () => {
  const hub = await startHub({ config: { http: { verifyToken: true } }, clock: testClock(Date.UTC(2026, 10, 24)) })
  await hub.login('me')
  const { status, json } = await hub.get('/health')
  expect(status).toBe(200)
  expect(json).toEqual({
    status: 'ok',
    timestamp: '2026-11-24T00:00:00Z',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    code: 200,
    message: '服务运行正常',
    data: { status: 'healthy' },
    durable: expect.any(Boolean),
    reason: hub.store.health().reason,
    sessions: 1,
  })
})

test('a store that takes nothing makes it 503 and names the fault', async () => {
  const hub = await hubOf({ writable: false, fault: 'disk-full', reason: 'the disk is full' })
  const { status, json } = await hub.get('/health')
  expect(status).toBe(503)
  expect(json).toMatchObject({ status: 'failed', code: 503, data: { status: 'unhealthy' }, reason: 'the disk is full' })
})

describe('/ready', () => {
  test('is 200 while pushes are accepted, durable or not', async () => {
    const hub = await hubOf({ durable: false })
    const { status, headers, json } = await hub.get('/ready')
    expect({ status, json }).toEqual({ status: 200, json: { status: 'ok', faults: [] } })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test.each(STORE_FAULTS)('is 503 and says %s', async (fault) => {
    const hub = await hubOf({ writable: false, fault })
    const { status, json } = await hub.get('/ready')
    expect({ status, json }).toEqual({ status: 503, json: { status: 'failed', faults: [fault] } })
  })

  test('a hub that stops is not ready, whatever else ails it', async () => {
    const { hub, store } = await laneRig()
    expect(faultsOf({ hub, store })).toEqual([])
    await hub.stop()
    expect(faultsOf({ hub, store })).toEqual(['stopping'])
    const closed: Health = { ...store.health(), writable: false, fault: 'store-closed' }
    expect(faultsOf({ hub, store: { ...store, health: () => closed } })).toEqual(['stopping', 'store-closed'])
  })
})

test('/live is 200 whatever ails the hub: a restart would not help', async () => {
  const hub = await hubOf({ writable: false, fault: 'disk-full' })
  const { status, json } = await hub.get('/live')
  expect({ status, json }).toEqual({ status: 200, json: { status: 'ok' } })
})

test.each(['/health', '/live', '/ready'])('%s needs no token, and may be asked for its head alone', async (path) => {
  const hub = await startHub({ config: { http: { verifyToken: true } } })
  expect((await hub.get(path)).status).toBe(200)
  expect(await hub.request(path, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
})
