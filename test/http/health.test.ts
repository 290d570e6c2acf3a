import { expect, test } from 'vitest'
import { createMemoryStore } from '../../server/store/memory.ts'
import { testClock } from '../helpers/clock.ts'
import { startHub } from '../helpers/hub.ts'

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
  const clock = testClock()
  const health = { writable: false, durable: false, reason: 'the disk is full', queued: 0 }
  const hub = await startHub({ clock, store: { ...createMemoryStore({ clock }), health: () => health } })
  const { status, json } = await hub.get('/health')
  expect(status).toBe(503)
  expect(json).toMatchObject({ status: 'failed', code: 503, data: { status: 'unhealthy' }, reason: 'the disk is full' })
})
