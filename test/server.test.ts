import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../server/config.ts'
import { createLog } from '../server/ground/log.ts'
import { startServer } from '../server/server.ts'
import { createMemoryStore } from '../server/store/memory.ts'
import { type Store, StoreLocked } from '../server/store/store.ts'
import { testClock } from './helpers/clock.ts'

const log = createLog('silent')
const token = 'a-token-of-16-characters-or-more'

/** A real store that tells when it was opened and closed. */
function watched(steps: string[], clock = testClock()): Store {
  const store = createMemoryStore({ clock })
  return {
    ...store,
    open() {
      steps.push('open')
      return store.open()
    },
    close() {
      steps.push('close')
      return store.close()
    },
  }
}

test('it listens where it says, and leaves nothing behind when it is closed', async () => {
  const clock = testClock()
  const steps: string[] = []
  const server = await startServer(await configOf({ token, http: { port: 0 } }), {
    clock,
    log,
    store: watched(steps, clock),
  })
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
  expect(server.wsUrl).toBe(server.url.replace('http', 'ws'))

  await server.close()
  expect(steps).toEqual(['open', 'close'])
  expect(clock.pending).toBe(0)
  await expect(fetch(`${server.url}/health`)).rejects.toThrow('fetch failed')
  await server.close()
  expect(steps).toEqual(['open', 'close'])
})

test('a port in use: what was opened is closed again', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  onTestFinished(() => void taken.close())
  const address = taken.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const clock = testClock()
  const steps: string[] = []

  const start = startServer(await configOf({ token, http: { port } }), { clock, log, store: watched(steps, clock) })
  await expect(start).rejects.toThrow('is in use')
  expect(steps).toEqual(['open', 'close'])
  expect(clock.pending).toBe(0)
})

test('the second port in use: the first is given back', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  onTestFinished(() => void taken.close())
  const address = taken.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const steps: string[] = []

  const start = startServer(await configOf({ token, http: { port: 0 }, websocket: { port } }), {
    clock: testClock(),
    log,
    store: watched(steps),
  })
  await expect(start).rejects.toThrow('websocket.port')
  expect(steps).toEqual(['open', 'close'])
})

test('a store that cannot be opened is not closed', async () => {
  const steps: string[] = []
  const store: Store = { ...watched(steps), open: () => Promise.reject(new StoreLocked('in use')) }
  const start = startServer(await configOf({ token, http: { port: 0 } }), { clock: testClock(), log, store })
  await expect(start).rejects.toThrow(StoreLocked)
  expect(steps).toEqual([])
})
