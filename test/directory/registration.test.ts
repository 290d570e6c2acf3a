import { describe, expect, test } from 'vitest'
import { readRegistration } from '../../server/directory/registration.ts'
import { Refusal } from '../../server/protocol/errors.ts'

const subscription = {
  endpoint: 'https://push.example/abc',
  expirationTime: null,
  keys: { auth: 'c2VjcmV0', p256dh: 'cHVibGlj' },
}

test.each(['REGISTER_FCM', 'REGISTER_WEBPUSH'])('%s takes both by their shape', (cmd) => {
  expect(readRegistration(cmd, subscription, 'phone')).toEqual({
    channel: 'webpush',
    device: 'phone',
    address: subscription,
  })
  expect(readRegistration(cmd, { token: 't' }, '')).toEqual({ channel: 'fcm', device: '', address: { token: 't' } })
})

test.each([
  ['REGISTER_FCM', undefined, 'token property is required'],
  ['REGISTER_FCM', {}, 'token property is required'],
  ['REGISTER_FCM', { token: '' }, 'token property is required'],
  ['REGISTER_FCM', 'x', 'token property is required'],
  ['REGISTER_WEBPUSH', undefined, 'endpoint property is required'],
  ['REGISTER_WEBPUSH', {}, 'endpoint property is required'],
  ['REGISTER_WEBPUSH', { ...subscription, endpoint: 'file:///etc/passwd' }, 'endpoint property is required'],
  ['REGISTER_WEBPUSH', { ...subscription, endpoint: 'no url' }, 'endpoint property is required'],
  ['REGISTER_WEBPUSH', { endpoint: subscription.endpoint }, 'keys property is required'],
  ['REGISTER_FCM', { endpoint: subscription.endpoint }, 'keys property is required'],
  ['REGISTER_WEBPUSH', { ...subscription, keys: { auth: 'x' } }, 'keys.p256dh property is required'],
  ['REGISTER_WEBPUSH', { ...subscription, keys: { p256dh: 'x' } }, 'keys.auth property is required'],
])('%s %j: %s', (cmd, data, text) => {
  expect(() => readRegistration(cmd, data, '')).toThrow(text)
})

describe('an endpoint that a client may not name', () => {
  test.each([
    ['https://10.0.0.1/x', 'must not lead to this machine or a private network'],
    ['https://127.1:9093/', 'must not lead to this machine or a private network'],
    ['https://2130706433/', 'must not lead to this machine or a private network'],
    ['https://[::ffff:127.0.0.1]/', 'must not lead to this machine or a private network'],
    ['http://localhost/', 'must not lead to this machine or a private network'],
    ['http://LOCALHOST./', 'must not lead to this machine or a private network'],
    ['https://pip:x@push.example/abc', 'must not hold a user name or password'],
  ])('%s', (endpoint, text) => {
    const read = () => readRegistration('REGISTER_WEBPUSH', { ...subscription, endpoint }, '')
    expect(read).toThrow(new Refusal('bad-packet', `endpoint ${text}`))
  })

  test('names and public addresses are taken', () => {
    for (const endpoint of ['https://fcm.googleapis.com/fcm/send/x', 'https://8.8.8.8/x']) {
      const { address } = readRegistration('REGISTER_WEBPUSH', { ...subscription, endpoint }, '')
      expect(address).toMatchObject({ endpoint })
    }
  })
})
