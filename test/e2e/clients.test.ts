/**
 * The three clients of mpush that are in use, as far as the hub can see them: what each sends, what it insists
 * on in what it gets, and what it does then.
 */
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { startHub, type TestHub, TOKEN } from '../helpers/hub.ts'

/** A packet as a client without types sees it. */
type Loose = Record<string, never> & { readonly [key: string]: Loose }

interface Device {
  readonly socket: WebSocket
  /** what the user saw, in order, as mids */
  readonly shown: string[]
  readonly toasts: string[]
  /** `auth` of the last AUTH 200 */
  auth: string
  authError: string | null
}

function open(
  url: string,
  receive: (device: Device, packet: Loose) => void,
  onOpen: (device: Device) => void,
): Promise<Device> {
  const socket = new WebSocket(url)
  onTestFinished(() => socket.terminate())
  const device: Device = { socket, shown: [], toasts: [], auth: '', authError: null }
  socket.on('message', (data: Buffer) => receive(device, JSON.parse(data.toString())))
  socket.on('error', () => {})
  return once(socket, 'open').then(() => {
    onOpen(device)
    return device
  })
}

/** The PWA: acks before it shows, drops only what has the newest mid, stops for good at an AUTH that is not 200. */
function pwa(hub: TestHub, name: string, { webPush = false } = {}): Promise<Device> {
  const subscription = {
    endpoint: 'https://push.example/browser',
    expirationTime: null,
    keys: { auth: 'c2VjcmV0', p256dh: 'cHVibGlj' },
  }
  return open(
    `${hub.wsUrl}/mpush`,
    (device, { cmd, data }) => {
      const send = (packet: unknown) => device.socket.send(JSON.stringify(packet))
      switch (String(cmd)) {
        case 'AUTH': {
          if (Number(data?.['code']) !== 200) {
            device.authError = String(data?.['msg'])
            device.socket.close()
            return
          }
          device.auth = String(data?.['auth'])
          const key = String(data?.['fcmServerKey'] ?? data?.['webpushPublicKey'])
          if (!webPush) return
          expect(Buffer.from(`${key}=`, 'base64').length).toBe(65)
          send({ cmd: 'REGISTER_FCM', data: subscription })
          send({ cmd: 'REGISTER_WEBPUSH', data: subscription })
          return
        }
        case 'MESSAGE': {
          const mid = String(data?.['mid'])
          send({ cmd: 'MESSAGE_CALLBACK', data: { mid } })
          if (device.shown.at(-1) === mid) return
          expect(new Date(Number(mid)).getFullYear()).toBe(new Date().getFullYear())
          const message = data?.['message']
          expect(String(message?.['text']).indexOf('\n') + String(message?.['desp']).indexOf('\n')).toBe(-2)
          expect(typeof message?.['extra']).toBe('object')
          expect(message?.['extra']?.['scheme']).toBeUndefined()
          expect(
            [data?.['sendType'], data?.['target'], data?.['from']?.['method']].every(
              (value) => typeof value === 'string',
            ),
          ).toBe(true)
          device.shown.push(mid)
          return
        }
        case 'INFO':
          device.toasts.push(String(data))
      }
    },
    ({ socket }) => {
      // the heartbeat runs on a clock of its own: here it comes first
      socket.send(JSON.stringify({ cmd: 'PING' }))
      socket.send(JSON.stringify({ cmd: 'AUTH', data: { token: TOKEN, name, group: '' } }))
    },
  )
}

/** Android 2.x: strings built by hand, ignores packets whose data is no object, throws before the ack when a field is missing. */
function android2(hub: TestHub, name: string): Promise<Device> {
  return open(
    hub.wsUrl,
    (device, { cmd, data }) => {
      if (typeof data !== 'object' || data === null) return
      if (String(cmd) === 'AUTH') {
        if (Number(data['code']) !== 200) device.authError = String(data['msg'])
        else device.auth = String(data['auth'])
      }
      if (String(cmd) !== 'MESSAGE') return
      for (const field of ['sendType', 'target', 'mid'])
        if (typeof data[field] !== 'string') throw new Error(`JSONException: ${field}`)
      for (const field of ['from', 'message'])
        if (typeof data[field] !== 'object') throw new Error(`JSONException: ${field}`)
      const mid = String(data['mid'])
      expect(Number.isSafeInteger(Number(mid))).toBe(true)
      if (device.shown.at(-1) !== mid) device.shown.push(mid)
      device.socket.send(`{"cmd":"MESSAGE_CALLBACK","data":{"mid":"${mid}"}}`)
    },
    ({ socket }) => {
      socket.ping()
      socket.send(`{"cmd":"AUTH","data":{"token":"${TOKEN}","name":"${name}","group":"null"}}`)
    },
  )
}

/** Android 3.x: reads AUTH field by field in one try, needs text, desp and extra, shows every frame it gets. */
function android3(hub: TestHub, name: string): Promise<Device> {
  return open(
    hub.url.replace('http:', 'ws:'),
    (device, { cmd, data }) => {
      if (String(cmd) === 'AUTH') {
        for (const field of ['code', 'msg', 'fcmProjectId', 'fcmApplicationId', 'fcmApiKey', 'auth']) {
          const value = data?.[field]
          if (value === undefined) return
          if (field === 'auth') device.auth = String(value)
        }
        device.socket.send('{"cmd":"REGISTER_FCM","data":{"token":"fcm-token-1"}}')
      }
      if (String(cmd) !== 'MESSAGE') return
      const message = data?.['message']
      if (message?.['text'] === undefined || message['desp'] === undefined || message['extra'] === undefined) return
      if (message['extra'] === null) throw new Error('NullPointerException before the ack')
      const mid = String(data?.['mid'])
      device.shown.push(mid)
      device.socket.send(`{"cmd":"MESSAGE_CALLBACK","data":{"mid":"${mid}"}}`)
    },
    ({ socket }) => socket.send(`{"cmd":"AUTH","data":{"token":"${TOKEN}","name":"${name}","group":"null"}}`),
  )
}

/** Waits until the hub has taken what the device sent before. */
function settled(device: Device): Promise<void> {
  return new Promise((resolve) => {
    device.socket.on('message', (data: Buffer) => {
      // the answer to a PING that the device sent before its AUTH may still be on its way
      if (device.auth !== '' && data.toString().startsWith('{"cmd":"PONG"')) resolve()
    })
    device.socket.send('{"cmd":"PING"}')
  })
}

const midOf = async (push: Promise<{ headers: Headers }>) => (await push).headers.get('x-message-id') ?? ''

test.each([
  ['the PWA', pwa],
  ['Android 2.x', android2],
  ['Android 3.x', android3],
])('%s shows every message once, in order, and its sender reads ok', async (_, connect) => {
  const hub = await startHub({ config: { clients: [{ name: 'me' }] } })
  const waiting = await midOf(hub.get('/me.send?text=early&desp=bird'))
  const device = await connect(hub, 'me')
  await expect.poll(() => device.shown).toEqual([waiting])
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => hub.get(`/me.send?text=${n}`)))
  for (const { json } of answers) expect(json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  expect(device.shown).toEqual([waiting, ...answers.map(({ headers }) => headers.get('x-message-id') ?? '').toSorted()])
  expect(device.toasts).toEqual([])
  expect(device.authError).toBeNull()
})

test.each([
  ['the PWA', pwa],
  ['Android 2.x', android2],
  ['Android 3.x', android3],
])('%s is not poisoned by strange extras', async (_, connect) => {
  const hub = await startHub()
  const device = await connect(hub, 'me')
  await settled(device)
  for (const message of [
    {},
    { text: null },
    { extra: null },
    { text: 5, desp: false },
    { text: 'x', extra: { a: null } },
  ]) {
    const push = await hub.post({ cmd: 'MESSAGE', data: { sendType: 'personal', target: 'me', message } })
    expect(push.json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'ok' } })
  }
  expect(device.shown).toHaveLength(5)
})

test('two PWAs of one name: the newer one gets what follows, and nobody is told 401 or 403', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
  const old = await pwa(hub, 'me')
  await settled(old)
  const first = await midOf(hub.get('/me.send?text=1'))
  await expect.poll(() => old.shown).toEqual([first])
  const me = await pwa(hub, 'me')
  await once(old.socket, 'close')
  const second = await midOf(hub.get('/me.send?text=2'))
  await expect.poll(() => me.shown).toEqual([second])
  expect(old.authError).toBeNull()
})

test('the PWA registers Web Push under both names without a toast, and need not do so again after a restart', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 0 } } })
  const me = await pwa(hub, 'me', { webPush: true })
  await settled(me)
  expect(me.toasts).toEqual([])
  await expect
    .poll(async () => (await hub.store.scan('endpoint', { limit: 9 })).items.map(({ id }) => id))
    .toEqual(['me@user/webpush/'])
})

test('the service worker of the older PWA confirms across origins, with nothing but its auth', async () => {
  const hub = await startHub({ config: { http: { waitTimeout: 0, verifyToken: true } } })
  const me = await pwa(hub, 'me')
  await settled(me)
  me.socket.terminate()
  await once(me.socket, 'close')
  await expect.poll(async () => (await hub.get('/health')).json).toMatchObject({ sessions: 0 })

  const origin = 'https://pwa.example'
  const push = () => hub.get('/me.send?text=x&idem=k', { authorization: TOKEN })
  const mid = await midOf(push())
  const preflight = await hub.request('/anything', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  })
  expect(preflight.status).toBe(200)
  expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type')
  const confirmed = await hub.post(
    { cmd: 'MESSAGE_FCM_CALLBACK', auth: me.auth, data: { mid } },
    { origin },
    '/anything',
  )
  expect(confirmed).toMatchObject({ status: 200, json: { cmd: 'INFO', data: 'ok' } })
  expect(confirmed.headers.get('access-control-allow-origin')).toBe(origin)
  expect((await push()).json).toEqual({ cmd: 'MESSAGE_REPLY', data: { me: 'webpush-ok-comfirm' } })
})

test('Android with an unset group is in no group', async () => {
  const hub = await startHub()
  await settled(await android2(hub, 'two'))
  await settled(await android3(hub, 'three'))
  for (const group of ['null', 'undefined']) {
    expect((await hub.get(`/${group}.group?text=x`)).json).toEqual({ cmd: 'MESSAGE_REPLY', data: {} })
  }
})

test('Android 3.x posts its new FCM token to the URL of its socket, with the token in the header', async () => {
  const hub = await startHub({ config: { http: { verifyToken: true } } })
  const device = await android3(hub, 'me')
  await settled(device)
  expect(device.auth).toMatch(/^c1\./)
  const answer = await hub.post(
    { cmd: 'REGISTER_FCM', auth: device.auth, data: { token: 'fcm-token-2' } },
    { authorization: TOKEN, 'content-type': 'application/json' },
    '/',
  )
  expect(answer).toMatchObject({ status: 200, json: { cmd: 'INFO', data: 'ok' } })
  expect((await hub.store.get('endpoint', 'me@user/fcm/'))?.value).toMatchObject({ address: { token: 'fcm-token-2' } })
})
