/** Connections that are too many, ask for too much at once, or go on for ever. */
import { describe, expect, test, onTestFinished } from 'vitest'
import { createLog } from '../../server/ground/log.ts'
import { startHub } from '../helpers/hub.ts'
import { closeCode, openSocket, openWire, statuses } from './wire.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`

describe('requests in a row on one connection', () => {
  test('100 whose answers are still to come are all answered, in their order', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const wire = await openWire(hub)
    wire.socket.write(get('/me.send?text=x').repeat(100))
    for (let n = 0; n < 100; n += 1) me.ack((await me.message()).mid)
    const answers = await wire.until((heard) => statuses(String(heard)).length === 100)
    const mids = [...String(answers).matchAll(/x-message-id: (\d+)/g)].map(([, mid]) => Number(mid))
    expect(mids).toEqual(mids.toSorted((a, b) => a - b))
    wire.socket.destroy()
    await wire.closed
  })

  test('as many as one likes, as long as they are answered meanwhile', async () => {
    const hub = await startHub()
    const wire = await openWire(hub)
    for (let n = 1; n <= 50; n += 1) {
      wire.socket.write(get('/nobody.send').repeat(20))
      await wire.until((heard) => statuses(String(heard)).length === n * 20)
    }
    wire.socket.destroy()
    await wire.closed
  })

  test('of 20,000 that wait for their answers some hundred are taken, and the connection is cut', async () => {
    const hub = await startHub({ config: { inbox: { maxMessages: 100_000 } } })
    const me = await hub.login('me')
    const wire = await openWire(hub)
    wire.socket.write(get('/me.send?text=x').repeat(20_000))
    await wire.closed
    await me.settled()
    const { items } = await hub.store.inbox('me@user', { limit: 30_000 })
    expect(items.length).toBeGreaterThan(50)
    expect(items.length).toBeLessThan(300)
  })

  test('that offer HTTP/2 each time leave nothing behind', async () => {
    const warnings: Error[] = []
    const warn = (warning: Error) => void warnings.push(warning)
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    const hub = await startHub()
    const wire = await openWire(hub)
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'
    for (let n = 1; n <= 30; n += 1) {
      wire.socket.write(`GET /nobody.send HTTP/1.1\r\nhost: x\r\n${offer}\r\n`)
      await wire.until((heard) => statuses(String(heard)).length === n)
    }
    wire.socket.destroy()
    await wire.closed
    expect(warnings).toEqual([])
  })
})

describe('connections in all', () => {
  test('beyond limits.connections the next is closed unheard, and the log says so once', async () => {
    const lines: string[] = []
    const log = createLog('warn', { write: (line) => void lines.push(line) })
    const hub = await startHub({ log, config: { limits: { connections: 20 } } })
    const me = await hub.login('me')
    const wires = await Promise.all(Array.from({ length: 60 }, () => openWire(hub)))
    const open = () => wires.filter(({ socket }) => !socket.closed)
    await expect.poll(() => open().length).toBe(19)
    me.send('PING')
    await me.next('PONG')
    const [first] = open()
    first?.socket.write(get('/me.send?text=x'))
    me.ack((await me.message()).mid)
    expect(String(await first?.until((heard) => heard.includes('}')))).toContain('"me":"ok"')
    expect(lines.map((line) => Object(JSON.parse(line)).msg)).toEqual([expect.stringContaining('limits.connections')])

    for (const { socket } of open().slice(0, 5)) socket.destroy()
    await expect
      .poll(() =>
        hub.get('/health').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200)
    for (const { socket, closed } of wires) {
      socket.destroy()
      await closed
    }
  })
})

test('a body that ends early leaves nothing behind', async () => {
  const faults: string[] = []
  const log = createLog('error', { write: (line) => void faults.push(line) })
  const hub = await startHub({ log, config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } })
  const { socket, closed } = await openWire(hub)
  const head = 'POST /me.send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n'
  socket.write(`${head}{"text":`)
  await hub.get('/me.send?text=between')
  socket.destroy()
  await closed
  await hub.get('/me.send?text=after')
  expect(faults).toEqual([])
  const { items } = await hub.store.inbox('me@user', { limit: 10 })
  expect(items.map(({ message }) => message.body['text'])).toEqual(['between', 'after'])
})

test('a socket that is told to go and does not answer is cut off within two seconds', async () => {
  const hub = await startHub()
  const { socket, until, closed } = await openSocket(hub)
  const rude = await until(() => true)
  expect(rude.length).toBe(0)
  for (let n = 0; n < 4; n += 1)
    socket.write(Buffer.concat([Buffer.of(0x81, 0x8e, 0, 0, 0, 0), Buffer.from('{"cmd":"NOPE"}')]))
  expect(closeCode(await until((heard) => closeCode(heard) !== null))).toBe(4401)
  await closed
})
