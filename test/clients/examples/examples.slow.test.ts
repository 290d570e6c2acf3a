/** Every example as a person runs it, against a real hub. Those whose interpreter is missing are left out. */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { noChromium, openPage, servePages } from '../../helpers/chromium.ts'
import { startHub, type TestHub, TOKEN } from '../../helpers/hub.ts'
import { type Background, startShell } from '../../helpers/shell.ts'
import { joined } from '../sdk/stage.ts'

const SECRET = 'a secret of our own'
const TEXT = `it's "quoted" & 你好`
const QUERY = new URLSearchParams({ text: TEXT, desp: 'more' }).toString()
/** programs of others take their time to start */
const PATIENCE = { timeout: 20_000 }

/** '' where the command runs here, else why its example cannot be tried. */
function without(program: string, ...args: string[]): string {
  const { status } = spawnSync(program, args, { stdio: 'ignore' })
  return status === 0 ? '' : ` (left out: ${[program, ...args].join(' ')} fails)`
}

/** The system's Python has the package of the distribution, another one may come first in the path. */
const python = without('/usr/bin/python3', '-c', 'import websockets') === '' ? '/usr/bin/python3' : 'python3'
const noCurl = without('curl', '--version')
const noPython = without(python, '--version')
const noWebsockets = without(python, '-c', 'import websockets')
const noGo = without('go', 'version')

let bin = ''
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'carillon-examples-'))
  for (const name of noGo ? [] : ['send', 'receive'])
    execFileSync('go', ['build', '-o', join(bin, name), `clients/examples/${name}.go`], { stdio: 'pipe' })
})
afterAll(() => rmSync(bin, { recursive: true }))

/** Runs an example as somebody types it; `$BIN` is where those are that had to be built. */
function run(command: string, hub: TestHub, env: NodeJS.ProcessEnv = {}): Background {
  const running = startShell(`exec ${command}`, {
    env: {
      BIN: bin,
      CARILLON_URL: hub.url,
      CARILLON_TOKEN: TOKEN,
      CARILLON_SECRET: SECRET,
      no_proxy: '*',
      TEXT,
      ...env,
    },
  })
  onTestFinished(() => running.stop('SIGKILL'))
  return running
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('sends', () => {
  const verify = { config: { http: { verifyToken: true } } }
  const examples = [
    ['send.sh', 'clients/examples/send.sh', noCurl],
    ['send.js', 'node clients/examples/send.js', ''],
    ['send.py', `${python} clients/examples/send.py`, noPython],
    ['send.go', '"$BIN/send"', noGo],
  ] as const

  describe.each(examples)('%s', (_, command, missing) => {
    test.skipIf(missing)(`and says that it arrived${missing}`, async () => {
      const hub = await startHub(verify)
      const me = await joined(hub.url, 'me')
      const texts: string[] = []
      me.onMessage(({ text }) => void texts.push(text))
      const sender = run(`${command} me "$TEXT"`, hub)
      expect(await sender.ended).toBe(0)
      expect(sender.output()).toMatch(/\bme\W+ok\b/)
      expect(texts).toEqual([TEXT])
    })

    test.skipIf(missing)(`and fails with the reason when it is refused${missing}`, async () => {
      const hub = await startHub(verify)
      const sender = run(`${command} me "$TEXT"`, hub, { CARILLON_TOKEN: 'wrong' })
      expect(await sender.ended).not.toBe(0)
      expect(sender.output()).toMatch(/need-token|a valid token is needed/)
    })
  })
})

describe('receives', () => {
  const examples = [
    ['receive.js', 'node clients/examples/receive.js me', ''],
    ['receive.py', `${python} clients/examples/receive.py me`, noWebsockets],
  ] as const

  describe.each(examples)('%s', (_, command, missing) => {
    test.skipIf(missing)(`and the sender reads ok${missing}`, async () => {
      const hub = await startHub()
      const receiver = run(command, hub)
      await expect.poll(async () => (await hub.get('/health')).json, PATIENCE).toMatchObject({ sessions: 1 })
      expect((await hub.get(`/me.send?${QUERY}`)).json).toMatchObject({ data: { me: 'ok' } })
      await receiver.printed(`${TEXT} more\n`)
    })

    test.skipIf(missing)(`and ends with the reason when the token is wrong${missing}`, async () => {
      const hub = await startHub()
      const receiver = run(command, hub, { CARILLON_TOKEN: 'wrong' })
      await receiver.ended
      expect(receiver.output()).toContain('Token invalid')
    })

    test.skipIf(missing)(`and comes back when the hub does${missing}`, async () => {
      const hub = await startHub()
      const receiver = run(command, hub)
      await expect.poll(async () => (await hub.get('/health')).json, PATIENCE).toMatchObject({ sessions: 1 })
      await hub.close()
      const again = await startHub({ store: hub.store, config: { http: { port: Number(new URL(hub.url).port) } } })
      await again.get(`/me.send?${QUERY}`)
      await receiver.printed(`${TEXT} more\n`)
    })
  })

  test.skipIf(noGo)(`receive.go as a webhook, signed ones only${noGo}`, async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const sections: object = { webhook: { clients: [{ name: 'robot', url, secret: SECRET }] } }
    const hub = await startHub({ config: { ...sections } })
    const receiver = run(`"$BIN/receive" 127.0.0.1:${port}`, hub)
    const bare = () => fetch(url).then(({ status }) => status)
    await expect.poll(() => bare().catch(() => 0), PATIENCE).toBe(401)
    expect((await hub.get(`/robot.send?${QUERY}`)).json).toMatchObject({ data: { robot: 'ok' } })
    await receiver.printed(`${TEXT} more\n`)
    expect(receiver.output()).toBe(`${TEXT} more\n`)
  })

  test.skipIf(noChromium)(`page.html shows it, and a person confirms${noChromium}`, async () => {
    // a page around it that says what it shows, and presses the button
    const outer = `<!doctype html><iframe></iframe><script>
      const frame = document.querySelector('iframe')
      frame.src = '/clients/examples/page.html' + location.hash
      frame.onload = () => {
        const { body } = frame.contentDocument
        const report = () => fetch('/report', { method: 'POST', body: JSON.stringify({
          state: body.querySelector('#state').value,
          shown: [...body.querySelectorAll('li p')].map(({ textContent }) => textContent),
        }) })
        const press = () => body.querySelector('li button')?.click()
        new MutationObserver(() => report().then(press)).observe(body, { subtree: true, childList: true })
        report()
      }</script>`
    const hub = await startHub()
    const pages = await servePages({ '/outer': outer })
    onTestFinished(() => pages.close())
    const told = new URLSearchParams({ url: hub.url, name: 'me', token: TOKEN }).toString()
    onTestFinished(await openPage(`${pages.url}/outer#${told}`))

    await expect.poll(async () => (await hub.get('/health')).json, PATIENCE).toMatchObject({ sessions: 1 })
    expect((await hub.get(`/me.send?${QUERY}`)).json).toMatchObject({ data: { me: 'ok' } })
    const shown = (texts: string[]) => expect.objectContaining({ shown: texts })
    await expect.poll(() => pages.reports, PATIENCE).toContainEqual(shown([`${TEXT} more`]))
    // pressed, confirmed, cleared
    await expect.poll(() => pages.reports.at(-1), PATIENCE).toEqual({ state: 'online ', shown: [] })
  })
})
