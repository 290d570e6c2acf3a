/** One socket: reads packets, hands them to the handler of their name, and keeps bad clients in bounds. */
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import type { Newcomer, Prove } from '../directory/attempts.ts'
import type { LoginOptions } from '../directory/login.ts'
import type { Connection, Hub, Session } from '../hub/hub.ts'
import { TOO_SLOW_BYTES } from '../hub/session.ts'
import type { Log } from '../log.ts'
import { closeCodes, Refusal } from '../protocol/errors.ts'
import { parseJson } from '../protocol/json.ts'
import { type Packet, readPacket, type ServerPacket } from '../protocol/packets.ts'
import { refusalOf } from '../store/refusal.ts'
import { createConduct } from './conduct.ts'
import { takePlainAck } from './ack.ts'
import { handlers } from './packets.ts'

const CLOSE_GRACE_MS = 2_000
const AS_TEXT = { binary: false }
const BINARY_REFUSED = 1003
/** The status of refusals that are the client's own fault; others do not count against it. */
const MAX_FAULT_STATUS = 404

export interface SocketSettings {
  readonly verifyToken: boolean
  /** browsers may connect from pages of any origin */
  readonly cors: boolean
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
  readonly prove: Prove
  /** null before AUTH */
  session: Session | null
  /** MESSAGEs whose reply is still to come */
  unanswered: number
  send(packet: ServerPacket): void
  /** The same for a packet that is text already. */
  sendText(packet: string): void
  /** A token was wrong: the third ends the socket. */
  wrongToken(): void
  /** The packet at hand moved something: it does not count as a flood. */
  useful(): void
  /** A session begins on this socket, unless it is closed by now; an earlier one on it ends. */
  begin(start: () => Session): void
  readonly transport: Connection
}

/** Serves a socket until it closes. */
export function serveSocket(socket: WebSocket, stream: Duplex, newcomer: Newcomer, options: SocketOptions): void {
  const { clock, hub, log, settings } = options
  const conduct = createConduct(clock)
  const waiting: Buffer[] = []
  let deciding = false
  let ended = false
  let holds = 0
  let cancelPause: (() => void) | null = null
  let cancelGrace: (() => void) | null = null

  const transport: Connection = {
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame, AS_TEXT)
    },
    batch(write) {
      stream.cork()
      try {
        write()
      } finally {
        stream.uncork()
      }
    },
    buffered: () => socket.bufferedAmount,
    close,
  }

  const client: SocketClient = {
    options,
    prove: newcomer.prove,
    session: null,
    unanswered: 0,
    transport,
    send: (packet) => client.sendText(JSON.stringify(packet)),
    sendText(packet) {
      if (transport.buffered() > TOO_SLOW_BYTES) end(closeCodes.tooSlow, 'reads too slowly')
      else transport.send(Buffer.from(packet))
    },
    wrongToken() {
      if (conduct.wrongToken()) end(closeCodes.badToken, 'wrong token')
    },
    useful: () => conduct.useful(),
    begin(start) {
      if (socket.readyState !== WebSocket.OPEN) return
      cancelAuthTimeout()
      newcomer.leave()
      if (client.session) hub.sessions.disconnect(client.session)
      client.session = start()
    },
  }

  const cancelAuthTimeout = clock.after(settings.authTimeout, () => end(closeCodes.authTimeout, 'no AUTH in time'))

  /** A client that does not answer the close is cut off. Acks that were on their way still count. */
  function close(code: number, reason: string): void {
    socket.close(code, reason)
    cancelGrace ??= clock.after(CLOSE_GRACE_MS, () => socket.terminate())
  }

  /** The client itself is at fault: nothing more of it is read. */
  function end(code: number, reason: string): void {
    ended = true
    waiting.length = 0
    close(code, reason)
  }

  function hold(): void {
    holds += 1
    if (holds === 1) socket.pause()
  }

  function letGo(): void {
    holds -= 1
    if (holds === 0) socket.resume()
  }

  function refuse(error: unknown): void {
    const refusal = refusalOf(error)
    if (!refusal) log.error({ err: error }, 'a packet could not be handled')
    client.send({ cmd: 'INFO', data: refusal?.message ?? 'internal error' })
    if (!refusal || refusal.status > MAX_FAULT_STATUS) return
    if (conduct.badPacket()) end(closeCodes.policy, 'too many bad packets')
  }

  function needAuth(): void {
    client.send({ cmd: 'AUTH', data: { code: 401, msg: 'Need Auth' } })
    if (conduct.tooEarly()) end(closeCodes.needAuth, 'need AUTH')
  }

  function receive(data: Buffer, isBinary: boolean): void {
    if (ended) return
    if (isBinary) {
      end(BINARY_REFUSED, 'text frames only')
      return
    }
    if (deciding) waiting.push(data)
    else take(data)
  }

  function take(data: Buffer): void {
    const text = data.toString()
    if (takePlainAck(client, text)) return
    keepPace()
    if (ended) return
    try {
      const packet = readPacket(parseJson(text))
      if (packet.auth !== undefined) verify(packet.auth)
      dispatch(packet)
    } catch (error) {
      refuse(error)
    }
  }

  /** A client that came through AUTH has proved itself: an `auth` that went stale costs no tries. */
  function verify(auth: unknown): void {
    if (client.session) options.tokens.verify(auth)
    else newcomer.prove(() => options.tokens.verify(auth))
  }

  function keepPace(): void {
    const pace = conduct.packet()
    if (pace.then === 'read') return
    if (pace.then === 'close') {
      end(closeCodes.policy, 'too many packets')
      return
    }
    if (cancelPause) return
    hold()
    cancelPause = clock.after(pace.ms, () => {
      cancelPause = null
      letGo()
    })
  }

  function dispatch(packet: Packet): void {
    const handler = handlers.get(packet.cmd)
    if (!client.session && !handler?.beforeAuth) {
      needAuth()
      return
    }
    if (!handler) throw new Refusal('bad-packet', `Unknow cmd: ${packet.cmd.slice(0, 64)}`)
    const handled = handler.handle(client, packet)?.catch(refuse)
    if (!handler.holdsOthers || !handled) return
    deciding = true
    hold()
    void handled.then(goOn)
  }

  /** What came behind an AUTH is taken in its order, up to the next AUTH. */
  function goOn(): void {
    deciding = false
    while (!deciding) {
      const next = waiting.shift()
      if (next === undefined) break
      take(next)
    }
    letGo()
  }

  socket.on('message', receive)
  socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'))
  socket.once('close', () => {
    ended = true
    cancelAuthTimeout()
    cancelGrace?.()
    cancelPause?.()
    if (client.session) hub.sessions.disconnect(client.session)
  })
}
