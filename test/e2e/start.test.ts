/** The built program as its user starts it, each time in an empty folder. */
import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type HubProcess, spawnHub } from '../helpers/process.ts'

let cwd = ''
let children: ChildProcess[] = []
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'carillon-start-'))
})
afterEach(async () => {
  await Promise.all(children.map(end))
  children = []
  rmSync(cwd, { recursive: true })
})

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function start(args: string[], env: NodeJS.ProcessEnv = {}): Promise<HubProcess> {
  const { child, listening } = spawnHub(args, env, undefined, cwd)
  children.push(child)
  return listening
}

/** Runs to its end: what it printed and its exit code. */
async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; output: string }> {
  const { child, listening, output } = spawnHub(args, env, undefined, cwd)
  children.push(child)
  listening.catch(() => {})
  const [code]: unknown[] = await once(child, 'close')
  return { code, output: output() }
}

function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], { cwd }, (error, stdout) => (error ? reject(error) : resolve(stdout)))
  })
}

async function seen(hub: HubProcess, text: string): Promise<void> {
  while (!hub.output().includes(text)) await once(hub.child.stderr ?? hub.child, 'data')
}

function curlLines(hub: HubProcess): string[] {
  return hub
    .output()
    .split('\n')
    .filter((line) => line.trimStart().startsWith('curl '))
}

describe('without a config', () => {
  test('the first run tells how to push, and its curl lines work', async () => {
    const hub = await start(['--port', '0'])
    await seen(hub, 'It is not shown again')
    const token = readFileSync(join(cwd, 'data/token'), 'utf8').trim()

    expect(new URL(hub.url).hostname).toBe('127.0.0.1')
    expect(hub.output()).toContain(`token: ${token}`)
    const lines = curlLines(hub)
    expect(lines).toHaveLength(2)
    for (const line of lines) {
      expect(JSON.parse(await shell(`${line} -s`))).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'no' } })
    }
  })

  test('the folder 0700, the token 0600, whatever the umask', async () => {
    await start(['--port', '0'])
    expect(statSync(join(cwd, 'data')).mode & 0o777).toBe(0o700)
    expect(statSync(join(cwd, 'data/token')).mode & 0o777).toBe(0o600)
  })

  test('the second run keeps the token and does not show it', async () => {
    await (await start(['--port', '0'])).stop()
    const token = readFileSync(join(cwd, 'data/token'), 'utf8').trim()
    const hub = await start(['--port', '0'])
    await seen(hub, 'curl')

    expect(readFileSync(join(cwd, 'data/token'), 'utf8').trim()).toBe(token)
    expect(hub.output()).not.toContain(token)
    for (const line of curlLines(hub)) expect(await shell(`${line} -s`)).toContain('MESSAGE_REPLY')
  })
})

describe('with a config file', () => {
  test.each([['--config'], ['-config']])('%s: its path is printed, no banner, its mode is mentioned', async (flag) => {
    writeFileSync(join(cwd, 'my.yaml'), 'token: a-token-of-16-characters-or-more\nhttp: {verifyToken: true}\n', {
      mode: 0o644,
    })
    const hub = await start(['serve', flag, 'my.yaml', '--port', '0', '--host', '127.0.0.1', '--data', 'd'])
    expect(hub.output()).toMatch(/"file":"my.yaml","msg":"the config was read"/)
    expect(hub.output()).toMatch(/"level":"warn".*chmod 600 my.yaml/)
    expect(hub.output()).not.toContain('curl')
    expect((await fetch(`${hub.url}/me.send?text=a`)).status).toBe(401)
    expect(statSync(join(cwd, 'd')).mode & 0o777).toBe(0o700)
  })

  test('WebSocket on a port of its own', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await new Promise((done) => taken.close(done))
    writeFileSync(join(cwd, 'config.json'), `{"http": {"host": "127.0.0.1"}, "websocket": {"port": ${port}}}`)
    const hub = await start(['--port', '0'])

    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(426)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/mpush`)
    await once(socket, 'open')
    socket.send('{"cmd":"PING"}')
    const [pong]: unknown[] = await once(socket, 'message')
    expect(String(pong)).toBe('{"cmd":"PONG","data":""}')
    socket.terminate()
    expect(hub.port).not.toBe(port)
  })
})

describe('what cannot start says why and ends with 1, with 2 for a wrong command line', () => {
  test('a port in use', async () => {
    const { port } = await start(['--port', '0'])
    const { code, output } = await run(['--port', String(port), '--data', 'other'])
    expect(code).toBe(1)
    expect(output).toContain(
      `carillon: port ${port} of 127.0.0.1 is in use: choose another with http.port in the config or --port\n`,
    )
  })

  test('a data folder in use', async () => {
    const { child } = await start(['--port', '0'])
    const { code, output } = await run(['--port', '0'])
    expect(code).toBe(1)
    expect(output).toBe(`carillon: ./data is in use by process ${child.pid}: one hub per data folder\n`)
  })

  test('a config with mistakes: all of them', async () => {
    writeFileSync(join(cwd, 'config.json'), '{"http": {"prot": 1, "cors": 2}, "tokn": "x"}')
    const { code, output } = await run([])
    expect(code).toBe(1)
    expect(output.split('\n')).toEqual([
      'carillon: the config has 3 mistakes (config.json):',
      '  http.cors: expected boolean, received number',
      '  http.prot: there is no such key; did you mean http.port?',
      '  tokn: there is no such key; did you mean token?',
      '',
    ])
  })

  test.each([
    [['--config', 'none.yaml'], 1, 'the file cannot be read: ENOENT'],
    [['--host', '192.0.2.1', '--port', '0'], 1, 'is no address of this machine'],
    [['--prot', '1'], 2, 'serve has no option --prot; did you mean --port?'],
    [['--port', 'x'], 2, '--port is a number from 0 to 65535, not x'],
    [['dance'], 2, 'there is no command dance'],
  ])('%j: %i', async (args, exitCode, text) => {
    const { code, output } = await run(args)
    expect(code).toBe(exitCode)
    expect(output).toContain(text)
    expect(output).not.toMatch(/^ +at /m)
  })
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s: sockets are told, waiting senders answered, exit 0', async (signal) => {
  const hub = await start(['--port', '0', '--host', '127.0.0.1'], {
    CARILLON_TOKEN: 'a-token-of-16-characters-or-more',
  })
  const socket = new WebSocket(hub.url.replace('http', 'ws'))
  await once(socket, 'open')
  socket.send('{"cmd":"AUTH","data":{"token":"a-token-of-16-characters-or-more","name":"me"}}')
  await once(socket, 'message')
  const reply = fetch(`${hub.url}/me.send?text=a`)
  await once(socket, 'message')
  const closed = once(socket, 'close')

  const began = Date.now()
  expect(await hub.stop(signal)).toBe(0)
  expect(Date.now() - began).toBeLessThan(5000)
  expect((await closed)[0]).toBe(1012)
  expect(await (await reply).json()).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'wait' } })
})

test('--version and --help', async () => {
  expect(await run(['--version'])).toMatchObject({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  expect((await run(['--help'])).output).toContain('--config FILE')
})
