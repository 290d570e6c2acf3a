/** What one socket may get wrong, and how fast it may talk. */
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../server/store/memory.ts'
import { StoreBusy } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import { gateStore } from '../helpers/gate-store.ts'
import { startHub } from '../helpers/hub.ts'
import { closeCode, FIN, frame, openSocket, TEXT } from './wire.ts'

const messageTo = (target: string, text = 'x') => ({ sendType: 'personal', target, message: { text } })
const info = (data: unknown = expect.any(String)) => ({ cmd: 'INFO', data })

describe('what a bad client costs itself', () => {
  test('more than 20 bad packets in a minute end the socket with 1008', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    for (let n = 0; n < 20; n += 1) me.socket.send('{')
    await me.settled()
    for (let n = 0; n < 500; n += 1) me.socket.send('{')
    expect(await me.closed).toEqual({ code: 1008, reason: 'too many bad packets' })
    expect(me.packets.filter(({ cmd }) => cmd === 'INFO')).toHaveLength(21)
  })

  test('a minute later it may err again', async () => {
    const clock = testClock()
    const hub = await startHub({ clock })
    const me = await hub.login('me')
    for (let n = 0; n < 20; n += 1) me.socket.send('{')
    await me.settled()
    for (const ms of [20_000, 20_000, 21_000]) {
      await clock.advance(ms)
      await me.settled()
    }
    for (let n = 0; n < 20; n += 1) me.socket.send('{')
    await me.settled()
    expect(me.packets.filter(({ cmd }) => cmd === 'INFO')).toHaveLength(40)
  })

  test("refusals that are not the client's fault do not count", async () => {
    const gate = gateStore(createMemoryStore({ clock: testClock() }))
    const hub = await startHub({ store: gate.store })
    const me = await hub.login('me')
    gate.refuse(new StoreBusy('busy'))
    for (let n = 0; n < 30; n += 1) {
      me.send('MESSAGE', messageTo('me'))
      expect(await me.next('INFO')).toEqual(info('the queue is full, try again soon; nothing was accepted'))
    }
    await me.settled()
  })

  test('a flood of acks that move nothing is read at 200 a second', async () => {
    const clock = testClock()
    const hub = await startHub({ clock })
    const [flood, calm] = [await hub.login('flood'), await hub.login('calm')]
    for (let n = 0; n < 5_000; n += 1) flood.ack(String(1_700_000_000_000 + n))
    const answered = flood.settled().then(() => 'answered')
    await calm.settled()
    const push = hub.get('/calm.send?text=x')
    calm.ack((await calm.message()).mid)
    expect((await push).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { calm: 'ok' } })
    expect(await Promise.race([answered, calm.settled().then(() => 'waiting')])).toBe('waiting')
  })

  test('so are packets that come in one piece, and ten such seconds end the socket with 1008', async () => {
    const clock = testClock()
    const hub = await startHub({ clock })
    const other = await hub.connect()
    const { socket, heard, until, closed } = await openSocket(hub)
    const pongs = () => String(heard()).split('PONG').length - 1
    socket.write(Buffer.concat(Array.from({ length: 3_000 }, () => frame(FIN | TEXT, '{"cmd":"PING"}'))))
    for (let second = 1; second <= 10; second += 1) {
      await until(() => pongs() >= 201 * second)
      for (let n = 0; n < 3; n += 1) await other.settled()
      expect(pongs()).toBe(201 * second)
      await clock.advance(1_000)
    }
    expect(closeCode(await until((bytes) => closeCode(bytes) !== null))).toBe(1008)
    socket.destroy()
    await closed
  })

  test('acks that move something are no flood', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await hub.login('me', { window: 100 })
    for (let n = 0; n < 5; n += 1) {
      await Promise.all(Array.from({ length: 100 }, () => hub.get('/me.send')))
      for (let m = 0; m < 100; m += 1) me.ack((await me.message()).mid)
    }
    await me.settled()
  })

  test('a frame beyond 64 KiB closes the socket with 1009, one at the limit is read', async () => {
    const hub = await startHub()
    const frame = (bytes: number) => `{"cmd":"PING","data":"${'x'.repeat(bytes - 24)}"}`
    const me = await hub.login('me')
    me.socket.send(frame(65_536))
    await me.next('PONG')
    me.socket.send(frame(65_537))
    expect((await me.closed).code).toBe(1009)
  })
})
