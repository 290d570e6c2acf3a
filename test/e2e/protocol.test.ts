/** Whole journeys through real sockets: what a sender is told and what receivers get, whatever the store. */
import { describe, expect, test } from 'vitest'
import type { TestClient } from '../helpers/client.ts'
import { testClock } from '../helpers/clock.ts'
import { startHub, type TestHub, TOKEN } from '../helpers/hub.ts'

const atOnce = { http: { waitTimeout: 0 } }
const reply = (data: unknown) => ({ cmd: 'MESSAGE_REPLY', data })
const midsOf = ({ packets }: TestClient) =>
  packets.filter(({ cmd }) => cmd === 'MESSAGE').map(({ data }) => String(Object(data).mid))
const stateOf = async (hub: TestHub, path: string) => Object((await hub.get(path)).json).data

describe('a first push', () => {
  test('is answered ok because the client acknowledged', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const push = hub.get('/me.send?text=hello')
    const { mid } = await me.message()
    me.ack(mid)
    expect((await push).text).toBe('{"cmd":"MESSAGE_REPLY","data":{"me":"ok"}}')
    expect(Math.abs(Number(mid) - Date.now())).toBeLessThan(60_000)
  })

  test('by POST, by GET and by socket look the same to the receiver but for the sender', async () => {
    const hub = await startHub({ config: { ...atOnce, websocket: { waitTimeout: 0 } } })
    const [me, you] = [await hub.login('me', { window: 3 }), await hub.login('you')]
    const data = { sendType: 'personal', target: 'me', message: { text: 'a', desp: 'b', extra: { c: 'd' } } }
    await hub.get('/me.send?text=a&desp=b&c=d')
    await hub.post({ cmd: 'MESSAGE', data })
    you.send('MESSAGE', data)
    await you.next('MESSAGE_REPLY')
    const [byGet, byPost, bySocket] = [await me.message(), await me.message(), await me.message()]
    expect({ ...byPost, mid: '' }).toEqual({ ...byGet, mid: '' })
    expect({ ...bySocket, mid: '', from: byGet.from }).toEqual({ ...byGet, mid: '' })
    expect(bySocket.from).toEqual({ method: 'websocket', name: 'you' })
  })
})

describe('states', () => {
  test('no, ready, wait, ok', async () => {
    const hub = await startHub({ config: { ...atOnce, clients: [{ name: 'me' }] } })
    expect(await stateOf(hub, '/stranger.send')).toEqual({ stranger: 'no' })
    expect(await stateOf(hub, '/me.send?text=1&idem=1')).toEqual({ me: 'ready' })
    const me = await hub.login('me')
    const { mid } = await me.message()
    await me.settled()
    expect(await stateOf(hub, '/me.send?text=1&idem=1')).toEqual({ me: 'wait' })
    expect(await stateOf(hub, '/me.send?text=2&idem=2')).toEqual({ me: 'ready' })
    me.ack(mid)
    await me.message()
    expect(await stateOf(hub, '/me.send?text=1&idem=1')).toEqual({ me: 'ok' })
    expect(await stateOf(hub, '/me.send?text=2&idem=2')).toEqual({ me: 'wait' })
  })

  test('http.reply: nested answers {mid, status}, and without a recipient an empty mid', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 0, reply: 'nested' }, clients: [{ name: 'me' }] } })
    const push = await hub.get('/me.send')
    expect(push.json).toEqual(reply({ mid: push.headers.get('x-message-id'), status: { me: 'ready' } }))
    expect((await hub.get('/stranger.send')).json).toEqual(reply({ mid: '', status: { stranger: 'no' } }))
  })

  test('names like those of the nested form are told apart in the flat one', async () => {
    const hub = await startHub({
      config: { ...atOnce, clients: ['mid', 'status', 'toString'].map((name) => ({ name, group: 'g' })) },
    })
    expect((await hub.get('/g.group')).json).toEqual(reply({ mid: 'ready', status: 'ready', toString: 'ready' }))
  })

  test('what is over the room of an inbox is full; 429 only when nobody accepted', async () => {
    const hub = await startHub({
      config: {
        ...atOnce,
        inbox: { maxMessages: 2 },
        clients: [
          { name: 'a', group: 'g' },
          { name: 'b', group: 'g' },
        ],
      },
    })
    for (const text of [1, 2]) await hub.get(`/a.send?text=${text}`)
    expect(await hub.get('/a.send')).toMatchObject({ status: 429, json: { cmd: 'INFO' } })
    expect((await hub.get('/a.send')).headers.get('retry-after')).toBe('1')
    expect(await hub.get('/g.group?text=x')).toMatchObject({ status: 200, json: reply({ a: 'full', b: 'ready' }) })
    const a = await hub.login('a')
    a.ack((await a.message()).mid)
    await a.message()
    expect(await stateOf(hub, '/a.send')).toEqual({ a: 'ready' })
  })

  test('what expired is told so and is not delivered', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { clients: [{ name: 'me' }] } })
    const packet = { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'me', message: { text: 'x' }, expire: 10 } }
    const first = await hub.post(packet, { 'idempotency-key': 'k' })
    expect(first.json).toEqual(reply({ me: 'ready' }))
    const soon = async () => {
      await clock.advance(5_000)
      return (await hub.post(packet, { 'idempotency-key': 'k' })).json
    }
    expect(await soon()).toEqual(reply({ me: 'ready' }))
    await expect.poll(soon).toEqual(reply({ me: 'expired' }))
    const me = await hub.login('me')
    await me.settled()
    expect(midsOf(me)).toEqual([])
  })
})

describe('the wait for an answer', () => {
  test('ends at once when nobody is connected', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { clients: [{ name: 'me' }] } })
    expect(await stateOf(hub, '/me.send')).toEqual({ me: 'ready' })
  })

  test('ends after http.waitTimeout with the states so far', async () => {
    const clock = testClock()
    const hub = await startHub({ clock, config: { http: { waitTimeout: 2_000 } } })
    const a = await hub.login('a', { group: 'g' })
    const b = await hub.login('b', { group: 'g' })
    const push = hub.get('/g.group')
    a.ack((await a.message()).mid)
    await b.message()
    await a.settled()
    await clock.advance(1_999)
    expect(await Promise.race([push.then(() => 'answered'), b.settled().then(() => 'waiting')])).toBe('waiting')
    await clock.advance(1)
    expect((await push).json).toEqual(reply({ a: 'ok', b: 'wait' }))
  })

  test('ends when the last socket that owes an ack is gone', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 60_000 } } })
    const me = await hub.login('me')
    const push = hub.get('/me.send')
    await me.message()
    me.socket.terminate()
    expect((await push).json).toEqual(reply({ me: 'wait' }))
  })

  test('ends when the hub stops', async () => {
    const hub = await startHub({ config: { http: { waitTimeout: 60_000 } } })
    const me = await hub.login('me')
    const push = hub.get('/me.send')
    await me.message()
    await hub.close()
    expect((await push).json).toEqual(reply({ me: 'wait' }))
  })
})

describe('many at once', () => {
  test('200 pushes get 200 mids, all different, and arrive in their order', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    const acked = (async () => {
      for (let n = 0; n < 200; n += 1) me.ack((await me.message()).mid)
    })()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => hub.get(`/me.send?text=${n}`)))
    await acked
    const mids = answers.map(({ headers }) => headers.get('x-message-id') ?? '')
    expect(new Set(mids).size).toBe(200)
    for (const { json } of answers) expect(json).toEqual(reply({ me: 'ok' }))
    expect(midsOf(me)).toEqual(mids.toSorted())
    for (const mid of mids) expect(mid).toMatch(/^\d{13}$/)
  }, 30_000)

  test('a repeat that races its first is one message', async () => {
    const hub = await startHub({ config: { ...atOnce, clients: [{ name: 'me' }] } })
    const answers = await Promise.all(Array.from({ length: 20 }, () => hub.get('/me.send?text=x&idem=k')))
    expect(new Set(answers.map(({ headers }) => headers.get('x-message-id'))).size).toBe(1)
    expect((await hub.store.inbox('me@user', { limit: 9 })).items).toHaveLength(1)
  })

  test('a silent client does not delay others in its group or elsewhere', async () => {
    const clock = testClock()
    const hub = await startHub({ clock })
    await hub.login('silent', { group: 'g' })
    const me = await hub.login('me', { group: 'g' })
    const group = hub.get('/g.group?text=1')
    me.ack((await me.message()).mid)
    const push = hub.get('/me.send?text=2')
    me.ack((await me.message()).mid)
    expect((await push).json).toEqual(reply({ me: 'ok' }))
    await clock.advance(5_000)
    expect((await group).json).toEqual(reply({ silent: 'wait', me: 'ok' }))
  })

  test('names that only differ in writing, and those that mean the same, are one recipient', async () => {
    const hub = await startHub()
    const me = await hub.login('é@user')
    const push = hub.get(`/${encodeURIComponent('e\u0301')}.send`)
    me.ack((await me.message()).mid)
    expect((await push).json).toEqual(reply({ é: 'ok' }))
  })
})

test('a restart keeps what was accepted, who is known, who acked, and what a key stands for', async () => {
  const first = await startHub({ config: atOnce })
  const { store } = first
  const [a, b] = [await first.login('a', { group: 'g' }), await first.login('b', { group: 'g' })]
  await first.get('/g.group?text=1&idem=k')
  const { mid } = await a.message()
  await b.message()
  a.ack(mid)
  await a.settled()
  await first.close()

  const hub = await startHub({ config: atOnce, store })
  const again = await hub.get('/g.group?text=1&idem=k')
  expect(again.json).toEqual(reply({ a: 'ok', b: 'wait' }))
  expect(again.headers.get('x-message-id')).toBe(mid)
  expect(await hub.post({ cmd: 'MESSAGE_CALLBACK', auth: a.auth, data: { mid } })).toMatchObject({ status: 200 })
  const [a2, b2] = [await hub.login('a', { group: 'g' }), await hub.login('b', { group: 'g' })]
  expect((await b2.message()).mid).toBe(mid)
  await a2.settled()
  expect(midsOf(a2)).toEqual([])
  const next = await hub.get('/a.send?text=2')
  expect(Number(next.headers.get('x-message-id'))).toBeGreaterThan(Number(mid))
})

test('the token never shows in an answer', async () => {
  const hub = await startHub({ config: { http: { verifyToken: true } } })
  const client = await hub.connect()
  client.send('AUTH', { token: `${TOKEN}?`, name: 'me' })
  await client.next('AUTH')
  const answers = [
    await hub.get('/me.send', { authorization: `${TOKEN}?` }),
    await hub.get(`/me.send?token=${TOKEN}`, { authorization: TOKEN }),
  ]
  expect(JSON.stringify([client.packets, answers.map(({ text }) => text)])).not.toContain(TOKEN)
})
