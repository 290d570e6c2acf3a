import { describe, expect, test } from 'vitest'
import { ADMIN_TOKEN, startHub, TOKEN } from '../helpers/hub.ts'

const info = (data: unknown = expect.any(String)) => ({ cmd: 'INFO', data })
const messageTo = (target: string, text = 'x') => ({
  cmd: 'MESSAGE',
  data: { sendType: 'personal', target, message: { text } },
})

describe('a push with auth', () => {
  test('says who sent it', async () => {
    const hub = await startHub()
    const [me, you] = [await hub.login('me'), await hub.login('you')]
    const push = hub.post({ ...messageTo('you'), auth: me.auth })
    const { mid, from } = await you.message()
    you.ack(mid)
    expect(from).toEqual({ method: 'http', name: 'me' })
    await push
  })

  test.each(['', null])('%j is none', async (auth) => {
    const hub = await startHub()
    const push = await hub.post({ ...messageTo('nobody'), auth })
    expect(push).toMatchObject({ status: 200, json: { data: { nobody: 'no' } } })
  })

  test('a forged one refuses the push instead of sending it without a name', async () => {
    const hub = await startHub()
    const me = await hub.login('me')
    expect(await hub.post({ ...messageTo('me'), auth: { name: 'you' } })).toMatchObject({ status: 401, json: info() })
    await me.settled()
    expect(me.packets.filter(({ cmd }) => cmd === 'MESSAGE')).toEqual([])
  })
})

describe('http.verifyToken', () => {
  const config = { http: { verifyToken: true, waitTimeout: 0 }, clients: [{ name: 'me' }] }

  test.each([TOKEN, `Bearer ${TOKEN}`, `bearer ${TOKEN}`, ADMIN_TOKEN])(
    '%j lets a push through',
    async (authorization) => {
      const hub = await startHub({ config })
      expect((await hub.get('/me.send', { authorization })).status).toBe(200)
      expect((await hub.post(messageTo('me'), { authorization })).status).toBe(200)
      expect((await hub.post({ text: 'x' }, { authorization }, '/me.send')).status).toBe(200)
      expect((await hub.post({ cmd: 'TEST_HTTP' }, { authorization })).status).toBe(200)
      expect((await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: 'a' } }, { authorization })).status).toBe(200)
    },
  )

  test.each([
    undefined,
    '',
    'wrong',
    'Bearer',
    'Bearer wrong',
    `Basic ${TOKEN}`,
    `${TOKEN}x`,
    `Bearer Bearer ${TOKEN}`,
  ])('%j is refused with 401, and is not echoed', async (authorization) => {
    const hub = await startHub({ config })
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const answers = [
      await hub.get('/me.send', headers),
      await hub.post(messageTo('me'), headers),
      await hub.post({ text: 'x' }, headers, '/me.send'),
      await hub.post({ cmd: 'TEST_HTTP' }, headers),
      await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: 'a' } }, headers),
    ]
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 401, json: info('a valid token is needed in the header "authorization"') })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
    const me = await hub.login('me')
    await me.settled()
    expect(me.packets.map(({ cmd }) => cmd)).toEqual(['AUTH', 'PONG'])
  })

  test('a client may push with its auth, in the packet or the header', async () => {
    const hub = await startHub({ config })
    const { auth } = await hub.login('me')
    expect((await hub.post({ ...messageTo('me'), auth })).status).toBe(200)
    expect((await hub.get('/me.send', { authorization: `Bearer ${auth}` })).status).toBe(200)
  })

  test('off, a wrong token is no obstacle', async () => {
    const hub = await startHub()
    expect((await hub.get('/me.send', { authorization: 'wrong' })).status).toBe(200)
  })

  test('only the admin pushes to system', async () => {
    const hub = await startHub()
    expect(await hub.get('/system.send')).toMatchObject({ status: 403, json: info() })
    expect((await hub.get('/system.send', { authorization: TOKEN })).status).toBe(403)
    expect((await hub.get('/system.send', { authorization: ADMIN_TOKEN })).status).toBe(200)
  })
})
