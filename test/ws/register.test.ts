import { expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'

const subscription = {
  endpoint: 'https://push.example/abc',
  expirationTime: null,
  keys: { auth: 'c2VjcmV0', p256dh: 'cHVibGlj' },
}

test('registrations are silent and kept by device and shape; the same again changes nothing', async () => {
  const hub = await startHub()
  const me = await hub.login('me')
  const phone = await hub.login('me', { device: 'phone' })
  me.send('REGISTER_FCM', subscription)
  me.send('REGISTER_WEBPUSH', subscription)
  me.send('REGISTER_FCM', { token: 't' })
  phone.send('REGISTER_WEBPUSH', { ...subscription, endpoint: 'https://push.example/phone' })
  await Promise.all([me.settled(), phone.settled()])
  expect(me.packets.map(({ cmd }) => cmd)).toEqual(['AUTH', 'PONG'])
  await expect
    .poll(async () => (await hub.store.scan('endpoint', { limit: 9 })).items.map(({ id }) => id).toSorted())
    .toEqual(['me@user/fcm/', 'me@user/webpush/', 'me@user/webpush/phone'])
  expect((await hub.store.get('endpoint', 'me@user/webpush/'))?.value).toEqual({
    channel: 'webpush',
    device: '',
    address: subscription,
  })
})

test('what is missing is told as INFO', async () => {
  const hub = await startHub()
  const me = await hub.login('me')
  me.send('REGISTER_WEBPUSH', { endpoint: subscription.endpoint })
  expect(await me.next('INFO')).toEqual({ cmd: 'INFO', data: 'keys property is required' })
  me.send('REGISTER_FCM', {})
  expect(await me.next('INFO')).toEqual({ cmd: 'INFO', data: 'token property is required' })
})
