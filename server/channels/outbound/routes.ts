/** The way of a request to its target: direct, asked of a proxy (http), or through a tunnel of one (https). */
import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici'
import { guardedLookup } from './guard.ts'

const CONNECT_MS = 5_000
/** a proxy that takes CONNECT and never answers it must not hold its connection longer than this */
const TUNNEL_MS = 15_000
/** How many are used at once is the hub's to say: one server that hangs for some must not hang for others. */
const CONNECTIONS_PER_ORIGIN = 256

/** A proxy as the config names one. `protocol` is how the proxy itself is spoken to, http unless told. */
export interface Proxy {
  readonly host: string
  readonly port: number
  readonly auth?: { readonly username: string; readonly password: string } | undefined
  readonly protocol?: 'http' | 'https' | undefined
}

export interface Route {
  readonly dispatcher: Dispatcher
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Routes {
  /** @param trusted whether the target may be of this machine or network; the proxy always may */
  to(target: URL, proxy: Proxy | undefined, trusted: boolean): Route
  /** Cuts every connection. */
  close(): Promise<void>
}

/** Trusted targets and others share no connection: a socket is judged once, when it is opened. */
export function createRoutes(lookup?: LookupFunction): Routes {
  const connect = { timeout: CONNECT_MS, ...(lookup && { lookup }) }
  const direct = new Agent({ connect, connections: CONNECTIONS_PER_ORIGIN })
  const guarded = new Agent({
    connect: { ...connect, lookup: guardedLookup(lookup) },
    connections: CONNECTIONS_PER_ORIGIN,
  })
  const tunnels = new Map<string, ProxyAgent>()

  function tunnel(proxy: Proxy): ProxyAgent {
    const uri = originOf(proxy)
    const token = basic(proxy.auth)
    const key = `${uri} ${token ?? ''}`
    const known = tunnels.get(key)
    if (known) return known
    const made = new ProxyAgent({
      uri,
      connections: CONNECTIONS_PER_ORIGIN,
      proxyTls: connect,
      requestTls: connect,
      clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: TUNNEL_MS }),
      ...(token === null ? {} : { token }),
    })
    tunnels.set(key, made)
    return made
  }

  return {
    to(target, proxy, trusted) {
      const path = target.pathname + target.search
      if (!proxy) return { dispatcher: trusted ? direct : guarded, origin: target.origin, path, headers: {} }
      if (target.protocol === 'https:') {
        return { dispatcher: tunnel(proxy), origin: target.origin, path, headers: {} }
      }
      const token = basic(proxy.auth)
      const headers = { host: target.host, ...(token === null ? {} : { 'proxy-authorization': token }) }
      return { dispatcher: direct, origin: originOf(proxy), path: target.origin + path, headers }
    },
    async close() {
      await Promise.all([direct, guarded, ...tunnels.values()].map((dispatcher) => dispatcher.destroy()))
    },
  }
}

/** The header of Basic authentication (RFC 7617), or null without credentials. */
export function basic(auth: Proxy['auth']): string | null {
  if (!auth) return null
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
}

function originOf({ protocol = 'http', host, port }: Proxy): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return `${protocol}://${name}:${port}`
}
