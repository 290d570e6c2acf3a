/** Whether the servers of the channels can be reached. A connection is made and closed again, nothing is sent. */
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import type { Reach } from '../../channels/reach.ts'
import { fault, type Finding, ok, reasonOf } from './finding.ts'

const CONNECT_MS = 5_000
const PORTS: ReadonlyMap<string, number> = new Map([
  ['http:', 80],
  ['https:', 443],
])
const SECURE = new Set(['https:', 'smtps:'])

export async function reachable(reaches: readonly Reach[]): Promise<readonly Finding[]> {
  const endpoints = reaches.flatMap(({ platforms }) => platforms).flatMap((platform) => platform.endpoints)
  const channels = new Map<string, Set<string>>()
  for (const { channel, server } of endpoints) {
    if (server !== null) channels.set(server, (channels.get(server) ?? new Set()).add(channel))
  }
  return Promise.all([...channels].map(([server, names]) => look(server, [...names].join(', '))))
}

async function look(server: string, channels: string): Promise<Finding> {
  const { protocol, hostname, port } = new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const at = { host, port: port === '' ? (PORTS.get(protocol) ?? 0) : Number(port) }
  // a certificate that is not valid is an error here, as it is when something is sent
  const isSecure = SECURE.has(protocol)
  const socket = isSecure ? connectSecurely({ ...at, servername: host }) : connect(at)
  try {
    const begun = performance.now()
    await connected(socket, isSecure ? 'secureConnect' : 'connect')
    return ok(channels, `${server} answers in ${Math.round(performance.now() - begun)} ms`)
  } catch (error) {
    return fault(channels, `${server} cannot be reached: ${reasonOf(error)}`)
  } finally {
    socket.destroy()
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve)
    socket.once('error', reject)
    socket.setTimeout(CONNECT_MS, () => reject(new Error(`no answer in ${CONNECT_MS / 1_000} s`)))
  })
}
