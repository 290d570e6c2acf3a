/** Where requests come from, as limits count it. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv4 } from 'node:net'

const GROUPS = 8
const NETWORK_GROUPS = 4
const MAPPED = /^(?:0:){5}ffff$/
const LOOPBACK_V6 = '0:0:0:0::/64'

/** An IPv4 address, or the /64 of an IPv6 one: whoever has one address of it has them all. */
export type Peer = string

/** What `trustProxy` may hold: `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

export function isLoopback(peer: Peer): boolean {
  return peer.startsWith('127.') || peer === LOOPBACK_V6
}

/**
 * Reads where a request comes from. `X-Forwarded-For` is believed only as far as trusted proxies wrote it: from
 * its right end up to the first address that is none of them.
 * @param trustProxy addresses and networks of proxies
 */
export function createPeerReader(trustProxy: readonly string[]): (request: IncomingMessage) => Peer {
  const proxies = listOf(trustProxy)

  function isProxy(address: string): boolean {
    return isIP(address) !== 0 && proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  }

  return ({ socket, headers }) => {
    // a socket that is gone has no address: all of these are counted as one
    let nearest = socket.remoteAddress ?? ''
    if (trustProxy.length === 0) return peerOf(nearest)
    const forwarded = String(headers['x-forwarded-for'] ?? '').split(',')
    while (isProxy(nearest)) {
      const before = forwarded.pop()?.trim() ?? ''
      if (isIP(before) === 0) break
      nearest = before
    }
    return peerOf(nearest)
  }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

function peerOf(address: string): Peer {
  if (isIP(address) !== 6) return address
  const groups = groupsOf(address)
  if (!MAPPED.test(groups.slice(0, 6).join(':'))) return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`
  const bytes = groups.slice(6).flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
  return bytes.join('.')
}

/** All eight groups of an IPv6 address, in the one spelling that URLs have. */
function groupsOf(address: string): readonly string[] {
  const [withoutZone = ''] = address.split('%')
  const [front = [], back = []] = new URL(`http://[${withoutZone}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array<string>(GROUPS - front.length - back.length).fill('0')
  return [...front, ...zeros, ...back]
}
