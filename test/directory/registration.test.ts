import { expect, test } from 'vitest'
import { readRegistration } from '../../server/directory/registration.ts'

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
