/** A wall clock that jumps under a hub that runs: what is owed must go on, and nothing may end that has no end. */
import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod'
import { connect, type TestClient } from '../helpers/client.ts'
import { type Receiver, startReceiver } from '../helpers/receiver.ts'
import { NAME, receiveAll, Scene, TOKEN } from './scene.ts'
import { WallClock } from './wall-clock.ts'

const RETRY_MS = 300
/** far above any pause that the hub was told to make */
const STALL_MS = 8_000
/** longer than an hour, shorter than a day */
const EXPIRE_S = 12 * 3_600
const EXPIRING = 40
const CLIENT = 'ringing'
/** recipients by what they are reached with; the vendor of the last one asks for a pause */
const OUTBOUND = ['pager', 'robot', 'limited'] as const
const ONCE_MS = 24 * 3_600_000

export interface Jump {
  readonly name: string
  /** what the clock shows at first; null: the time */
  readonly from: string | null
  /** ms */
  readonly by: number
  readonly zone?: string
}

export interface Violation {
  readonly kind: 'stalled' | 'midFell' | 'expired' | 'repeated' | 'badAuth' | 'lost' | 'storm' | 'badExit'
  readonly what: string
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const BERLIN = 'Europe/Berlin'

export const JUMPS: readonly Jump[] = [
  { name: 'a day back', from: null, by: -DAY },
  { name: 'a day ahead', from: null, by: DAY },
  { name: 'an hour back', from: null, by: -HOUR },
  { name: 'an hour ahead', from: null, by: HOUR },
  { name: 'into 29 February', from: '2028-02-28T23:59:55Z', by: 10_000 },
  { name: 'out of 29 February', from: '2028-02-29T23:59:55Z', by: 10_000 },
  { name: 'back into 29 February', from: '2028-03-01T00:00:05Z', by: -15_000 },
  { name: 'into summer time', from: '2026-03-29T00:59:55Z', by: 10_000, zone: BERLIN },
  { name: 'into summer time, set by hand', from: '2026-03-29T00:59:55Z', by: HOUR, zone: BERLIN },
  { name: 'into winter time', from: '2026-10-25T00:59:55Z', by: 10_000, zone: BERLIN },
  { name: 'into winter time, set by hand', from: '2026-10-25T00:59:55Z', by: -HOUR, zone: BERLIN },
]

const authSchema = z.object({ auth: z.string() })

/** A hub with a frame, a webhook and two robots that wait for another try when the clock jumps. */
export async function jumpUnder(jump: Jump): Promise<Violation[]> {
  const vendor = await startReceiver((response, { url }) =>
    url.includes('limited') ? response.writeHead(429, { 'retry-after': '1' }).end() : response.writeHead(503).end(),
  )
  const scene = await Scene.make(configOf(vendor.url))
  try {
    return await play(scene, vendor, jump)
  } finally {
    await scene.remove()
    await vendor.close()
  }
}

/** All jumps, one after the other. */
export async function clockJumps() {
  const violations: Violation[] = []
  for (const jump of JUMPS) {
    violations.push(...(await jumpUnder(jump)).map(({ kind, what }) => ({ kind, what: `${jump.name}: ${what}` })))
  }
  return { violations, figures: { jumps: JUMPS.length }, kept: null }
}

function configOf(vendor: string): object {
  const robot = (name: string) => ({
    platforms: { feishu: { webhooks: [{ name, url: `${vendor}/open-apis/bot/v2/hook/${name}`, secret: 's' }] } },
  })
  return {
    http: { waitTimeout: 100, verifyToken: true },
    websocket: { retryTimeout: RETRY_MS },
    queue: { retry_count: 3, retry_delay: RETRY_MS / 1_000 },
    webhook: { retryTimeout: RETRY_MS, clients: [{ name: 'pager', url: `${vendor}/pager` }] },
    recipients: { robot: robot('robot'), limited: robot('limited') },
    clients: [{ name: NAME }, { name: CLIENT }],
  }
}

async function play(scene: Scene, vendor: Receiver, jump: Jump): Promise<Violation[]> {
  const clock = await WallClock.make(scene.dir, jump.from)
  const env = { ...clock.env, ...(jump.zone === undefined ? {} : { TZ: jump.zone }) }
  const data = scene.folder()
  const hub = await scene.start(data, { env })
  const { client, auth } = await login(hub.url)

  const mids = [await send(hub.url, 'first'), await send(hub.url, 'keyed', { idem: 'the key' })]
  for (let n = 0; n < EXPIRING; n++) mids.push(await send(hub.url, `expiring-${n}`, { expire: EXPIRE_S }))
  const owed = await send(hub.url, 'a frame', {}, CLIENT)
  await client.message()
  for (const target of OUTBOUND) mids.push(await send(hub.url, 'by another way', {}, target))
  await until(() => OUTBOUND.every((name) => callsTo(vendor, name) > 0))

  await clock.jump(jump.by)
  vendor.answer = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"code":0}')
  const found = await checkTries(vendor, client, owed)
  found.push(...(await checkAfter(hub.url, [...mids, owed], auth, jump)))
  client.socket.terminate()
  const code = await hub.stop()
  if (code !== 0) found.push({ kind: 'badExit', what: `SIGTERM ended with ${code}` })

  const again = await scene.start(data, { env })
  const texts = await receiveAll(again.url)
  const expiring = texts.filter((text) => text.startsWith('expiring-')).length
  const expected = jump.by < EXPIRE_S * 1_000 ? EXPIRING : 0
  if (expiring !== expected)
    found.push({ kind: 'expired', what: `${expiring} of ${EXPIRING} are left, not ${expected}` })
  for (const text of ['first', 'keyed', 'after']) if (!texts.includes(text)) found.push({ kind: 'lost', what: text })
  await again.stop()
  return found
}

/** What waited for another try gets it, once. */
async function checkTries(vendor: Receiver, client: TestClient, owed: string): Promise<Violation[]> {
  const before = vendor.requests.length
  const found: Violation[] = []
  const again = await Promise.race([client.message(), pause(STALL_MS, null, { ref: false })])
  if (again?.mid !== owed) found.push({ kind: 'stalled', what: 'the frame did not come again' })
  client.ack(owed)
  await client.settled()
  const calls = () => vendor.requests.slice(before)
  await until(() => OUTBOUND.every((name) => calls().some(({ url }) => url.includes(name))))
  for (const name of OUTBOUND) {
    const count = calls().filter(({ url }) => url.includes(name)).length
    if (count === 0) found.push({ kind: 'stalled', what: `nothing went to ${name}` })
    if (count > 1) found.push({ kind: 'storm', what: `${count} requests went to ${name}` })
  }
  return found
}

/** New messages come after the old ones, a repeat is known as one, and who was known still is. */
async function checkAfter(url: string, mids: readonly string[], auth: string, { by }: Jump): Promise<Violation[]> {
  const found: Violation[] = []
  const highest = mids.toSorted().at(-1) ?? ''
  const after = await send(url, 'after')
  if (after <= highest) found.push({ kind: 'midFell', what: `${after} came after ${highest}` })
  const keyed = await send(url, 'keyed', { idem: 'the key' })
  const isKnown = keyed === mids[1]
  if (isKnown !== by < ONCE_MS) found.push({ kind: 'repeated', what: `the repeat of ${mids[1]} is ${keyed}` })
  const packet = { cmd: 'MESSAGE_CALLBACK', auth, data: { mid: after } }
  const { status: code } = await post(url, packet)
  if (code === 401) found.push({ kind: 'badAuth', what: 'what the hub signed is not good any more' })
  return found
}

async function login(url: string): Promise<{ client: TestClient; auth: string }> {
  const client = await connect(url.replace('http', 'ws'))
  client.send('AUTH', { token: TOKEN, name: CLIENT })
  return { client, auth: authSchema.parse((await client.next('AUTH')).data).auth }
}

/** Pushes a message; resolves with its mid. */
async function send(url: string, text: string, more: object = {}, target = NAME): Promise<string> {
  const data = { sendType: 'personal', target, message: { text, desp: '', extra: {} }, ...more }
  const response = await post(url, { cmd: 'MESSAGE', data })
  const mid = response.headers.get('x-message-id')
  if (mid === null) throw new Error(`${text} was answered ${response.status} ${await response.text()}`)
  return mid
}

function post(url: string, packet: object): Promise<Response> {
  const headers = { authorization: TOKEN, 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(packet) })
}

function callsTo({ requests }: Receiver, name: string): number {
  return requests.filter(({ url }) => url.includes(name)).length
}

/** Waits until it holds; not for ever. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + STALL_MS
  while (!holds() && performance.now() < deadline) await pause(20)
}
