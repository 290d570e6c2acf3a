import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { testClock } from '../../helpers/clock.ts'
import { startHub } from '../../helpers/hub.ts'
import { join, joined, next, refusal, startScript } from './stage.ts'

describe('push', () => {
  test('is answered with how far it got, and names its sender', async () => {
    const hub = await startHub()
    const [me, you] = [await joined(hub.url, 'me'), await joined(hub.url, 'you', { group: 'home' })]
    const names: string[] = []
    you.onMessage(({ from, extra }) => void names.push(`${from.method} ${from.name} ${JSON.stringify(extra)}`))

    const replied = next(me, 'reply')
    const receipt = await me.push({ to: 'you', text: 'a', desp: 'b', extra: { n: 1 } })
    expect(receipt).toEqual({ mid: expect.stringMatching(/^\d{13}$/), states: { you: 'ok' } })
    expect(await replied).toEqual(receipt)
    expect(await me.push({ group: 'home' })).toMatchObject({ states: { you: 'ok' } })
    expect(names).toEqual(['websocket me {"n":1}', 'websocket me {}'])
  })

  test('to nobody has no mid', async () => {
    const hub = await startHub()
    const me = await joined(hub.url, 'me')
    expect(await me.push({ to: 'nobody' })).toEqual({ mid: null, states: { nobody: 'no' } })
    expect(await me.push({ group: 'nobody' })).toEqual({ mid: null, states: {} })
  })

  test('many at once get their own answers, in whatever order these come', async () => {
    const hub = await startHub()
    const [me, you] = [await joined(hub.url, 'me'), await joined(hub.url, 'you')]
    const slow = me.push({ to: 'you' })
    const quick = Array.from({ length: 50 }, (_, n) => me.push({ to: `nobody ${n}` }))
    expect((await Promise.all(quick)).map(({ states }) => Object.keys(states)[0])).toEqual(
      Array.from({ length: 50 }, (_, n) => `nobody ${n}`),
    )
    you.onMessage(() => {})
    expect(await slow).toMatchObject({ states: { you: 'ok' } })
  })

  test.each([
    [{ to: 'system' }, 'not-allowed', 'this caller may not do that'],
    [{ to: 'a/b' }, 'bad-name', 'target has a slash'],
    [{ to: 'you', expire: -1 }, 'bad-packet', 'expire property must be seconds'],
  ])('%j is refused as %s', async (push, code, message) => {
    const hub = await startHub()
    const me = await joined(hub.url, 'me')
    const info = next(me, 'info')
    await expect(me.push(push)).rejects.toMatchObject({ code, message, mayPass: false, maybeAccepted: false })
    expect(await info).toBe(message)
  })

  test('with a key that was used is the first push', async () => {
    const hub = await startHub({ config: { websocket: { waitTimeout: 0 }, clients: [{ name: 'you' }] } })
    const me = await joined(hub.url, 'me')
    const { mid } = await me.push({ to: 'you' }, { key: 'k' })
    expect((await me.push({ to: 'you' }, { key: 'k' })).mid).toBe(mid)
    await expect(me.push({ to: 'you', text: 'x' }, { key: 'k' })).rejects.toMatchObject({
      code: 'idempotency-mismatch',
    })
  })

  test('without a line fails at once', async () => {
    const me = join('ws://127.0.0.1:9', 'me', { clock: testClock() })
    await expect(me.push({ to: 'you' })).rejects.toMatchObject({ code: 'offline', maybeAccepted: false })
    await me.close()
    await expect(me.push({ to: 'you' })).rejects.toMatchObject({ code: 'closed' })
  })

  test('whose line breaks before the answer may have been accepted', async () => {
    const hub = await startScript((cmd) => {
      if (cmd === 'MESSAGE') for (const socket of hub.sockets) socket.terminate()
    })
    const me = await joined(hub.url, 'me')
    await expect(me.push({ to: 'you' })).rejects.toMatchObject({ code: 'lost', mayPass: true, maybeAccepted: true })
  })

  test('that is too large is told so and breaks no other, though its line closes', async () => {
    const hub = await startHub({ config: { clients: [{ name: 'you' }] } })
    const me = await joined(hub.url, 'me', { random: () => 0 })
    const patient = { retryForMs: 10_000 }
    const large = me.push({ to: 'you', text: 'x'.repeat(100_000) }, patient)
    const small = me.push({ to: 'you' }, patient)
    await expect(large).rejects.toMatchObject({ code: 'too-large' })
    expect(await small).toMatchObject({ states: { you: 'ready' } })
  })
})

describe('a push with patience', () => {
  test('waits for the line', async () => {
    const hub = await startHub({ config: { websocket: { waitTimeout: 0 }, clients: [{ name: 'you' }] } })
    // time stands still: it is the line that lets it go
    const me = join(hub.url, 'me', { clock: testClock() })
    expect(await me.push({ to: 'you' }, { retryForMs: 10_000 })).toMatchObject({ states: { you: 'ready' } })
  })

  test('is accepted once, though its first answer got lost with the line', async () => {
    const hub = await startHub()
    const you = await joined(hub.url, 'you')
    const got: string[] = []
    you.onMessage(({ mid }) => void got.push(mid))
    let swallowed = ''
    const me = await joined(hub.url, 'me', {
      random: () => 0,
      WebSocket: class extends WebSocket {
        override emit(event: string, ...args: unknown[]): boolean {
          const isAnswer = event === 'message' && String(args[0]).includes('MESSAGE_REPLY')
          if (!isAnswer || swallowed) return super.emit(event, ...args)
          swallowed = String(args[0])
          this.terminate()
          return true
        }
      },
    })
    const { mid, states } = await me.push({ to: 'you' }, { retryForMs: 10_000 })
    expect(swallowed).toContain(mid)
    expect([got, states]).toEqual([[mid], { you: 'ok' }])
  })

  test('is sent again on a new line with the same key', async () => {
    let lines = 0
    const hub = await startScript((cmd, send, packet) => {
      if (cmd !== 'MESSAGE') return
      lines += 1
      if (lines === 1) for (const socket of hub.sockets) socket.terminate()
      else send({ cmd: 'MESSAGE_REPLY', data: { mid: '1', status: { you: 'ok' } }, id: JSON.parse(packet).id })
    })
    const me = await joined(hub.url, 'me', { random: () => 0 })
    expect(await me.push({ to: 'you' }, { retryForMs: 10_000 })).toEqual({ mid: '1', states: { you: 'ok' } })
    const keys = hub.packets
      .filter((packet) => packet.includes('"MESSAGE"'))
      .map((packet) => JSON.parse(packet).data.idem)
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0]])
  })

  test('gives up when its time is over, and at once when it is refused for good', async () => {
    const clock = testClock()
    const me = join('ws://127.0.0.1:9', 'me', { clock })
    const late = refusal(me.push({ to: 'you' }, { retryForMs: 3_000 }))
    await clock.advance(3_000)
    expect(await late).toMatchObject({ code: 'offline' })
    const hub = await startHub()
    const other = await joined(hub.url, 'me')
    await expect(other.push({ to: 'system' }, { retryForMs: 60_000 })).rejects.toMatchObject({ code: 'not-allowed' })
  })

  test('tries again when the hub is busy', async () => {
    const clock = testClock()
    const hub = await startScript((cmd, send, packet) => {
      if (cmd !== 'MESSAGE') return
      const { id } = JSON.parse(packet) as { id: string }
      if (id === '3') send({ cmd: 'MESSAGE_REPLY', data: { mid: '1', status: {} }, id })
      else send({ cmd: 'INFO', data: 'busy', id, error: 'store-busy' })
    })
    const me = await joined(hub.url, 'me', { clock, random: () => 1 })
    const push = me.push({ to: 'you' }, { retryForMs: 60_000 })
    await next(me, 'info')
    const busy = next(me, 'info')
    await clock.advance(500)
    await busy
    await clock.advance(1_000)
    expect(await push).toMatchObject({ mid: '1' })
  })

  test('ends with the connection', async () => {
    const me = join('ws://127.0.0.1:9', 'me', { clock: testClock() })
    const ended = refusal(me.push({ to: 'you' }, { retryForMs: 60_000 }))
    await me.close()
    expect(await ended).toMatchObject({ code: 'closed' })
  })
})

describe('confirm', () => {
  const config = { http: { waitTimeout: 0 } }

  test('resolves with who was first', async () => {
    const hub = await startHub({ config })
    const phone = await joined(hub.url, 'me', { device: 'phone', confirms: true })
    const desk = await joined(hub.url, 'me', { device: 'desk', confirms: true })
    const came = next(phone, 'message')
    await hub.get('/me.send?idem=k')
    const { mid } = await came
    const clear = { mid, by: 'phone' }
    const cleared = next(desk, 'clear')
    expect(await phone.confirm(mid)).toEqual(clear)
    expect(await cleared).toEqual(clear)
    expect(await desk.confirm(mid)).toEqual(clear)
    expect((await hub.get('/me.send?idem=k')).json).toMatchObject({ data: { me: 'ok' } })
  })

  test('of an unknown message, or by one who cannot, is refused', async () => {
    const hub = await startHub({ config })
    const [me, plain] = [await joined(hub.url, 'me', { confirms: true }), await joined(hub.url, 'plain')]
    await expect(me.confirm('1700000000000')).rejects.toThrow('there is no such message to confirm')
    await expect(plain.confirm('1700000000000')).rejects.toThrow('CONFIRM needs confirms: true in AUTH')
  })

  test('waits for the line, and goes again when that breaks before the answer', async () => {
    let asked = 0
    const hub = await startScript((cmd, send) => {
      if (cmd !== 'CONFIRM') return
      asked += 1
      if (asked === 1) for (const socket of hub.sockets) socket.terminate()
      else for (const mid of ['2', '1']) send({ cmd: 'CLEAR', data: { mid, by: `by ${mid}` } })
    })
    const me = join(hub.url, 'me', { confirms: true, random: () => 0 })
    expect(await me.confirm('1')).toEqual({ mid: '1', by: 'by 1' })
    expect(asked).toBe(2)
  })

  test('ends with the connection', async () => {
    const hub = await startScript()
    const me = await joined(hub.url, 'me', { confirms: true })
    const ended = refusal(me.confirm('1'))
    await hub.came('CONFIRM')
    await me.close()
    expect(await ended).toMatchObject({ code: 'closed', maybeAccepted: true })
  })
})
