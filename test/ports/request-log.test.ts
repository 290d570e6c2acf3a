import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createLog } from '../../server/ground/log.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import { testClock } from '../helpers/clock.ts'
import { gateStore } from '../helpers/gate-store.ts'
import { startHub, type TestHub } from '../helpers/hub.ts'

/** A hub of this mode, and what its log says. */
async function hubOf(mode?: 'debug' | 'release' | 'test') {
  const clock = testClock()
  const gate = gateStore(createMemoryStore({ clock }))
  const lines: Record<string, unknown>[] = []
  const hub = await startHub({
    config: { ...(mode && { server: { mode } }), http: { waitTimeout: 0 } },
    clock,
    store: gate.store,
    log: createLog('info', { write: (line) => void lines.push(JSON.parse(line)) }),
  })
  return { hub, lines, gate }
}

/** A plain request, one that fails for a fault of the hub, and one that pushes. */
async function requests({ hub, gate }: { hub: TestHub; gate: ReturnType<typeof gateStore> }): Promise<void> {
  await hub.get('/health?with=a-query')
  gate.refuse(new Error('a fault'))
  expect((await hub.get('/somebody.send?text=a', { 'idempotency-key': 'k' })).status).toBe(500)
  gate.refuse(null)
  await hub.get('/somebody.send?text=a')
  await hub.post({ text: 'a' }, {}, '/somebody.send')
}

test('debug: every request but pushes by URL, without its query', async () => {
  const { hub, lines, gate } = await hubOf('debug')
  await requests({ hub, gate })
  await hub.post('{', {}, '/nowhere')
  expect(lines.filter(({ msg }) => msg === 'request')).toEqual([
    { level: 'info', time: expect.any(String), msg: 'request', method: 'GET', path: '/health', status: 200, ms: 0 },
    { level: 'info', time: expect.any(String), msg: 'request', method: 'POST', path: '/nowhere', status: 400, ms: 0 },
  ])
})

test('debug: what may be a secret in a path is not shown', async () => {
  const { hub, lines } = await hubOf('debug')
  await (await fetch(`${hub.url}/confirm/${'x'.repeat(60)}`)).text()
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
  socket.write('GET http://user:S3CRET@h/path HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  expect(lines.map(({ path }) => path)).toEqual(['/confirm/…', '…'])
})

test.each([['release'], [undefined]] as const)('%s: only faults', async (mode) => {
  const { hub, lines, gate } = await hubOf(mode)
  await requests({ hub, gate })
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([['error', 'a request could not be handled']])
})

test('test: nothing', async () => {
  const { hub, lines, gate } = await hubOf('test')
  await requests({ hub, gate })
  expect(lines).toEqual([])
})
