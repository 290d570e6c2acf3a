/** Which addresses are on the internet: judged by their numbers, never by how they are spelt. */
import { BlockList, isIP } from 'node:net'

/** Ranges that lead to this machine, its networks or nobody (IANA special-purpose registry). */
const NOT_PUBLIC_V4 = listOf('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
])

/**
 * All but global unicast, which is 2000::/3: so `::`, `::1`, IPv4 in IPv6 (::/96, ::ffff:0:0/96, 64:ff9b::/96),
 * fc00::/7, fe80::/10 and ff00::/8; and 6to4, which holds an IPv4 address too.
 */
const NOT_PUBLIC_V6 = listOf('ipv6', [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2002::', 16],
])

/** Whether an address, without brackets, belongs to somebody on the internet; false for what is no address. */
export function isPublic(address: string): boolean {
  const [withoutZone = ''] = address.split('%')
  const family = isIP(withoutZone)
  if (family === 0) return false
  // a list of IPv6 ranges would also judge IPv4 addresses, as mapped ones
  return family === 4 ? !NOT_PUBLIC_V4.check(withoutZone, 'ipv4') : !NOT_PUBLIC_V6.check(withoutZone, 'ipv6')
}

/**
 * Why a URL that somebody else wrote is not called, in words that follow its name; null where nothing speaks
 * against it. No name is looked up here: what a name leads to is judged when a connection is made.
 */
export function objectionTo({ protocol, username, password, hostname }: URL): string | null {
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://'
  if (username !== '' || password !== '') return 'must not hold a user name or password'
  const host = hostname.replace(/^\[|\]$/g, '')
  const isPrivate = isIP(host) === 0 ? isLocalhost(host) : !isPublic(host)
  return isPrivate ? 'must not lead to this machine or a private network' : null
}

/** RFC 6761 section 6.3: `localhost` and every name under it, with or without the dot of the root. */
function isLocalhost(host: string): boolean {
  return /(^|\.)localhost\.*$/.test(host)
}

function listOf(family: 'ipv4' | 'ipv6', ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [network, bits] of ranges) list.addSubnet(network, bits, family)
  return list
}
