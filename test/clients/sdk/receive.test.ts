import { describe, expect, test, vi } from 'vitest'
import type { Message } from '../../../clients/sdk/index.ts'
import { testClock } from '../../helpers/clock.ts'
import { startHub } from '../../helpers/hub.ts'
import { gateOf, join, joined, next, reached } from './stage.ts'

const RETRY_MS = 3_000

describe('a message', () => {
  test('is handled, then acked, and the sender sees ok', async () => {
    const hub = await startHub()
    const me = await joined(hub.url, 'me')
    const got: Message[] = []
    me.onMessage(async (message) => {
      await Promise.resolve()
      got.push(message)
    })

    const reply = await hub.get('/me.send?text=a&desp=b&colour=red')
    expect(reply.json).toMatchObject({ data: { me: 'ok' } })
    expect(got).toEqual([
      {
        mid: reply.headers.get('x-message-id'),
        text: 'a',
        desp: 'b',
        extra: { colour: 'red' },
        from: { method: 'http', name: '' },
        sendType: 'personal',
        target: 'me',
      },
    ])
  })

  test('is not acked before its handler is done', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await joined(hub.url, 'me')
    const gate = gateOf()
    me.onMessage(() => gate.promise)
    const came = next(me, 'message')
    await hub.get('/me.send?idem=k')
    await came
    expect((await hub.get('/me.send?idem=k')).json).toMatchObject({ data: { me: 'wait' } })

    const acked = next(me, 'acked')
    gate.resolve()
    const { mid } = await acked
    expect(mid).toMatch(/^\d{13}$/)
    await vi.waitFor(async () => expect((await hub.get('/me.send?idem=k')).json).toMatchObject({ data: { me: 'ok' } }))
  })

  test('waits where there is no handler, and comes to the one that is set later', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await joined(hub.url, 'me', { window: 2 })
    const came = next(me, 'message', ({ text }) => text === '2')
    await hub.get('/me.send?text=1')
    await hub.get('/me.send?text=2')
    await came
    const got: string[] = []
    const acked = next(me, 'acked', ({ text }) => text === '2')
    me.onMessage(({ text }) => void got.push(text))
    await acked
    expect(got).toEqual(['1', '2'])
  })

  test('one at a time, in order, also where several are in flight', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    await joined(hub.url, 'me').then((me) => me.close())
    for (let n = 0; n < 20; n += 1) await hub.get(`/me.send?text=${n}`)
    const me = join(hub.url, 'me', { window: 8 })
    const log: string[] = []
    const windowful = next(me, 'message', ({ text }) => text === '7')
    me.onMessage(async ({ text }) => {
      log.push(`+${text}`)
      await windowful
      log.push(`-${text}`)
    })
    await next(me, 'acked', ({ text }) => text === '19')
    expect(log).toEqual(Array.from({ length: 20 }, (_, n) => [`+${n}`, `-${n}`]).flat())
  })

  test('is handled by nobody once the handler is taken off', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await joined(hub.url, 'me')
    const got: string[] = []
    const stop = me.onMessage(({ text }) => void got.push(text))
    const acked = next(me, 'acked')
    await hub.get('/me.send?text=1')
    await acked
    stop()
    const came = next(me, 'message')
    await hub.get('/me.send?text=2')
    await came
    expect(got).toEqual(['1'])
  })
})

describe('a handler that throws', () => {
  test('is run again for the same message when the hub sends it again, and only then it is acked', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { http: { waitTimeout: 0 } } })
    const me = await joined(hub.url, 'me')
    let runs = 0
    me.on('failed', () => {})
    me.onMessage(() => {
      runs += 1
      if (runs < 3) throw new Error(`run ${runs}`)
    })
    const failed = next(me, 'failed')
    await hub.get('/me.send?text=x&idem=k')
    const { message, error } = await failed
    expect([message.text, String(error)]).toEqual(['x', 'Error: run 1'])
    expect((await hub.get('/me.send?idem=k&text=x')).json).toMatchObject({ data: { me: 'wait' } })

    const again = next(me, 'failed')
    await clock.advance(RETRY_MS)
    expect((await again).message.mid).toBe(message.mid)
    const acked = next(me, 'acked')
    await clock.advance(RETRY_MS)
    expect((await acked).mid).toBe(message.mid)
    expect(runs).toBe(3)
  })

  test('is told on the console where nobody listens', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await joined(hub.url, 'me')
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    me.onMessage(() => Promise.reject(new Error('no')))
    await hub.get('/me.send')
    await vi.waitFor(() => expect(said).toHaveBeenCalledOnce())
    expect(said.mock.calls[0]?.[0]).toMatch(/^carillon: message \d{13} was not handled/)
    said.mockRestore()
  })
})

describe('close', () => {
  test('lets the handler at work finish, and its ack goes', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const me = await joined(hub.url, 'me')
    const gate = gateOf()
    me.onMessage(() => gate.promise)
    const came = next(me, 'message')
    await hub.get('/me.send?idem=k')
    await came
    const closed = me.close()
    expect(me.close()).toBe(closed)
    gate.resolve()
    await closed
    expect(me.state).toMatchObject({ status: 'closed', why: 'closed' })
    expect((await hub.get('/me.send?idem=k')).json).toMatchObject({ data: { me: 'ok' } })
  })

  test('by the handler itself lets its own ack go', async () => {
    const hub = await startHub()
    const me = await joined(hub.url, 'me')
    me.onMessage(() => void me.close())
    expect((await hub.get('/me.send')).json).toMatchObject({ data: { me: 'ok' } })
    await reached(me, 'closed')
  })

  test('does not wait for a handler for ever, such as one that waits for it', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
    const clock = testClock()
    const me = await joined(hub.url, 'me', { clock })
    const begun = gateOf()
    me.onMessage(() => {
      begun.resolve()
      return me.close()
    })
    await hub.get('/me.send?idem=k')
    await begun.promise
    await clock.advance(9_999)
    expect(me.state.status).toBe('online')
    await clock.advance(1)
    await me.close()
    expect((await hub.get('/me.send?idem=k')).json).toMatchObject({
      data: { me: expect.stringMatching(/^(wait|ready)$/) },
    })
  })
})

test('what was dealt with elsewhere and still waits is not handled', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
  const desk = await joined(hub.url, 'me', { device: 'desk', window: 2 })
  const phone = await joined(hub.url, 'me', { device: 'phone', confirms: true, window: 2 })
  const first = next(phone, 'message')
  const second = next(desk, 'message', ({ text }) => text === '2')
  for (const text of ['1', '2']) await hub.get(`/me.send?text=${text}`)
  const { mid } = await first
  await second
  const cleared = next(desk, 'clear')
  expect(await phone.confirm(mid)).toEqual({ mid, by: 'phone' })
  expect(await cleared).toEqual({ mid, by: 'phone' })
  const got: string[] = []
  const acked = next(desk, 'acked')
  desk.onMessage(({ text }) => void got.push(text))
  await acked
  expect(got).toEqual(['2'])
})
