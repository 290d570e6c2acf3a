/** A line that breaks again and again, in both directions and in the middle of frames. */
import { once } from 'node:events'
import { type AddressInfo, connect as dial, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ConnectOptions } from '../../../clients/sdk/index.ts'
import { random } from '../../crash/random.ts'
import { startHub } from '../../helpers/hub.ts'
import { join, joined, reached } from './stage.ts'

const COUNT = 200
const SEED = 20_261_124

/** Stands before a hub; each line through it breaks after some random number of bytes, until it is told to hold. */
async function startStorm(url: string) {
  const { between } = random(SEED, 'storm')
  const sockets = new Set<Socket>()
  let breaks = 0
  let raging = true
  const server = createServer((near) => {
    const far = dial(Number(new URL(url).port), '127.0.0.1')
    let left = between(1_000, 8_000)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (chunk: Buffer) => {
        to.write(raging ? chunk.subarray(0, Math.max(0, left)) : chunk)
        left -= chunk.length
        if (left > 0 || !raging) return
        breaks += 1
        // what was let through arrives before the end
        to.end(() => from.destroy())
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breaks: () => breaks,
    calm: () => (raging = false),
  }
}

/** Is woken after every break, so that no time passes. */
function joinStorm(url: string, name: string, options: Partial<ConnectOptions> = {}) {
  let wakeUp = () => {}
  const wake = (tryNow: () => void) => {
    wakeUp = tryNow
    return () => {}
  }
  const connection = join(url, name, { wake, ...options })
  connection.on('state', ({ status }) => status === 'waiting' && setImmediate(wakeUp))
  return connection
}

test.each([1, 16])('every message is handled once and in order, window %i', async (window) => {
  const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
  await joined(hub.url, 'me').then((me) => me.close())
  const storm = await startStorm(hub.url)
  const me = joinStorm(storm.url, 'me', { window })
  const got: number[] = []
  const all = new Promise<void>((resolve) => {
    me.onMessage(async ({ text }) => {
      await new Promise((later) => setImmediate(later))
      got.push(Number(text))
      if (got.length === COUNT) resolve()
    })
  })
  for (let n = 0; n < COUNT; n += 1) await hub.get(`/me.send?text=${n}`)
  await all
  storm.calm()
  await reached(me, 'online')
  await me.close()
  expect(got).toEqual(Array.from({ length: COUNT }, (_, n) => n))
  expect(storm.breaks()).toBeGreaterThan(5)
  expect((await hub.store.inbox('me@user', { open: true, limit: 1 })).items).toEqual([])
})

test('every push is accepted once', async () => {
  const hub = await startHub({ config: { websocket: { waitTimeout: 0 }, clients: [{ name: 'you' }] } })
  const storm = await startStorm(hub.url)
  const me = joinStorm(storm.url, 'me')
  const mids = new Set<string | null>()
  let next = 0
  async function pushOn(): Promise<void> {
    while (next < COUNT) mids.add((await me.push({ to: 'you', text: `${next++}` }, { retryForMs: 60_000 })).mid)
  }
  await Promise.all([1, 2, 3, 4, 5].map(pushOn))
  expect(storm.breaks()).toBeGreaterThan(5)
  expect(mids.size).toBe(COUNT)
  expect((await hub.store.inbox('you@user', { limit: COUNT * 2 })).items).toHaveLength(COUNT)
})
