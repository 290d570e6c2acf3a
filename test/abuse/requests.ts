/** Requests that nobody would send, for fast-check. */
import fc from 'fast-check'
import { calls } from '../../server/protocol/sdk.ts'
import { ADMIN_TOKEN, TOKEN } from '../helpers/hub.ts'
import { GOOD, PUSH } from '../helpers/pushserver.ts'

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']

/** Paths of the hub; `*` stands for what a caller fills in. */
const PATHS = [
  '/',
  '/*.send',
  '/*.group',
  '/health',
  '/metrics',
  '/live',
  '/ready',
  '/confirm/*',
  PUSH,
  '/api/v1/task/*',
  '/api/v1/notifications',
  '/api/v1/notifications?status=*&limit=*&offset=*',
  '/api/v1/notifications/*',
  '/api/v1/notifications/*/read',
  '/api/v1/notifications/read-all',
  '/api/v1/notifications/statistics',
  '/api/v1/*',
  '/api/v2/dead-letters?limit=*&before=*',
  '/api/v2/dead-letters/*/*/resend',
  '/api/v2/*',
  ...calls.map(({ path }) => path),
]

/** What a URL may hold on the wire: no spaces, no controls. */
const onWire = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%',
      '%2e',
      '%2F',
      '%00',
      '%E4',
      '%zz',
      '?',
      '#',
      '&',
      '=',
      ';',
      ':',
      '@',
      '[',
      ']',
    ),
    fc.constantFrom(
      'me',
      'ops',
      'dev',
      '.send',
      '.group',
      '__proto__',
      'é',
      '//',
      '*',
      '{',
      '"',
      '<',
      '|',
      '^',
      '~',
      '0',
      '-1',
    ),
    fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  ),
  maxLength: 12,
})
const known = fc
  .tuple(fc.constantFrom(...PATHS), fc.array(onWire, { minLength: 3, maxLength: 3 }))
  .map(([path, parts]) => {
    let n = 0
    return path.replaceAll('*', () => parts[n++] ?? '')
  })
const url = fc.oneof(
  { weight: 6, arbitrary: known },
  { weight: 2, arbitrary: fc.tuple(known, onWire).map(([path, more]) => `${path}?${more}`) },
  { weight: 2, arbitrary: onWire.map((path) => `/${path}`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('http://', 'https://', 'ftp://', '//', ''), onWire)
      .map(([scheme, rest]) => `${scheme}${rest}` || '*'),
  },
)

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', 'me', 'dev@group', 'system'),
)
const anything = fc.oneof(
  text,
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(0, -1, 1e308, 1e-9, 2 ** 53, true, null, [], {}, [[[]]]),
)
const packet = (data: object) => ({
  cmd: 'MESSAGE',
  data: { sendType: 'personal', target: 'me', message: { text: 'x' }, ...data },
})

/** Documented bodies, for something in them to be changed. */
const BODIES: readonly object[] = [
  packet({}),
  packet({ sendType: 'group', target: 'dev', expire: 60 }),
  { cmd: 'AUTH', data: { token: TOKEN, name: 'me', group: 'dev', device: 'd', window: 2, confirms: true } },
  { cmd: 'MESSAGE_CALLBACK', data: { mid: '1800000000000' }, auth: 'c1.x.y' },
  { cmd: 'CONFIRM', data: { mid: '1800000000000' }, auth: '' },
  {
    cmd: 'REGISTER_WEBPUSH',
    data: { endpoint: 'https://push.example/a', keys: { auth: 'a', p256dh: 'b' } },
    auth: null,
  },
  { cmd: 'REGISTER_FCM', data: { token: 't' } },
  { cmd: 'TEST_HTTP' },
  { text: 'x', desp: 'y', more: [1] },
  {
    ...GOOD,
    recipient_alias: 'ops',
    strategy: 'all',
    extra: {},
    url: 'https://x.example/',
    expire: 60,
    idempotency_key: 'k',
  },
  { subject: 's', from: 'a@x.example', to: ['b@x.example'], content: 'c', cc: 'd@x.example' },
  {
    channel: '#a',
    content: 'c',
    isAtAll: false,
    atMobiles: ['1'],
    touser: 'u',
    agentid: '1',
    userIds: ['u'],
    template: 't',
    params: {},
  },
]

/** The value with one of its places, however deep, given another one. */
function changed(value: unknown, at: readonly number[], to: unknown): unknown {
  const [first, ...rest] = at
  if (first === undefined || typeof value !== 'object' || value === null) return to
  const entries: [string, unknown][] = Object.entries(value)
  const place = first % (entries.length + 1)
  const [key, inside] = entries[place] ?? ['added', null]
  const now = entries.toSpliced(place, 1, [key, changed(inside, rest, to)])
  return Array.isArray(value) ? now.map(([, item]) => item) : Object.fromEntries(now)
}
const json = fc
  .tuple(fc.constantFrom(...BODIES), fc.array(fc.nat(9), { maxLength: 4 }), anything)
  .map(([body, at, to]) => JSON.stringify(changed(body, at, to)) ?? '')
const form = fc
  .dictionary(fc.oneof(text, fc.constantFrom('text', 'content', 'to')), text, { maxKeys: 5 })
  .map((fields) => String(new URLSearchParams(Object.entries(fields))))
const body = fc.oneof({ weight: 6, arbitrary: json }, form, text, fc.constant(''))

/** A value of a header: printable, or beyond ASCII. */
const value = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 20,
})
const headers = fc.record(
  {
    authorization: fc.oneof(value, fc.constantFrom(TOKEN, `Bearer ${TOKEN}`, ADMIN_TOKEN, 'c1.x.y', 'Bearer')),
    'content-type': fc.oneof(
      value,
      fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/json; charset=utf-16'),
    ),
    'content-encoding': fc.oneof(value, fc.constantFrom('identity', 'gzip')),
    'idempotency-key': value,
    'x-forwarded-for': fc.oneof(value, fc.constantFrom('192.0.2.1', '::1, 10.0.0.1')),
    'accept-language': value,
    accept: value,
    cookie: value,
    origin: value,
    range: value,
    'if-none-match': fc.constantFrom('*', '""'),
    upgrade: fc.constantFrom('h2c', 'websocket', 'x'),
    'access-control-request-headers': value,
    'access-control-request-method': value,
  },
  { requiredKeys: [] },
)

/** One request as it goes over the wire. Its connection closes behind it. */
export const request = fc
  .tuple(fc.constantFrom(...METHODS), url, headers, body)
  .map(([method, target, more, content]): Buffer => {
    const bytes = Buffer.from(content)
    const given = {
      host: 'x',
      connection: 'upgrade' in more ? 'upgrade, close' : 'close',
      'content-length': bytes.length,
      'content-type': 'application/json',
      ...more,
    }
    const lines = Object.entries(given).map(([name, said]) => `${name}: ${said}\r\n`)
    return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), bytes])
  })
