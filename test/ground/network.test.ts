import { describe, expect, test } from 'vitest'
import { isPublic, objectionTo } from '../../server/ground/network.ts'

describe('an address', () => {
  const edges: [string, string, string][] = [
    ['0/8', '0.0.0.0', '0.255.255.255'],
    ['10/8', '10.0.0.0', '10.255.255.255'],
    ['100.64/10', '100.64.0.0', '100.127.255.255'],
    ['127/8', '127.0.0.0', '127.255.255.255'],
    ['169.254/16', '169.254.0.0', '169.254.255.255'],
    ['172.16/12', '172.16.0.0', '172.31.255.255'],
    ['192.0.0/24', '192.0.0.0', '192.0.0.255'],
    ['192.168/16', '192.168.0.0', '192.168.255.255'],
    ['198.18/15', '198.18.0.0', '198.19.255.255'],
    ['224/4', '224.0.0.0', '239.255.255.255'],
    ['240/4', '240.0.0.0', '255.255.255.255'],
    ['::', '::', '0:0:0:0:0:0:0:0'],
    ['::1', '::1', '0000:0000:0000:0000:0000:0000:0000:0001'],
    ['v4-compatible', '::7f00:1', '::127.0.0.1'],
    ['v4-mapped, public ones too', '::ffff:7f00:1', '::ffff:8.8.8.8'],
    ['64:ff9b::/96', '64:ff9b::', '64:ff9b::255.255.255.255'],
    ['6to4', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['fc00::/7', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['fe80::/10', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['a zone', 'fe80::1%lo', 'fe80::1%1'],
    ['ff00::/8', 'ff00::', 'ff02::1'],
    ['beside 2000::/3', '1fff:ffff::', '4000::'],
    ['what is none', 'localhost', ''],
  ]
  test.each(edges)('of %s is not public: %s to %s', (_, first, last) => {
    expect([isPublic(first), isPublic(last)]).toEqual([false, false])
  })

  test.each([
    '1.0.0.0',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '191.255.255.255',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2000::',
    '2001:4860:4860::8888',
    '2001:ffff::',
    '2003::',
    '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ])('%s is public', (address) => {
    expect(isPublic(address)).toBe(true)
  })
})

describe('a URL', () => {
  test.each(['https://push.example/x', 'http://8.8.8.8:81/', 'https://[2001:4860::1]/', 'https://localhost.example/'])(
    '%s is as good as it looks',
    (url) => {
      expect(objectionTo(new URL(url))).toBeNull()
    },
  )

  test.each([
    ['ftp://push.example/', /http/],
    ['file:///etc/passwd', /http/],
    ['data:,x', /http/],
    ['https://pip@push.example/', /user name/],
    ['https://:secret@push.example/', /user name/],
    ['https://localhost/', /private/],
    ['https://LocalHost./', /private/],
    ['https://a.localhost/', /private/],
    ['https://10.1.2.3/', /private/],
    ['https://[::ffff:7f00:1]/', /private/],
  ])('%s is not', (url, reason) => {
    expect(objectionTo(new URL(url))).toMatch(reason)
  })
})
