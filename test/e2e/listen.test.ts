/** The model client as a user runs it, against a hub in a process of its own. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { type HubProcess, startProcess } from '../helpers/process.ts'
import { type Background, startShell } from '../helpers/shell.ts'

const program = join(import.meta.dirname, '../../dist/clients/examples/listen.js')

let data = ''
let closers: (() => Promise<unknown>)[] = []
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'carillon-listen-'))
})
afterEach(async () => {
  for (const close of closers.toReversed()) await close()
  closers = []
  rmSync(data, { recursive: true })
})

async function startHub(port = 0): Promise<HubProcess> {
  const hub = await startProcess(
    ['--data', data, '--port', `${port}`, '--host', '127.0.0.1'],
    { CARILLON_HTTP__WAIT_TIMEOUT: '2000' },
    data,
  )
  closers.push(() => hub.stop('SIGKILL'))
  return hub
}

/** @param args as they are typed behind `npm run listen --` */
function listen(args: string, env: NodeJS.ProcessEnv = {}): Background {
  const listener = startShell(`exec node "$PROGRAM" ${args}`, {
    cwd: data,
    env: { CARILLON_TOKEN: undefined, CARILLON_DATA: data, PROGRAM: program, ...env },
  })
  closers.push(() => listener.stop('SIGKILL'))
  return listener
}

async function listening(args: string, env: NodeJS.ProcessEnv = {}): Promise<Background> {
  const listener = listen(args, env)
  await listener.printed('listening as')
  return listener
}

async function push(hub: HubProcess, path: string): Promise<unknown> {
  const response = await fetch(`${hub.url}/${path}`)
  return response.json()
}

function lines(listener: Background): string[] {
  return listener
    .output()
    .split('\n')
    .filter((line) => /^\d{13} /.test(line))
    .map((line) => line.slice('1795504164464  '.length))
}

describe('with a hub', () => {
  test('each message is one line, without anything that a terminal obeys, and acked', async () => {
    const hub = await startHub()
    const listener = await listening(`me --url ${hub.url}`)

    expect(await push(hub, 'me.send?text=two%0Alines%1B%5B2J&desp=world&colour=red')).toMatchObject({
      data: { me: 'ok' },
    })
    await listener.printed(/two.*\n/)
    expect(lines(listener)).toEqual(['two lines [2J  world  {"colour":"red"}'])
  })

  test('--group joins, --no-ack keeps silent', async () => {
    const hub = await startHub()
    await listening(`me --url ${hub.url} --group home`)
    await listening(`tablet --url ${hub.url} --group home --no-ack`)

    expect(await push(hub, 'home.group?text=dinner')).toMatchObject({ data: { me: 'ok', tablet: 'wait' } })
  })

  test('it comes back when the hub does, gets what it missed and prints nothing twice', async () => {
    const first = await startHub()
    const listener = await listening(`me --url ${first.url}`)
    await push(first, 'me.send?text=before')
    await first.stop()
    await listener.printed('not connected')

    const second = await startHub(first.port)
    await push(second, 'me.send?text=after')
    await listener.printed(/after\n/)
    expect(lines(listener)).toEqual(['before', 'after'])
  })

  test('it gives way to a newer client of its name', async () => {
    const hub = await startHub()
    const older = await listening(`me --url ${hub.url}`)
    await listening(`me --url ${hub.url}`)

    expect(await older.ended).toBe(1)
    expect(older.output()).toContain('4001')
  })

  test('Ctrl-C ends it well', async () => {
    const hub = await startHub()
    const listener = await listening(`me --url ${hub.url}`)
    await listener.stop('SIGINT')
    expect(await listener.ended).toBe(0)
  })
})

describe('the token', () => {
  test('is taken from the flag, then the environment', async () => {
    const hub = await startHub()
    const token = readFileSync(join(data, 'token'), 'utf8').trim()

    await listening(`a --url ${hub.url} --token ${token}`, { CARILLON_DATA: undefined, CARILLON_TOKEN: 'wrong' })
    await listening(`b --url ${hub.url}`, { CARILLON_DATA: join(data, 'none'), CARILLON_TOKEN: token })
  })

  test('of this machine is not told to another address', async () => {
    const hub = await startHub()
    // the same hub, but by a name that might be anywhere
    const listener = listen(`me --url ws://0.0.0.0:${hub.port}`)

    expect(await listener.ended).toBe(1)
    expect(listener.output()).toContain('Token invalid')
  })

  test('that is wrong ends it with what to do', async () => {
    const hub = await startHub()
    const listener = listen(`me --url ${hub.url} --token wrong`)

    expect(await listener.ended).toBe(1)
    expect(listener.output()).toContain("Token invalid: give the hub's token by --token or CARILLON_TOKEN")
  })
})

/** A hub that signs everybody in, then does as told. */
async function startScript(onPacket: (packet: string, send: (packet: unknown) => void) => void) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => {
    const send = (packet: unknown) => socket.send(JSON.stringify(packet))
    socket.on('message', (frame: Buffer) => {
      const packet = frame.toString()
      if (packet.includes('"AUTH"')) send({ cmd: 'AUTH', data: { code: 200, msg: 'ok' } })
      onPacket(packet, send)
    })
  })
  await once(server, 'listening')
  closers.push(async () => {
    for (const socket of server.clients) socket.terminate()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return { server, url: `ws://127.0.0.1:${port}` }
}

describe('with a hub that misbehaves', () => {
  test('a message that comes again is acked again and printed once', async () => {
    const message = {
      cmd: 'MESSAGE',
      data: { mid: '1795504164464', from: { name: 'bob' }, message: { text: 'again', desp: '', extra: {} } },
    }
    const acks: string[] = []
    const { url } = await startScript((packet, send) => {
      if (packet.includes('MESSAGE_CALLBACK')) acks.push(packet)
      if (packet.includes('"AUTH"')) for (const _ of [1, 2]) send(message)
      if (acks.length === 2) send({ cmd: 'INFO', data: 'enough' })
    })
    const listener = listen(`me --url ${url}`)

    await listener.printed('the hub says: enough')
    expect(acks[1]).toBe('{"cmd":"MESSAGE_CALLBACK","data":{"mid":"1795504164464"}}')
    expect(lines(listener)).toEqual(['bob:  again'])
  })

  test('a line that went dead is left for a new one', async () => {
    const packets: string[] = []
    const { server, url } = await startScript((packet) => void packets.push(packet))
    const listener = await listening(`me --url ${url} --ping 0.05`)

    await once(server, 'connection')
    expect(packets).toContain('{"cmd":"PING"}')
    await listener.printed('not connected')
  })
})

test.each([
  ['', 'one name is needed'],
  ['me you', 'one name is needed'],
  ['me --ping soon', '--ping is a number of seconds'],
  ['me --url nowhere', 'Invalid URL'],
  ['me --tokn x', '--tokn'],
])('listen %s is answered with the usage', async (args, fault) => {
  const listener = listen(args)
  expect(await listener.ended).toBe(1)
  expect(listener.output()).toContain(fault)
  expect(listener.output()).toContain('npm run listen -- NAME')
})
