/**
 * The least hub: what it does, it does well (each frame is built once, an ack is one look-up, one timer serves all
 * pushes); it keeps nothing, checks no token and sends nothing twice. The baselines are this behind two HTTP servers.
 */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'

const WAIT_MS = 5_000
const TICK_MS = 100
const MAX_PAYLOAD = 64 * 1024
const AS_TEXT = { binary: false }

type SendType = 'personal' | 'group'

interface Client {
  readonly name: string
  readonly socket: WebSocket
  readonly unacked: Map<string, Push>
}

/** A push that waits for the acks of `to`. */
interface Push {
  readonly mid: string
  readonly to: readonly Client[]
  readonly dueAt: number
  readonly answer: (reply: string) => void
  left: number
}

/** What clients send, as far as anything is read of it. */
interface ClientPacket {
  readonly cmd?: unknown
  readonly data?: { readonly name?: unknown; readonly group?: unknown; readonly mid?: unknown }
}

const clients = new Map<string, Client>()
const groups = new Map<string, Set<Client>>()
/** in the order of `dueAt`, so that the tick looks at its head only */
const waiting = new Map<string, Push>()
let lastMid = 1_000_000_000_000

/** The target and the kind of a push URL. */
export const PUSH_PATH = /^\/([^/?]+)\.(send|group)$/
export const JSON_TYPE = 'application/json; charset=utf-8'

/** What the answer to a push says: when all that are meant have acked, or waited long enough. */
export function push(name: string, kind: string, query: string): Promise<string> | string {
  const target = decodeURIComponent(name)
  const sendType: SendType = kind === 'group' ? 'group' : 'personal'
  const to = recipients(sendType, target)
  if (to.length === 0) return reply(sendType === 'personal' ? { [target]: 'no' } : {})
  const mid = String(++lastMid)
  const frame = encodeFrame(mid, sendType, target, query)
  return new Promise((answer) => {
    const pushed: Push = { mid, to, dueAt: Date.now() + WAIT_MS, answer, left: to.length }
    waiting.set(mid, pushed)
    for (const client of to) {
      client.unacked.set(mid, pushed)
      client.socket.send(frame, AS_TEXT)
    }
  })
}

function recipients(sendType: SendType, target: string): readonly Client[] {
  if (sendType === 'group') return [...(groups.get(target) ?? [])]
  const client = clients.get(target)
  return client ? [client] : []
}

function encodeFrame(mid: string, sendType: SendType, target: string, query: string): Buffer {
  const { text = '', desp = '', ...extra } = Object.fromEntries(new URLSearchParams(query))
  const from = { method: 'http', name: '' }
  const data = { sendType, target, from, message: { text, desp, extra }, mid }
  return Buffer.from(JSON.stringify({ cmd: 'MESSAGE', data }))
}

function reply(states: Record<string, string>): string {
  return JSON.stringify({ cmd: 'MESSAGE_REPLY', data: states })
}

function ack(client: Client, mid: string): void {
  const pushed = client.unacked.get(mid)
  if (!pushed) return
  client.unacked.delete(mid)
  pushed.left -= 1
  if (pushed.left === 0) finish(pushed)
}

function finish({ mid, to, answer }: Push): void {
  waiting.delete(mid)
  const states: Record<string, string> = {}
  for (const client of to) states[client.name] = client.unacked.has(mid) ? 'wait' : 'ok'
  answer(reply(states))
}

function tick(): void {
  const now = Date.now()
  for (const pushed of waiting.values()) {
    if (pushed.dueAt > now) return
    finish(pushed)
  }
}

function login(socket: WebSocket, name: string, group: string): Client {
  const client: Client = { name, socket, unacked: new Map() }
  clients.set(name, client)
  if (group !== '') {
    const members = groups.get(group) ?? new Set()
    groups.set(group, members.add(client))
  }
  socket.once('close', () => {
    if (clients.get(name) === client) clients.delete(name)
    groups.get(group)?.delete(client)
  })
  socket.send('{"cmd":"AUTH","data":{"code":200,"msg":"Successful authentication"}}')
  return client
}

function serveSocket(socket: WebSocket): void {
  let client: Client | null = null
  socket.on('message', (frame: RawData) => {
    // oxlint-disable-next-line typescript/no-base-to-string -- ws gives one Buffer unless told otherwise
    const { cmd, data } = JSON.parse(frame.toString()) as ClientPacket
    if (cmd === 'MESSAGE_CALLBACK' && client) ack(client, String(data?.mid))
    else if (cmd === 'AUTH') client = login(socket, String(data?.name), String(data?.group ?? ''))
  })
  socket.on('error', () => socket.terminate())
}

/** Listens on a free port and prints it as `{"msg":"listening","url":"http://127.0.0.1:PORT"}`. */
export function serve(handle: RequestListener): void {
  const server = createServer(handle)
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
  })
  server.on('upgrade', (request, stream, head) => sockets.handleUpgrade(request, stream, head, serveSocket))
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    console.log(JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}` }))
  })
  setInterval(tick, TICK_MS)
  process.once('SIGTERM', () => process.exit(0))
}
