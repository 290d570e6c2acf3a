/** `carillon listen` as a user runs it, against a hub in a process of its own. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import listenCommand from '../../clients/cli/listen.ts'
import { BadArguments } from '../../server/cli/arguments.ts'
import { HASTY, push, useStage, visited } from '../helpers/listeners.ts'
import type { Background } from '../helpers/shell.ts'

const { data, startHub, listen, listening, run, shell, atEnd } = useStage()

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
    const hub = await startHub(HASTY)
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

    const second = await startHub({}, first.port)
    await push(second, 'me.send?text=after')
    await listener.printed(/after\n/)
    expect(lines(listener)).toEqual(['before', 'after'])
  })

  test('it gives way to a newer client of its name', async () => {
    const hub = await startHub()
    const older = await listening(`me --url ${hub.url}`)
    await listening(`me --url ${hub.url}`)

    expect(await older.ended).toBe(1)
    expect(older.output()).toContain('a newer client of this name took over')
  })

  test('Ctrl-C ends it well', async () => {
    const hub = await startHub()
    const listener = await listening(`me --url ${hub.url}`)
    await listener.stop('SIGINT')
    expect(await listener.ended).toBe(0)
  })
})

describe('what it prints', () => {
  test('--json is an object for each message, prose goes to stderr; --count ends it', async () => {
    const hub = await startHub()
    const listening = run(['listen', 'me', '--url', hub.url, '--json', '--count', '2'])
    await visited(hub)
    await push(hub, 'me.send?text=two%0Alines&desp=world&colour=red')
    await push(hub, 'me.send?text=second')
    const { code, out, err } = await listening
    expect({ code, err }).toEqual({ code: 0, err: `listening as me on ${hub.url}\n` })
    const [first, second, ...more] = out.trim().split('\n')
    expect(JSON.parse(first ?? '')).toEqual({
      mid: expect.stringMatching(/^\d{13}$/),
      text: 'two\nlines',
      desp: 'world',
      extra: { colour: 'red' },
      from: { method: 'http', name: '' },
      sendType: 'personal',
      target: 'me',
    })
    expect(JSON.parse(second ?? '')).toMatchObject({ text: 'second' })
    expect(more).toEqual([])
  })

  test('--once ends it after one, and the ack has arrived', async () => {
    const hub = await startHub()
    const listener = await listening(`me --url ${hub.url} --once`)
    expect(await push(hub, 'me.send?text=a')).toMatchObject({ data: { me: 'ok' } })
    expect(await listener.ended).toBe(0)
  })

  test('what could not be printed is not acked', async () => {
    const hub = await startHub(HASTY)
    const listener = shell(`{ node "$PROGRAM" listen me --url ${hub.url}; } | head -c 0`)
    await listener.printed('listening as')
    expect(await push(hub, 'me.send?text=a')).not.toMatchObject({ data: { me: 'ok' } })
    await listener.ended
  })
})

describe('the token', () => {
  test('is taken from the flag, then the environment', async () => {
    const hub = await startHub()
    const token = readFileSync(join(data(), 'token'), 'utf8').trim()

    await listening(`a --url ${hub.url} --token ${token}`, { CARILLON_DATA: undefined, CARILLON_TOKEN: 'wrong' })
    await listening(`b --url ${hub.url}`, { CARILLON_DATA: join(data(), 'none'), CARILLON_TOKEN: token })
  })

  test('of this machine is not told to another address', async () => {
    const hub = await startHub()
    // the same hub, but by a name that might be anywhere
    const listener = listen(`me --url ws://0.0.0.0:${hub.port}`)

    expect(await listener.ended).toBe(1)
    expect(listener.output()).toContain('the token is wrong')
  })

  test('that is wrong ends it with what to do', async () => {
    const hub = await startHub()
    const listener = listen(`me --url ${hub.url} --token wrong`)

    expect(await listener.ended).toBe(1)
    expect(listener.output()).toContain("the token is wrong; give the hub's token by --token or CARILLON_TOKEN")
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
  atEnd(async () => {
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
      send(acks.length < 2 ? message : { cmd: 'INFO', data: 'enough' })
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
  [[], 'listen needs NAME'],
  [['me', 'you'], 'there is one argument too many: you'],
  [['me', '--ping', 'soon'], '--ping is a number of seconds'],
  [['me', '--url', 'nowhere'], '--url is the address of a hub'],
  [['me', '--count', '0'], '--count is a number of messages, not 0'],
  [['me', '--exec', 'true', '--no-ack'], '--no-ack is of no use to --exec'],
  [['me', '--tokn', 'x'], 'listen has no option --tokn; did you mean --token?'],
])('listen %j is refused', async (args, fault) => {
  const running = listenCommand.run(args)
  await expect(running).rejects.toThrow(BadArguments)
  await expect(running).rejects.toThrow(fault)
})
