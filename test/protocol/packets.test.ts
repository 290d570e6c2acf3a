import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../server/protocol/errors.ts'
import { parseJson } from '../../server/protocol/json.ts'
import { packetSchemas, readData, readPacket, readPlainAck } from '../../server/protocol/packets.ts'

const { AUTH, MESSAGE, MID, WEBPUSH, FCM } = packetSchemas

/** The text of the refusal. */
function refusalOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'bad-packet') throw error
    return error.message
  }
  throw new Error('it was not refused')
}

describe('the envelope', () => {
  test('is a command with data and auth; other keys are ignored', () => {
    expect(readPacket({ cmd: 'PING' })).toEqual({ cmd: 'PING' })
    expect(readPacket({ cmd: 'AUTH', data: { a: 1 }, auth: 'x', more: 1 })).toEqual({
      cmd: 'AUTH',
      data: { a: 1 },
      auth: 'x',
    })
    expect(readPacket({ cmd: 'X', data: null })).toEqual({ cmd: 'X', data: null })
  })

  test.each([null, 1, 'PING', [], [{ cmd: 'PING' }], true, undefined])('%j is none', (value) => {
    expect(refusalOf(() => readPacket(value))).toBe('a packet is a JSON object with the property cmd')
  })

  test.each([{}, { cmd: 1 }, { cmd: null }, { CMD: 'PING' }, { cmd: ['PING'] }])('%j has no command', (value) => {
    expect(refusalOf(() => readPacket(value))).toBe('cmd property is required')
  })
})

describe('AUTH', () => {
  const plain = { token: 't', name: 'pwa', group: null }

  test.each([
    ['the web client', { token: 't', name: 'pwa', group: '' }, plain],
    ['the web client with a group', { token: 't', name: 'pwa', group: 'dev' }, { ...plain, group: 'dev' }],
    ['Android, group never set', { token: 't', name: 'pwa', group: 'null' }, plain],
    ['a script, group never set', { token: 't', name: 'pwa', group: 'undefined' }, plain],
    ['no group at all', { token: 't', name: 'pwa' }, plain],
    ['null as group', { token: 't', name: 'pwa', group: null }, plain],
    ['Android, token never set', { token: 'null', name: 'pwa', group: 'null' }, { ...plain, token: 'null' }],
    ['no token', { name: 'pwa' }, { ...plain, token: '' }],
    ['numbers', { token: 123456, name: 7, group: 8 }, { token: '123456', name: '7', group: '8' }],
    ['zero as name', { token: 't', name: 0 }, { ...plain, name: '0' }],
    ['keys of other versions', { token: 't', name: 'pwa', version: 3, platform: 'android' }, plain],
  ])('from %s', (_, sent, read) => {
    expect(readData(AUTH, sent)).toEqual(read)
  })

  test('from our clients', () => {
    const sent = { token: 't', name: 'pwa', group: 'dev', device: 'phone', window: 20, confirms: true }
    expect(readData(AUTH, sent)).toEqual(sent)
    expect(readData(AUTH, { ...plain, device: null, window: null, confirms: null })).toMatchObject({ device: null })
  })

  test.each([
    [{ token: 't' }, 'name property is required'],
    [{ token: 't', name: '' }, 'name property is required'],
    [{ token: 't', name: null }, 'name property is required'],
    [{ name: 'a', device: 5 }, 'device property must be a string'],
    [{ name: 'a', window: '5' }, 'window property must be a whole number'],
    [{ name: 'a', window: 1.5 }, 'window property must be a whole number'],
    [{ name: 'a', confirms: 'yes' }, 'confirms property must be true or false'],
  ])('%j: %s', (sent, text) => {
    expect(refusalOf(() => readData(AUTH, sent))).toBe(text)
  })

  test.each([
    { name: 'a', window: 0 },
    { name: 'a', window: -1 },
    { name: {} },
    { name: ['a'] },
    { name: 'a', token: {} },
  ])('%j is refused, naming the property', (sent) => {
    expect(refusalOf(() => readData(AUTH, sent))).toMatch(/^(window|name|token) property/)
  })

  test('nothing at all lacks the name', () => {
    for (const data of [undefined, null, {}]) {
      expect(refusalOf(() => readData(AUTH, data))).toBe('name property is required')
    }
  })

  test.each(['text', 5, [], true])('%j is no data', (data) => {
    expect(refusalOf(() => readData(AUTH, data))).toBe('data property must be an object')
  })
})

describe('MESSAGE', () => {
  const message = { text: 'hi', desp: 'there', extra: { scheme: 'app://x' } }
  const whole = { sendType: 'personal', target: 'alice', message }

  test('is read as it is', () => {
    expect(readData(MESSAGE, whole)).toEqual(whole)
    expect(readData(MESSAGE, { ...whole, sendType: 'group', expire: 60, mid: '1' })).toEqual({
      ...whole,
      sendType: 'group',
      expire: 60,
    })
  })

  test.each([
    ['nothing', {}, { text: '', desp: '', extra: {} }],
    ['null', { text: null, desp: null, extra: null }, { text: '', desp: '', extra: {} }],
    ['numbers as text', { text: 5, desp: 0.5 }, { text: '5', desp: '0.5', extra: {} }],
    ['truth as text', { text: true, desp: false }, { text: 'true', desp: 'false', extra: {} }],
    [
      'types inside extra',
      { extra: { n: 1, no: null, deep: [{ a: [] }] } },
      { text: '', desp: '', extra: { n: 1, no: null, deep: [{ a: [] }] } },
    ],
  ])('a message of %s is complete for those who get it', (_, sent, read) => {
    expect(readData(MESSAGE, { ...whole, message: sent }).message).toEqual(read)
  })

  test.each([
    [{ ...whole, sendType: 'everybody' }, "sendType property must 'personal' or 'group'"],
    [{ target: 'alice', message }, "sendType property must 'personal' or 'group'"],
    [{ ...whole, target: '' }, 'target property is required'],
    [{ ...whole, target: null }, 'target property is required'],
    [{ sendType: 'group', message }, 'target property is required'],
    [{ sendType: 'group', target: 'dev' }, 'message property is required'],
    [{ ...whole, message: 'hi' }, 'message property is required'],
    [{ ...whole, message: null }, 'message property is required'],
    [{ ...whole, message: { extra: 'x' } }, 'extra property must be an object'],
    [{ ...whole, message: { extra: [1] } }, 'extra property must be an object'],
    [{ ...whole, message: { extra: ['a'] } }, 'extra property must be an object'],
    [{ ...whole, message: { extra: 5 } }, 'extra property must be an object'],
    [{ ...whole, expire: 'soon' }, 'expire property must be seconds'],
  ])('%j: %s', (sent, text) => {
    expect(refusalOf(() => readData(MESSAGE, sent))).toBe(text)
  })

  test.each([
    { ...whole, expire: 0 },
    { ...whole, expire: -5 },
    { ...whole, target: { a: 1 } },
    { ...whole, message: { text: {} } },
    { ...whole, message: { desp: ['x'] } },
  ])('%j is refused, naming the property', (sent) => {
    expect(refusalOf(() => readData(MESSAGE, sent))).toMatch(/^(expire|target|message\.text|message\.desp) property/)
  })

  test('a target may be a number, as old scripts send it', () => {
    expect(readData(MESSAGE, { ...whole, target: 42 }).target).toBe('42')
  })
})

describe('callbacks', () => {
  test('carry the mid as text, or as the number that it was in 2.0', () => {
    expect(readData(MID, { mid: '1795431115912' })).toEqual({ mid: '1795431115912' })
    expect(readData(MID, { mid: 1795431115912 })).toEqual({ mid: '1795431115912' })
    expect(readData(MID, { mid: 'anything', more: 1 })).toEqual({ mid: 'anything' })
  })

  test.each([{}, { mid: '' }, { mid: null }, null])('%j lacks it', (data) => {
    expect(refusalOf(() => readData(MID, data))).toBe('mid property is required')
  })
})

describe('a plain ack, read without a parser', () => {
  const plain = '{"cmd":"MESSAGE_CALLBACK","data":{"mid":"1795431115912"}}'

  test('says what the parser says', () => {
    const packet = readPacket(parseJson(plain))
    expect([packet.cmd, readData(MID, packet.data).mid]).toEqual(['MESSAGE_CALLBACK', readPlainAck(plain)])
  })

  test.each([
    ` ${plain}`,
    `${plain}\n`,
    plain.replace('1795431115912', '179543111591'),
    plain.replace('1795431115912', '17954311159123'),
    plain.replace('"1795431115912"', '1795431115912'),
    plain.replace('MESSAGE_CALLBACK', 'MESSAGE_FCM_CALLBACK'),
    plain.replace('}}', '},"auth":"x"}'),
    plain.replace('}}', ',"auth":"x"}}'),
    plain + plain,
    '',
  ])('%j is left to the parser', (text) => {
    expect(readPlainAck(text)).toBeNull()
  })
})

describe('REGISTER_WEBPUSH and both meanings of REGISTER_FCM', () => {
  const subscription = {
    endpoint: 'https://push.example.org/abc',
    expirationTime: null,
    keys: { auth: 'a'.repeat(22), p256dh: 'p'.repeat(87) },
  }

  test('a subscription is told by its endpoint and keys, a token by its name', () => {
    expect(readData(WEBPUSH, subscription)).toEqual(subscription)
    expect(readData(WEBPUSH, { ...subscription, expirationTime: 1_800_000_000_000 }).expirationTime).toBe(
      1_800_000_000_000,
    )
    const { expirationTime: _, ...without } = subscription
    expect(readData(WEBPUSH, without)).toEqual(without)
    expect(readData(FCM, { token: 'fcm:1' })).toEqual({ token: 'fcm:1' })
    expect(refusalOf(() => readData(FCM, subscription))).toBe('token property is required')
    expect(refusalOf(() => readData(WEBPUSH, { token: 'fcm:1' }))).toBe('endpoint property is required')
  })

  test.each([
    [{}, 'endpoint property is required'],
    [null, 'endpoint property is required'],
    ['https://push.example.org', 'endpoint property is required'],
    [{ ...subscription, endpoint: '' }, 'endpoint property is required'],
    [{ ...subscription, endpoint: 'push.example.org' }, 'endpoint property is required'],
    [{ ...subscription, endpoint: 'file:///etc/passwd' }, 'endpoint property is required'],
    [{ ...subscription, endpoint: 'javascript:alert(1)' }, 'endpoint property is required'],
    [{ endpoint: subscription.endpoint }, 'keys property is required'],
    [{ ...subscription, keys: null }, 'keys property is required'],
    [{ ...subscription, keys: { auth: 'a' } }, 'keys.p256dh property is required'],
    [{ ...subscription, keys: { p256dh: 'p' } }, 'keys.auth property is required'],
  ])('%j: %s', (sent, text) => {
    expect(refusalOf(() => readData(WEBPUSH, sent))).toBe(text)
  })

  test.each([{}, { token: '' }, { token: null }, null, 'fcm:1'])('%j has no token', (sent) => {
    expect(refusalOf(() => readData(FCM, sent))).toBe('token property is required')
  })
})

test('whatever comes is read or refused in our words', () => {
  const sent = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        token: fc.jsonValue(),
        name: fc.jsonValue(),
        group: fc.jsonValue(),
        mid: fc.jsonValue(),
        target: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        sendType: fc.constantFrom('personal', 'group', 1),
        target: fc.jsonValue(),
        message: fc.jsonValue(),
        expire: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
    fc.record({ endpoint: fc.oneof(fc.webUrl(), fc.jsonValue()), keys: fc.jsonValue() }, { requiredKeys: [] }),
  )
  fc.assert(
    fc.property(sent, fc.constantFrom(...Object.values(packetSchemas)), (data, schema) => {
      try {
        readData<unknown>(schema, data)
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal)
        expect(error).toMatchObject({ code: 'bad-packet', status: 400 })
        expect(String(error)).toMatch(/propert(y|ies)/)
      }
    }),
    { seed: 71, numRuns: 500 },
  )
})
