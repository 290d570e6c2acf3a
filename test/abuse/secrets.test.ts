/** What callers send shows up in no log, and what is secret in no answer; what looks like a line of the log is none. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createLog } from '../../server/ground/log.ts'
import { textOf } from '../../server/log/text.ts'
import { ADMIN_TOKEN, startHub, TOKEN } from '../helpers/hub.ts'
import { GOOD, PUSH } from '../helpers/pushserver.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { forgeries } from './forgeries.ts'
import { exchange } from './wire.ts'

/** Looks like a line of the log of its own, and clears the screen of whoever reads it. */
const CANARY = 'CANARY\n{"level":"fatal","msg":"forged"}\r\n[ERROR] forged\u001b[2J\u009b2J\u2028'
const IN_HEADER = 'CANARY%0a[ERROR] forged'
const json = { 'content-type': 'application/json' }
const all = (value: string) => ({ value, 'a key': value, [value]: 'a value', list: [value], deep: { er: value } })

/** A hub that logs all it can, and what it logged, line by line. */
async function talkativeHub() {
  const vendor = await startReceiver((response) => response.writeHead(200).end('{"ok":true}'))
  const lines: string[] = []
  const hub = await startHub({
    log: createLog('trace', { write: (text) => void lines.push(text) }),
    config: {
      http: { waitTimeout: 0 },
      websocket: { waitTimeout: 0 },
      server: { mode: 'debug' },
      clients: [{ name: 'me', group: 'dev' }],
      recipients: { ops: { platforms: { webhook: { webhooks: [{ url: `${vendor.url}/hook?key=CANARY` }] } } } },
      sdk: { slack: { token: 'xoxb-CANARY', baseUrl: vendor.url } },
    },
  })
  return { hub, lines, vendor }
}

test('a canary in each field of each door is in no line of the log, nor is what looks like one a line', async () => {
  const { hub, lines, vendor } = await talkativeHub()
  const c = CANARY
  const h = IN_HEADER
  const me = await hub.login('me', { confirms: true })
  const { auth } = me

  const packets = [
    { cmd: c },
    { cmd: 'AUTH', data: { token: c, name: c, group: c, device: c } },
    { cmd: 'AUTH', data: { token: c, name: 'you' } },
    { cmd: 'AUTH', data: { token: TOKEN, name: 'me', device: c } },
    { cmd: 'MESSAGE', data: { sendType: c, target: c, message: c } },
    { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'me', message: { text: c, desp: c, extra: all(c) } } },
    { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'ops', message: { text: c, desp: c, extra: all(c) } } },
    { cmd: 'MESSAGE', auth: c },
    { cmd: 'MESSAGE', auth: { name: c } },
    { cmd: 'MESSAGE_CALLBACK', data: { mid: c }, auth },
    { cmd: 'CONFIRM', data: { mid: c }, auth },
    { cmd: 'REGISTER_FCM', data: { token: c }, auth },
    { cmd: 'REGISTER_WEBPUSH', data: { endpoint: c, keys: { auth: c, p256dh: c } }, auth },
    { cmd: 'REGISTER_WEBPUSH', data: { endpoint: 'https://p.example/CANARY', keys: { auth: c, p256dh: c } }, auth },
    { cmd: 'TEST_HTTP', data: c, [c]: c },
  ]
  for (const packet of packets) {
    await hub.post(packet)
    me.socket.send(JSON.stringify(packet))
  }
  me.socket.send(c)
  await me.settled()

  await hub.post({ text: c, desp: c, ...all(c) }, { 'idempotency-key': h }, '/me.send')
  await hub.post({ ...GOOD, recipient_alias: 'ops', content: { title: c, msg: c }, extra: all(c) }, {}, PUSH)
  await hub.post({ ...GOOD, recipient_alias: c, type: c, style: c, platform: c, url: c }, {}, PUSH)
  await hub.post({ channel: c, content: c }, {}, '/slack/send/message')
  for (const path of [
    `/me.send?text=${h}&${h}=${h}`,
    `/${h}.send`,
    `/${h}.group`,
    `/me.send?token=${h}`,
    `/me.send?idem=${h}`,
  ]) {
    await hub.get(encodeURI(path))
  }
  for (const path of ['/api/v1/task/', '/api/v1/notifications/', '/api/v1/', '/api/v2/', '/', '/confirm/']) {
    await fetch(`${hub.url}${path}CANARY-0123456789-0123456789-0123456789-0123456789`)
  }
  const named = [
    'authorization',
    'cookie',
    'user-agent',
    'origin',
    'x-forwarded-for',
    'referer',
    'accept-language',
    'from',
  ]
  for (const name of [...named, 'content-type', 'content-encoding']) {
    await hub.request('/me.send', { method: 'POST', headers: { ...json, [name]: h }, body: '{}' })
  }
  await exchange(hub, `GET http://u:CANARY@[::1/CANARY?CANARY HTTP/1.1\r\nhost: CANARY\r\nconnection: close\r\n\r\n`)
  await exchange(hub, `CANARY /CANARY HTTP/1.1\r\nhost: CANARY\r\n\r\n`)
  await exchange(hub, `GET / HTTP/1.1\r\nhost: CANARY\r\nCANARY\r\n\r\n`)
  await vendor.received(4)
  await expect.poll(() => lines.filter((line) => line.includes('消息推送成功')).length).toBeGreaterThanOrEqual(3)
  await vendor.close()

  expect(lines.filter((line) => line.includes('CANARY') || line.includes('forged'))).toEqual([])
  for (const line of lines) expect(line).toMatch(/^\{[^\p{Cc}\u2028\u2029]*\}\n$/u)
})

test('the token, the keys and what a client proves itself with are in no answer but the one that hands it out', async () => {
  const { hub, lines, vendor } = await talkativeHub()
  const { auth } = await hub.login('me')
  const texts: string[] = []
  for (const [, forged] of forgeries(auth, TOKEN)) {
    texts.push((await hub.post({ cmd: 'MESSAGE_CALLBACK', data: { mid: '1' }, auth: forged })).text)
  }
  for (const proof of [TOKEN, ADMIN_TOKEN, auth, `${TOKEN}x`]) {
    for (const path of [
      '/me.send',
      '/system.send',
      '/api/v1/notifications',
      '/health',
      '/metrics',
      `/confirm/${proof}`,
    ]) {
      texts.push(await (await fetch(hub.url + path, { headers: { authorization: proof } })).text())
    }
    texts.push((await hub.post({ cmd: 'AUTH', data: { token: `${proof}x`, name: 'me' } })).text)
    texts.push((await hub.post({ cmd: 'X' }, { 'content-type': proof })).text.replace(proof, ''))
    texts.push((await hub.get(`/me.send?token=${encodeURIComponent(proof)}`)).text)
  }
  await vendor.close()
  for (const secret of [TOKEN, ADMIN_TOKEN, auth, auth.slice(0, 40)]) {
    for (const text of [...texts, ...lines]) expect(text).not.toContain(secret)
  }
})

test('a message that does get into the log, as the platform system wants it, stays one line there', async () => {
  const lines: string[] = []
  const hub = await startHub({
    log: createLog('trace', { write: (text) => void lines.push(text) }),
    config: { recipients: { ops: { platforms: { system: { notifications: [{ type: 'syslog' }] } } } } },
  })
  await hub.post(
    { ...GOOD, recipient_alias: 'ops', platform: 'system', content: { title: CANARY, msg: CANARY } },
    {},
    PUSH,
  )
  await expect.poll(() => lines.some((line) => line.includes('CANARY'))).toBe(true)
  for (const line of lines.flatMap((one) => [one, textOf(one)])) {
    expect(line).toMatch(/^[^\p{Cc}\u2028\u2029]*\n$/u)
    expect(line.split('\n')).toHaveLength(2)
  }
})

describe('secrets are compared in constant time only', () => {
  const root = join(import.meta.dirname, '../..')
  const WORD = String.raw`[\w$.?!()'"\x60\[\]]*`
  const COMPARISON = new RegExp(`(?<!typeof )\\b(${WORD})\\s*(?:[!=]==?)\\s*(${WORD})`, 'g')
  const SECRET = /(^|\.)(\w*token|\w*secret|auth|authorization|signature(\(.*)?|given|password|proof|own)$/i
  const NOTHING = /^(undefined|null|''|"")/

  /** Comparisons of a secret with something that might be one: nothing, and what is no secret, are neither. */
  function suspicious(source: string): string[] {
    return [...source.matchAll(COMPARISON)]
      .filter(([, left = '', right = '']) => {
        if (NOTHING.test(left) || NOTHING.test(right)) return false
        return [left, right].some((side) => SECRET.test(side.replaceAll(/^[!(]+|\)+$/g, '')))
      })
      .map(([text]) => text.trim())
  }

  test('in the rooms that see what callers prove themselves with', () => {
    const found = ['directory', 'http', 'ws'].flatMap((room) =>
      readdirSync(join(root, 'server', room), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) =>
          suspicious(readFileSync(join(root, 'server', room, file), 'utf8')).map((line) => `${room}/${file}: ${line}`),
        ),
    )
    expect(found).toEqual([])
    for (const file of ['directory/tokens.ts', 'http/gate.ts']) {
      expect(readFileSync(join(root, 'server', file), 'utf8')).toMatch(/timingSafeEqual\(digest|timingSafeEqual\(given/)
    }
  })

  test.each([
    'if (token !== config.token) throw',
    'return authorization === `Bearer`',
    'given == signature(payload)',
    'if (data.token===hubToken)',
    'settings.adminToken !== header',
    'if (expected === packet.auth)',
    'a.password != b',
  ])('%s would be found', (line) => {
    expect(suspicious(line)).toHaveLength(1)
  })

  test.each(['auth === undefined', "token === ''", 'null !== adminToken', 'kind === "client"', 'tokens.length === 2'])(
    '%s is none',
    (line) => {
      expect(suspicious(line)).toEqual([])
    },
  )
})
