import { describe, expect, test } from 'vitest'
import { createPeerReader, isLoopback, isNetwork } from '../../server/directory/peers.ts'
import { requestFrom } from '../helpers/request.ts'

describe('without trusted proxies', () => {
  const peerOf = createPeerReader([])

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, ''],
  ])('%s counts as %s', (address, peer) => {
    expect(peerOf(requestFrom(address))).toBe(peer)
  })

  test('one /64 is one peer, the next is another', () => {
    const [a, b, c] = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:db8:1:3::1'].map((one) =>
      peerOf(requestFrom(one)),
    )
    expect(b).toBe(a)
    expect(c).not.toBe(a)
  })

  test('X-Forwarded-For is not believed', () => {
    expect(peerOf(requestFrom('127.0.0.1', '192.0.2.7'))).toBe('127.0.0.1')
  })
})

describe('with trusted proxies', () => {
  const peerOf = createPeerReader(['127.0.0.1', '10.0.0.0/8', '2001:db8:aaaa::/48'])

  test.each([
    ['what the proxy wrote', '127.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['the same on a socket for both families', '::ffff:127.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['the right-most, whatever the client wrote before it', '127.0.0.1', '127.0.0.1, 192.0.2.1,192.0.2.7', '192.0.2.7'],
    ['the one before a row of proxies', '127.0.0.1', '192.0.2.7, 2001:db8:aaaa::1, 10.9.9.9', '192.0.2.7'],
    ['a mapped address as what it is', '127.0.0.1', '::ffff:c000:207', '192.0.2.7'],
    ['the /64 of an IPv6 address', '2001:db8:aaaa::5', '2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['nothing from a stranger', '192.0.2.9', '192.0.2.7', '192.0.2.9'],
    ['nothing from another address of this machine', '127.0.0.2', '192.0.2.7', '127.0.0.2'],
    ['the proxy itself without the header', '127.0.0.1', undefined, '127.0.0.1'],
    ['the nearest known before what is no address', '127.0.0.1', '192.0.2.7, unknown, 10.9.9.9', '10.9.9.9'],
  ])('believed is %s', (_, address, forwardedFor, peer) => {
    expect(peerOf(requestFrom(address, forwardedFor))).toBe(peer)
  })
})

test('loopback is told by the peer', () => {
  const peerOf = createPeerReader([])
  const isLocal = (address: string | undefined) => isLoopback(peerOf(requestFrom(address)))
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) expect(isLocal(address)).toBe(true)
  for (const address of ['128.0.0.1', '2001:db8::1', undefined]) expect(isLocal(address)).toBe(false)
})

test.each(['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', '2001:db8::/32', '::/128'])('%s is a network', (text) => {
  expect(isNetwork(text)).toBe(true)
  expect(() => createPeerReader([text])).not.toThrow()
})

test.each([
  '',
  'localhost',
  '10.0.0',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '::1/129',
  'fe80::1%eth0',
  '*',
  '/8',
])('%j is none', (text) => {
  expect(isNetwork(text)).toBe(false)
})
