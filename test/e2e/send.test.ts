/** `carillon send` as a script runs it, against a real hub. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import sendCommand from '../../clients/cli/send.ts'
import { BadArguments } from '../../server/cli/arguments.ts'
import { startHub, type TestHub, TOKEN } from '../helpers/hub.ts'
import { type Ended, runProgram, type RunOptions } from '../helpers/program.ts'
import { closedPort, startReceiver, status } from '../helpers/receiver.ts'

/** Nobody's token but what the test gives, in a folder without one. */
const nowhere = { CARILLON_TOKEN: undefined, CARILLON_URL: undefined, CARILLON_DATA: '/nowhere' }

function send(hub: { readonly url: string }, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return runProgram(['send', ...args], { ...options, env: { ...nowhere, CARILLON_URL: hub.url, ...options.env } })
}

/** A client that acks all that comes. */
async function acking(hub: TestHub, name: string, group?: string): Promise<void> {
  const client = await hub.login(name, group === undefined ? {} : { group })
  client.socket.on('message', (frame: Buffer) => {
    const [mid] = /\d{13}/.exec(frame.toString()) ?? []
    if (mid !== undefined && frame.includes('"MESSAGE"')) client.ack(mid)
  })
}

/** One who is known and not there. */
async function away(hub: TestHub, name: string, group?: string): Promise<void> {
  const client = await hub.login(name, group === undefined ? {} : { group })
  client.socket.close()
  await client.closed
}

describe('what became of it', () => {
  test('0: everybody has it', async () => {
    const hub = await startHub()
    await acking(hub, 'me', 'home')
    await acking(hub, '平板', 'home')
    expect(await send(hub, ['home', 'dinner', '--group'])).toEqual({
      code: 0,
      out: 'me: ok, delivered\n平板: ok, delivered\n',
      err: '',
    })
  })

  test('3: sent, or kept, but not acknowledged', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 50 } } })
    await hub.login('silent', { group: 'home' })
    await away(hub, 'away', 'home')
    await acking(hub, 'me', 'home')
    expect(await send(hub, ['home', 'dinner', '--group'])).toEqual({
      code: 3,
      out: 'silent: wait, sent, not acknowledged yet\naway: ready, kept, not sent yet\nme: ok, delivered\n',
      err: '',
    })
  })

  test('4: nobody of that name, nobody in that group', async () => {
    const hub = await startHub()
    expect(await send(hub, ['nobody', 'x'])).toEqual({ code: 4, out: 'nobody: no, there is no such name\n', err: '' })
    expect(await send(hub, ['nobody', 'x', '--group', '--json'])).toEqual({
      code: 4,
      out: '{"outcome":"refused","mid":null,"states":{},"error":null}\n',
      err: 'carillon: nobody is in the group nobody\n',
    })
  })

  test('4: refused by the hub, in its words', async () => {
    const hub = await startHub({ config: { http: { verifyToken: true }, inbox: { maxMessages: 1 } } })
    await away(hub, 'me')
    expect(await send(hub, ['me', 'x'])).toEqual({
      code: 4,
      out: '',
      err: 'carillon: a valid token is needed in the header "authorization"\n',
    })
    await send(hub, ['me', 'x', '--token', TOKEN])
    const { code, out } = await send(hub, ['me', 'x', '--token', TOKEN, '--json'])
    expect(code).toBe(4)
    expect(JSON.parse(out)).toEqual({
      outcome: 'refused',
      mid: null,
      states: {},
      error: { code: 'inbox-full', status: 429, message: 'nobody accepted: every inbox named is full' },
    })
  })

  test('4: nothing can deliver it to one of them', async () => {
    const receiver = await startReceiver()
    onTestFinished(() => receiver.close())
    receiver.answer = status(410)
    const recipients = { hook: { group: 'home', platforms: { webhook: { webhooks: [{ url: receiver.url }] } } } }
    const hub = await startHub({ config: { recipients } })
    await acking(hub, 'me', 'home')
    expect(await send(hub, ['home', 'x', '--group'])).toMatchObject({
      code: 4,
      out: 'hook: failed, no endpoint took it\nme: ok, delivered\n',
    })
  })

  test('1: no answer', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`
    const { code, out, err } = await send({ url }, ['me', 'x', '--json'])
    expect({ code, outcome: JSON.parse(out) }).toMatchObject({
      code: 1,
      outcome: { outcome: 'unknown', error: { code: 'unreachable', status: null } },
    })
    expect(err).toMatch(/^carillon: .*\n$/)
  })

  test('2: a wrong command line', async () => {
    expect(await send({ url: 'http://127.0.0.1:9' }, ['me', 'x', '--wait=soon'])).toEqual({
      code: 2,
      out: '',
      err: 'carillon: --wait is a number of seconds, not soon\nSee carillon send --help\n',
    })
    expect(await send({ url: 'http://127.0.0.1:9' }, ['me'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is nothing to send: no TEXT, and nothing on stdin'),
    })
  })

  test.each([
    [['me', 'x', '--url', 'nowhere'], 'address of a hub like http://127.0.0.1:9093, not nowhere'],
    [['me', 'x', '--url', 'ftp://h'], '--url begins with http, https, ws or wss'],
    [['me', 'x', '--expire', '0'], '--expire is a number of seconds, not 0'],
    [['me', 'x', '--extra', 'level'], '--extra is K=V, not level'],
    [['me', 'x', '--extra', 'level:=two'], '--extra K:=V needs JSON'],
    [['me', ''], 'there is nothing to send'],
    [[], 'send needs NAME'],
  ])('send %j is refused', async (args, text) => {
    const running = sendCommand.run(args)
    await expect(running).rejects.toThrow(BadArguments)
    await expect(running).rejects.toThrow(text)
  })
})

describe('the message', () => {
  test('has a title, a body, more with its types, and a time', async () => {
    const hub = await startHub()
    const client = await hub.login('me')
    const args = [
      'me',
      'build failed',
      '--desp',
      'step 3',
      '--extra',
      'colour=red',
      '--extra',
      'level:=2',
      '--expire',
      '60',
    ]
    const sent = send(hub, args)
    const { message, mid } = await client.message()
    client.ack(mid)
    expect(message).toEqual({ text: 'build failed', desp: 'step 3', extra: { colour: 'red', level: 2 } })
    expect(await hub.store.message(mid)).toMatchObject({ expiresAt: expect.any(Number) })
    expect((await sent).code).toBe(0)
  })

  test.each([
    [['me'], 'title\r\nfirst\nsecond\n\n', { text: 'title', desp: 'first\nsecond' }],
    [['me', '-'], '标题\n', { text: '标题', desp: '' }],
    [['me', '--desp', 'body'], 'one\ntwo\n', { text: 'one\ntwo', desp: 'body' }],
    [['me', 'title'], 'not looked at', { text: 'title', desp: '' }],
    [['me', '--', '-v'], '', { text: '-v', desp: '' }],
  ])('send %j with %j piped in', async (args, stdin, text) => {
    const hub = await startHub()
    const client = await hub.login('me')
    const sent = send(hub, args, { stdin })
    const { message, mid } = await client.message()
    client.ack(mid)
    expect(message).toEqual({ ...text, extra: {} })
    await sent
  })

  test('with a key is sent once; another under the same key is refused', async () => {
    const hub = await startHub()
    await away(hub, 'me')
    const [first, second] = [
      await send(hub, ['me', 'paid', '--idem', 'order-17', '--json']),
      await send(hub, ['me', 'paid', '--idem', 'order-17', '--json']),
    ]
    expect(second).toEqual(first)
    expect(await send(hub, ['me', 'refunded', '--idem', 'order-17'])).toEqual({
      code: 4,
      out: '',
      err: 'carillon: this idempotency key was used with another message\n',
    })
  })
})

describe('--wait', () => {
  test('0: until an ack comes, over as many questions as it takes', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 50 } } })
    const client = await hub.login('me')
    const sent = send(hub, ['me', 'x', '--wait=20', '--json'])
    const { mid } = await client.message()
    await until(async () => (await hub.store.delivery(mid, 'me@user'))?.state === 'sent')
    client.ack(mid)
    expect(await sent).toEqual({
      code: 0,
      out: `{"outcome":"acked","mid":"${mid}","states":{"me":"ok"},"error":null}\n`,
      err: '',
    })
  })

  test('5: the time is over, however long the hub would hold the answer', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 60_000 } } })
    const client = await hub.login('me')
    const sent = send(hub, ['me', 'x', '--wait=0.5'])
    await client.message()
    expect(await sent).toEqual({ code: 5, out: 'me: wait, sent, not acknowledged yet\n', err: '' })
    expect(client.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toHaveLength(1)
  })

  test('4: at once when nobody can get it any more', async () => {
    const hub = await startHub()
    expect(await send(hub, ['nobody', 'x', '--wait'])).toMatchObject({
      code: 4,
      out: 'nobody: no, there is no such name\n',
    })
  })

  test('asks with one key, more and more rarely, and lets the hub be away for a while', async () => {
    const asked: { key: string | undefined; at: number }[] = []
    const answers = ['wait', 'wait', null, 'wait', 'ok']
    const server = createServer((request, response) => {
      const state = answers[asked.length]
      asked.push({ key: request.headers['idempotency-key']?.toString(), at: performance.now() })
      if (state === null) response.socket?.destroy()
      else response.setHeader('x-message-id', '1795504164464').end(`{"cmd":"MESSAGE_REPLY","data":{"me":"${state}"}}`)
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo

    expect(await send({ url: `http://127.0.0.1:${port}` }, ['me', 'x', '--wait=20'])).toMatchObject({ code: 0 })
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set([expect.stringMatching(/^[\da-f-]{36}$/)]))
    const pauses = asked.slice(1).map(({ at }, before) => at - (asked[before]?.at ?? 0))
    expect(pauses[0]).toBeGreaterThan(200)
    expect(pauses[1]).toBeGreaterThan(450)
    expect(pauses.at(-1)).toBeGreaterThan(900)
  })
})

describe('the hub and its token', () => {
  test('from the flags, else the environment, by either scheme', async () => {
    const hub = await startHub({ config: { http: { verifyToken: true } } })
    await away(hub, 'me')
    const byFlags = await send({ url: 'http://127.0.0.1:9' }, ['me', 'x', '--url', hub.wsUrl, '--token', TOKEN])
    const byEnvironment = await send(hub, ['me', 'x'], { env: { CARILLON_TOKEN: TOKEN } })
    expect([byFlags.code, byEnvironment.code]).toEqual([3, 3])
  })

  test('else that of this machine, which another address is not told', async () => {
    const hub = await startHub({ config: { http: { verifyToken: true, host: '0.0.0.0' } } })
    await away(hub, 'me')
    const cwd = mkdtempSync(join(tmpdir(), 'carillon-send-'))
    onTestFinished(() => rmSync(cwd, { recursive: true }))
    mkdirSync(join(cwd, 'data'))
    writeFileSync(join(cwd, 'data/token'), `${TOKEN}\n`)
    const here = { cwd, env: { CARILLON_DATA: undefined } }
    const { port } = new URL(hub.url)
    expect((await send({ url: `http://127.0.0.1:${port}` }, ['me', 'x'], here)).code).toBe(3)
    expect((await send({ url: `http://0.0.0.0:${port}` }, ['me', 'x'], here)).code).toBe(4)
  })
})

/** Looks again at every turn of the event loop. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve))
}
