/** One socket: reads packets, hands them to the handler of their name, and keeps bad clients in bounds. */
import type { Duplex } from 'node:stream'
import { type RawData, WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import type { Connection, Hub, Session } from '../hub/hub.ts'
import type { LoginOptions } from '../directory/login.ts'
import type { Log } from '../log.ts'
import { closeCodes, Refusal } from '../protocol/errors.ts'
import { parseJson } from '../protocol/json.ts'
import { type Packet, readPacket, type ServerPacket } from '../protocol/packets.ts'
import { handlers } from './packets.ts'

const MAX_BAD_PACKETS_A_MINUTE = 20
const MINUTE_MS = 60_000
const MAX_BEFORE_AUTH = 3
const MAX_WRONG_TOKENS = 3
const CLOSE_GRACE_MS = 2_000
const BINARY_REFUSED = 1003

export interface SocketSettings {
  readonly verifyToken: boolean
  /** ms until a socket without AUTH is closed */
  readonly authTimeout: number
  /** ms a MESSAGE_REPLY waits for acks */
  readonly waitTimeout: number
  /** ms until a message without an `expire` of its own is worthless; null: never */
  readonly expireMs: number | null
}

export interface SocketOptions extends LoginOptions {
  readonly hub: Hub
  readonly clock: Clock
  readonly log: Log
  readonly settings: SocketSettings
}

/** What a packet's handler works on. */
export interface SocketClient {
  readonly options: SocketOptions
  /** null before AUTH */
  session: Session | null
  send(packet: ServerPacket): void
  /** A token was wrong: the third ends the socket. */
  wrongToken(): void
  /** A session begins on this socket; an earlier one on it ends. */
  begin(start: () => Session): void
  readonly transport: Connection
}

/** Serves a socket until it closes. */
export function serveSocket(socket: WebSocket, stream: Duplex, options: SocketOptions): void {
  const { clock, hub, log, settings } = options
  let early = 0
  let wrongTokens = 0
  let bad = 0
  let badSince = clock.now()

  const transport: Connection = {
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame, { binary: false })
    },
    batch(write) {
      stream.cork()
      write()
      stream.uncork()
    },
    buffered: () => socket.bufferedAmount,
    close,
  }

  const client: SocketClient = {
    options,
    session: null,
    transport,
    send: (packet) => transport.send(Buffer.from(JSON.stringify(packet))),
    wrongToken() {
      wrongTokens += 1
      if (wrongTokens >= MAX_WRONG_TOKENS) close(closeCodes.badToken, 'wrong token')
    },
    begin(start) {
      cancelAuthTimeout()
      if (client.session) hub.sessions.disconnect(client.session)
      client.session = start()
    },
  }

  const cancelAuthTimeout = clock.after(settings.authTimeout, () => {
    close(closeCodes.authTimeout, 'no AUTH in time')
  })

  /** A client that does not answer the close is cut off. */
  function close(code: number, reason: string): void {
    socket.close(code, reason)
    const cancel = clock.after(CLOSE_GRACE_MS, () => socket.terminate())
    socket.once('close', cancel)
  }

  function refuse(error: unknown): void {
    if (!(error instanceof Refusal)) log.error({ err: error }, 'a packet could not be handled')
    client.send({ cmd: 'INFO', data: error instanceof Refusal ? error.message : 'internal error' })
    const now = clock.now()
    if (now - badSince > MINUTE_MS) {
      bad = 0
      badSince = now
    }
    bad += 1
    if (bad > MAX_BAD_PACKETS_A_MINUTE) close(closeCodes.policy, 'too many bad packets')
  }

  function needAuth(): void {
    early += 1
    client.send({ cmd: 'AUTH', data: { code: 401, msg: 'Need Auth' } })
    if (early > MAX_BEFORE_AUTH) close(closeCodes.needAuth, 'need AUTH')
  }

  function receive(data: RawData, isBinary: boolean): void {
    if (isBinary) {
      close(BINARY_REFUSED, 'text frames only')
      return
    }
    try {
      const packet = readPacket(parseJson(data.toString()))
      if (packet.auth !== undefined && packet.auth !== '') options.tokens.verify(packet.auth)
      dispatch(packet)
    } catch (error) {
      refuse(error)
    }
  }

  function dispatch(packet: Packet): void {
    const handler = handlers.get(packet.cmd)
    if (!client.session && !handler?.beforeAuth) {
      needAuth()
      return
    }
    if (!handler) throw new Refusal('bad-packet', `Unknow cmd: ${packet.cmd.slice(0, 64)}`)
    handler.handle(client, packet)?.catch(refuse)
  }

  socket.on('message', receive)
  socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'))
  socket.once('close', () => {
    cancelAuthTimeout()
    if (client.session) hub.sessions.disconnect(client.session)
  })
}
