/** The built commands, as an operator types them, beside a hub under load that checkpoints all the time. */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hubs } from '../../../crash/hubs/index.ts'
import { temporaryFolder } from '../../../helpers/folder.ts'
import { type HubProcess, spawnHub, startProcess } from '../../../helpers/process.ts'
import { openRig } from '../rig.ts'

const carillon = new URL('../../../../dist/clients/cli/carillon.js', import.meta.url).pathname
const SENDERS = 3
const NAMES = ['alice', 'bob', 'carol']
const BEFORE = 200
const ROUNDS = 2
/** they start a dozen programs */
const TIMEOUT_MS = 120_000
const long = { timeout: TIMEOUT_MS }

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let data = ''
let hub: HubProcess | null = null

beforeEach(async () => {
  folder = await temporaryFolder()
  data = join(folder.dir, 'data')
})
afterEach(async () => {
  await hub?.stop('SIGKILL')
  await folder.remove()
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [carillon, 'store', ...args], { cwd: folder.dir }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

interface Load {
  /** mids that senders have been told */
  readonly answered: Set<string>
  stop(): Promise<void>
}

/** Senders that push all the time. */
function startLoad(url: string, token: string): Load {
  const answered = new Set<string>()
  let ended = false
  async function send(sender: number): Promise<void> {
    for (let n = 0; !ended; n += 1) {
      const response = await fetch(`${url}/${NAMES[n % NAMES.length]}.send?text=${sender}-${n}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      await response.text()
      if (response.ok) answered.add(response.headers.get('x-message-id') ?? '')
    }
  }
  // a test that failed takes the hub away while they send
  const senders = Array.from({ length: SENDERS }, (_, n) => send(n).catch(() => {}))
  return {
    answered,
    async stop() {
      ended = true
      await Promise.all(senders)
    },
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a backup beside a hub under load holds every push answered before, and becomes a hub again', long, async () => {
  mkdirSync(data, { mode: 0o700 })
  const config = join(folder.dir, 'config.json')
  const clients = NAMES.map((name) => ({ name }))
  writeFileSync(config, JSON.stringify({ http: { host: '127.0.0.1', waitTimeout: 0 }, clients }), { mode: 0o600 })
  hub = await spawnHub(['--config', config, '--data', data, '--port', '0'], {}, hubs.get('restless')).listening
  const token = readFileSync(join(data, 'token'), 'utf8').trim()
  const load = startLoad(hub.url, token)
  for (let round = 1; round <= ROUNDS; round += 1) {
    const enough = load.answered.size + BEFORE
    await until(() => load.answered.size >= enough)
    const promised = [...load.answered]
    const copy = join(folder.dir, `backup ${round}`)
    const made = await run('backup', copy, '--data', data, '--json')
    expect(made, made.err).toMatchObject({ code: 0 })
    expect(JSON.parse(made.out)).toMatchObject({ sound: true, runningAs: null, findings: [] })

    const restored = join(folder.dir, `restored ${round}`)
    expect((await run('restore', copy, '--data', restored)).code).toBe(0)
    expect(readFileSync(join(restored, 'token'), 'utf8').trim()).toBe(token)
    const { store } = await openRig(restored, { checkpointBytes: Number.MAX_SAFE_INTEGER })
    for (const mid of promised) expect(await store.message(mid), mid).not.toBeNull()
    await store.close()
  }
  const seen = await run('check', '--data', data, '--json')
  expect(seen.code).toBe(0)
  expect(JSON.parse(seen.out)).toMatchObject({ sound: true, runningAs: hub.child.pid, findings: [] })
  expect(await run('repair', '--data', data)).toMatchObject({ code: 1, err: expect.stringContaining('is in use') })
  await load.stop()
  await hub.stop('SIGKILL')

  hub = await startProcess(['--config', config, '--data', join(folder.dir, `restored ${ROUNDS}`), '--port', '0'])
  expect((await fetch(`${hub.url}/health`)).status).toBe(200)
})

test('damage is told with exit code 1, repaired with the loss accepted, and the hub starts', long, async () => {
  hub = await startProcess(['--data', data, '--port', '0'])
  await hub.stop()
  const sound = await run('check', '--data', data)
  expect(sound).toMatchObject({ code: 0, err: '' })
  expect(sound.out).toMatch(/^.*data: \d+ messages? in \d+ segments? and 1 journal, .*\nsound\n$/)
  truncateSync(join(data, 'manifest.json'), 40)
  const bad = await run('check', '--data', data)
  expect(bad.code).toBe(1)
  expect(bad.out).toContain('damaged: manifest.json, byte 40: it ends too early')
  const left = await run('repair', '--data', data)
  expect(left).toMatchObject({ code: 1 })
  expect(left.out).toContain('nothing was changed')
  const done = await run('repair', '--accept-loss', '--data', data)
  expect(done, done.err).toMatchObject({ code: 0 })
  expect(done.out).toMatch(
    /lost: manifest\.json, byte 40: it ends too early\nput aside in .*set-aside-.*\n.*\nsound\n$/,
  )
  expect(readdirSync(data).filter((name) => name.startsWith('set-aside-'))).toHaveLength(1)
  hub = await startProcess(['--data', data, '--port', '0'])
  expect((await fetch(`${hub.url}/health`)).status).toBe(200)
})

test('a wrong command line is exit code 2, and no data folder is exit code 1', long, async () => {
  expect(await run('backup')).toMatchObject({ code: 2, err: expect.stringContaining('store backup needs DIR') })
  expect(await run('check', '--data', join(folder.dir, 'nowhere'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is no folder'),
  })
})
