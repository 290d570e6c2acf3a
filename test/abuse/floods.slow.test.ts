/** Floods, against the program: its memory stays, and somebody else's pushes do not wait. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connect, type TestClient, upgrade } from '../helpers/client.ts'
import { during, type Program, PROGRAM_TOKEN, startProgram } from './program.ts'
import { closeCode, FIN, frame, openSocket, openWire, TEXT } from './wire.ts'

const packet = (cmd: string, data: object) => frame(FIN | TEXT, JSON.stringify({ cmd, data }))

async function login(program: Program, name: string, more: object = {}): Promise<TestClient> {
  const client = await connect(program.url.replace('http', 'ws'))
  client.send('AUTH', { token: PROGRAM_TOKEN, name, ...more })
  await client.next('AUTH')
  return client
}

test.runIf(process.platform === 'linux')(
  '1,000,000 acks of mids that nobody knows, on 10 sockets, again and again',
  async () => {
    const program = await startProgram('http: {waitTimeout: 1000}')
    const acks = Buffer.concat(
      Array.from({ length: 1_000 }, (_, n) => packet('MESSAGE_CALLBACK', { mid: String(1_700_000_000_000 + n) })),
    )
    const flood = async (name: string) => {
      const { socket, heard, closed } = await openSocket(program)
      socket.write(packet('AUTH', { token: PROGRAM_TOKEN, name }))
      for (let k = 0; k < 100; k += 1) socket.write(acks)
      await pause(2_000)
      expect(closeCode(heard())).toBeNull()
      socket.destroy()
      await closed
    }
    const floods = async (round: number) => {
      await Promise.all(Array.from({ length: 10 }, (_, n) => flood(`flood-${round}-${n}`)))
    }
    // the first one makes the heap as large as such work wants it
    await floods(1)
    const { grew, p99, bearable } = await during(program, () => floods(2))
    expect(grew).toBeLessThan(16)
    expect(p99).toBeLessThan(bearable)
  },
)

test.runIf(process.platform === 'linux')(
  '100 sockets that read nothing, and 200 pushes of 4 KiB a second to them',
  async () => {
    const program = await startProgram('http: {waitTimeout: 1000}')
    const body = JSON.stringify({ text: 'x'.repeat(4_096) })
    const headers = { 'content-type': 'application/json' }
    const clients = await Promise.all(
      Array.from({ length: 100 }, (_, n) => login(program, `slow-${n}`, { window: 100 })),
    )
    for (const { socket } of clients) socket.pause()
    const mids: string[] = []
    const pushOf = async (n: number) => {
      const answer = await fetch(`${program.url}/slow-${n}.send`, { method: 'POST', headers, body })
      await answer.text()
      return answer.headers.get('x-message-id') ?? ''
    }

    const { grew, p99, bearable } = await during(program, async () => {
      const answers: Promise<string>[] = []
      for (let n = 0; n < 600; n += 1) {
        answers.push(pushOf(n % 100))
        await pause(5)
      }
      mids.push(...(await Promise.all(answers)))
    })
    expect(grew).toBeLessThan(64)
    expect(p99).toBeLessThan(bearable)

    for (const { socket } of clients) socket.resume()
    const received = await Promise.all(
      clients.map(async (client) => {
        const own: string[] = []
        while (own.length < 6) {
          const { mid } = await client.message()
          client.ack(mid)
          if (!own.includes(mid)) own.push(mid)
        }
        return own
      }),
    )
    expect(received.flat().toSorted()).toEqual(mids.toSorted())
    for (const { socket } of clients) socket.terminate()
  },
)

test.runIf(process.platform === 'linux')(
  '1,000 sockets that say nothing, from one address: 100 are let in, and another address does not notice',
  async () => {
    const program = await startProgram('trustProxy: [127.0.0.9]\nhttp: {waitTimeout: 1000}')
    const wsUrl = program.url.replace('http', 'ws')
    const sockets: Socket[] = []
    const { grew, p99, bearable } = await during(program, async () => {
      for (let n = 0; n < 100; n += 1) sockets.push((await openSocket(program)).socket)
      for (let n = 0; n < 900; n += 10) {
        const statuses = await Promise.all(Array.from({ length: 10 }, () => upgrade(wsUrl)))
        expect(new Set(statuses)).toEqual(new Set([429]))
      }
      expect(await upgrade(wsUrl, {}, '127.0.0.2')).toBe('open')
    })
    expect(grew).toBeLessThan(32)
    expect(p99).toBeLessThan(bearable)
    await Promise.all(sockets.map((socket) => once(socket.destroy(), 'close')))
  },
)

test.runIf(process.platform === 'linux')(
  'connections up to what a process may open leave files to the store and the log',
  async () => {
    const program = await startProgram('log: {output: both}\nlimits: {connections: 20000}', ['--nofile=300'])
    expect(program.output()).toContain('limits.connections is lowered')
    const wires = await Promise.all(Array.from({ length: 400 }, () => openWire(program)))
    await expect.poll(() => wires.filter(({ socket }) => !socket.closed).length).toBe(150)
    expect(program.files()).toBeLessThan(200)
    const [first] = wires.filter(({ socket }) => !socket.closed)
    first?.socket.write('GET /nobody.send HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(String(await first?.until((heard) => heard.includes('}')))).toContain('"nobody":"no"')
    expect(program.output()).toContain('more are closed unheard')
    await Promise.all(wires.map(({ socket, closed }) => (socket.destroy(), closed)))
  },
)
