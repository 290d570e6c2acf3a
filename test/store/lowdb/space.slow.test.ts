/** The built hub on a disk of a few MiB that is full for real. Needs `npm run build`, and root for the mount. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect, type TestClient } from '../../helpers/client.ts'
import { temporaryFolder } from '../../helpers/folder.ts'
import { type HubProcess, startProcess } from '../../helpers/process.ts'

const DISK_BYTES = 4 * 1024 * 1024
const TEXT = 'x'.repeat(8_000)
const TOKEN = 'a token that is long enough for a hub'
const ADMIN = 'another token that is long enough, too'
/** what others have from the start, and let go at the end */
const OTHERS = Buffer.alloc(DISK_BYTES / 3, 1)
const BLOCK = Buffer.alloc(4_096, 1)
const RECOVERY_MS = 5_000

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let dir = ''
let isMounted = false
let hub: HubProcess | null = null

beforeEach(async () => {
  folder = await temporaryFolder()
  dir = join(folder.dir, 'data')
  mkdirSync(dir)
  isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir]).status === 0
})
afterEach(async () => {
  await hub?.stop('SIGKILL')
  hub = null
  // lazily: a test that failed may have files open
  if (isMounted) execFileSync('umount', ['-l', dir])
  await folder.remove()
})

const ballast = () => join(dir, 'ballast')
const headers = (token = TOKEN) => ({ authorization: `Bearer ${token}` })

async function start(): Promise<HubProcess> {
  const env = { CARILLON_TOKEN: TOKEN, CARILLON_ADMIN_TOKEN: ADMIN, CARILLON_HTTP__WAIT_TIMEOUT: '0' }
  hub = await startProcess(['--data', dir, '--port', '0'], env, folder.dir)
  return hub
}

async function push(to: string, text: string, token = TOKEN): Promise<{ status: number; mid: string }> {
  const response = await fetch(`${hub?.url}/`, {
    method: 'POST',
    headers: { ...headers(token), 'content-type': 'application/json' },
    body: JSON.stringify({
      cmd: 'MESSAGE',
      data: { sendType: 'personal', target: to, message: { text, desp: TEXT } },
    }),
  })
  await response.text()
  return { status: response.status, mid: response.headers.get('x-message-id') ?? '' }
}

async function login(name: string): Promise<TestClient> {
  const client = await connect(hub?.url.replace('http', 'ws') ?? '')
  client.send('AUTH', { token: TOKEN, name })
  await client.next('AUTH')
  return client
}

/** Takes all the space that others can have. */
function eatAll(): void {
  const file = openSync(ballast(), 'a')
  try {
    for (;;) writeSync(file, BLOCK)
  } catch {
    closeSync(file)
  }
}

const health = async () => (await fetch(`${hub?.url}/health`)).json() as Promise<{ reason: string | null }>

test('a full disk: pushes are 507, acks and deletes go on and survive a kill, and with space it goes on', async ({
  skip,
}) => {
  skip(!isMounted, 'nothing can be mounted here')
  writeFileSync(ballast(), OTHERS)
  await start()
  for (const name of ['me', 'other']) (await login(name)).socket.close()
  const note = await push('system', 'note', ADMIN)
  expect(note.status).toBe(200)
  const mids: string[] = []
  for (let pushed = await push('me', '0'); pushed.status === 200; pushed = await push('me', String(mids.length))) {
    mids.push(pushed.mid)
  }
  expect(mids.length).toBeGreaterThan(50)
  for (let n = 0; n < 5; n += 1) expect((await push('me', 'too much')).status).toBe(507)
  expect(await health()).toMatchObject({ reason: 'the disk is nearly full' })

  eatAll()
  const me = await login('me')
  for (const mid of mids.slice(0, -1)) {
    expect((await me.message()).mid).toBe(mid)
    me.ack(mid)
  }
  expect((await me.message()).mid).toBe(mids.at(-1))
  await me.settled()
  const found = await fetch(`${hub?.url}/api/v1/notifications`, { headers: headers(ADMIN) })
  const { data } = (await found.json()) as { data: { notifications: { id: string }[] } }
  const [{ id } = { id: '' }] = data.notifications
  const removed = await fetch(`${hub?.url}/api/v1/notifications/${id}`, { method: 'DELETE', headers: headers(ADMIN) })
  expect(removed.status).toBe(200)
  // what is lazy is on disk within 5 ms, and a sync write behind it does not return before
  await hub?.stop('SIGKILL')
  expect(existsSync(join(dir, 'RESERVE'))).toBe(false)

  await start()
  expect((await push('me', 'too much')).status).toBe(507)
  const again = await login('me')
  expect((await again.message()).mid).toBe(mids.at(-1))
  again.ack(mids.at(-1) ?? '')
  await again.settled()
  expect(again.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toHaveLength(1)
  expect((await fetch(`${hub?.url}/api/v1/notifications/${id}`, { headers: headers(ADMIN) })).status).toBe(404)

  rmSync(ballast())
  const since = performance.now()
  let next = await push('other', 'again')
  while (next.status !== 200 && performance.now() - since < RECOVERY_MS) next = await push('other', 'again')
  expect(next.status).toBe(200)
  expect(existsSync(join(dir, 'RESERVE'))).toBe(true)
  expect(await health()).toMatchObject({ reason: null })
  expect((await (await login('other')).message()).mid).toBe(next.mid)
  const said = hub?.output() ?? ''
  expect(said.match(/there is space on the disk again/g)).toHaveLength(1)
  expect(said).not.toContain('"level":"fatal"')
})
