/** Whatever comes by HTTP is answered with 2xx to 4xx, or not as HTTP at all; nothing is a fault of the hub. */
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { createLog } from '../../server/ground/log.ts'
import { startHub, type TestHub } from '../helpers/hub.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { slips } from './bytes.ts'
import { request } from './requests.ts'
import { openWire, statuses, type Wire } from './wire.ts'

const AT_ONCE = 30

let hub: TestHub
let faults: string[]
beforeEach(async () => {
  const vendor = await startReceiver((response) => response.writeHead(200).end('{"ok":true}'))
  faults = []
  hub = await startHub({
    log: createLog('error', { write: (line) => void faults.push(line) }),
    config: {
      http: { waitTimeout: 0 },
      clients: [{ name: 'me', group: 'dev' }],
      recipients: { ops: { platforms: { webhook: { webhooks: [{ url: vendor.url }] } } } },
      sdk: { slack: { token: 'xoxb-1', baseUrl: vendor.url } },
    },
  })
  return () => vendor.close()
})

interface Answered {
  readonly bytes: string
  readonly answers: readonly number[]
}

/** Each with what it was answered until the hub closed. @param send writes them; it may say that nothing more comes */
async function answersTo(requests: readonly Buffer[], send: (wire: Wire, bytes: Buffer) => void): Promise<Answered[]> {
  const all: Answered[] = []
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    await Promise.all(
      requests.slice(at, at + AT_ONCE).map(async (bytes) => {
        const wire = await openWire(hub)
        send(wire, bytes)
        await wire.closed
        all.push({ bytes: bytes.toString('latin1'), answers: statuses(wire.heard().toString('latin1')) })
      }),
    )
  }
  return all
}

const isFault = (status: number) => status < 200 || status >= 500

test('3,000 requests of any method to any path with any header and body', async () => {
  const requests = fc.sample(request, { seed: 81, numRuns: 3_000 })
  const all = await answersTo(requests, ({ socket }, bytes) => socket.write(bytes))
  expect(all.filter(({ answers }) => answers.length !== 1 || answers.some(isFault))).toEqual([])
  expect(faults).toEqual([])
}, 60_000)

test('3,000 of them with a byte wrong here and there', async () => {
  const recorded = fc.sample(request, { seed: 82, numRuns: 200 })
  const requests = fc.sample(slips(recorded), { seed: 83, numRuns: 3_000 })
  const all = await answersTo(requests, ({ socket }, bytes) => socket.end(bytes))
  expect(all.filter(({ answers }) => answers.some(isFault))).toEqual([])
  expect(all.filter(({ answers }) => answers.includes(200)).length).toBeGreaterThan(30)
  expect(faults).toEqual([])
  expect((await hub.get('/health')).status).toBe(200)
}, 60_000)
