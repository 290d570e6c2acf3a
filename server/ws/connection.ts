/** One socket: reads packets, hands them to the handler of their name, and keeps bad clients in bounds. */
import type { Clock } from '../ground/clock.ts'
import type { Newcomer } from '../directory/attempts.ts'
import type { LoginOptions } from '../directory/login.ts'
import type { Hub, Session } from '../hub/hub.ts'
import { type SessionOptions, TOO_SLOW_BYTES } from '../hub/session.ts'
import type { Turns } from '../hub/turns.ts'
import type { Log } from '../ground/log.ts'
import { closeCodes, Refusal } from '../protocol/errors.ts'
import { parseJson } from '../protocol/json.ts'
import { type Packet, readPacket, type ServerPacket } from '../protocol/packets.ts'
import { refusalOf } from '../store/refusal.ts'
import { count } from '../ground/tally.ts'
import { takePlainAck } from './ack.ts'
import { Conduct } from './conduct.ts'
import type { Deadlines } from './deadlines.ts'
import type { Line } from './line.ts'
import { handlers } from './packets.ts'

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
  /** those that have to come through AUTH in time */
  readonly unproved: Deadlines<SocketClient>
  /** upgrades and AUTHs: after a restart they come in floods */
  readonly turns: Turns<() => void>
}

/** What packets' handlers work on. There is one for each socket: plain fields, no closures. */
export class SocketClient {
  readonly options: SocketOptions
  /** null before AUTH */
  session: Session | null = null
  /** MESSAGEs whose reply is still to come */
  unanswered = 0
  readonly line: Line
  readonly #newcomer: Newcomer
  readonly #conduct: Conduct
  /** an AUTH is being decided */
  #deciding = false
  /** what came behind it, or faster than it may */
  #waiting: Buffer[] | null = null
  #ended = false
  #holds = 0
  #cancelPause: (() => void) | null = null

  constructor(line: Line, newcomer: Newcomer, options: SocketOptions) {
    this.options = options
    this.line = line
    this.#newcomer = newcomer
    this.#conduct = new Conduct(options.clock)
    options.unproved.add(this)
  }

  send(packet: ServerPacket): void {
    this.sendText(JSON.stringify(packet))
  }

  /** The same for a packet that is text already. */
  sendText(packet: string): void {
    if (this.line.buffered() > TOO_SLOW_BYTES) this.#end(closeCodes.tooSlow, 'reads too slowly')
    else this.line.send(Buffer.from(packet))
  }

  /** As Prove. */
  prove<T>(proof: () => T): T {
    return this.#newcomer.prove(proof)
  }

  /** A token was wrong: the third ends the socket. */
  wrongToken(): void {
    if (this.#conduct.wrongToken()) this.#end(closeCodes.badToken, 'wrong token')
  }

  /** The packet at hand moved something: it does not count as a flood. */
  useful(): void {
    this.#conduct.useful()
  }

  /** A session begins on this socket, unless it is closed by now; an earlier one on it ends. */
  begin(who: Omit<SessionOptions, 'connection' | 'cursor'>): void {
    if (!this.line.isOpen) return
    this.#leaveNewcomers()
    this.#endSession()
    this.session = this.options.hub.sessions.connect({ ...who, connection: this.line })
  }

  /** No AUTH came in time. */
  tooLate(): void {
    this.#end(closeCodes.authTimeout, 'no AUTH in time')
  }

  receive(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return
    if (isBinary) this.#end(BINARY_REFUSED, 'text frames only')
    else if (this.#mustWait) this.#wait(data)
    else this.#take(data)
  }

  /** The socket is gone. */
  gone(): void {
    this.#ended = true
    this.#leaveNewcomers()
    this.#cancelPause?.()
    this.line.gone()
    this.#endSession()
  }

  #leaveNewcomers(): void {
    this.options.unproved.delete(this)
    this.#newcomer.leave()
  }

  #endSession(): void {
    if (this.session) this.options.hub.sessions.disconnect(this.session)
  }

  /** The client itself is at fault: nothing more of it is read. */
  #end(code: number, reason: string): void {
    this.#ended = true
    this.#waitNoMore()
    this.line.close(code, reason)
  }

  #hold(): void {
    this.#holds += 1
    if (this.#holds === 1) this.line.pause()
  }

  #letGo(): void {
    this.#holds -= 1
    if (this.#holds === 0) this.line.resume()
  }

  /** What had come with a packet before it stops being read waits, too. */
  get #mustWait(): boolean {
    return this.#deciding || this.#cancelPause !== null
  }

  #wait(data: Buffer): void {
    if (!this.#waiting) this.#hold()
    this.#waiting ??= []
    this.#waiting.push(data)
  }

  #waitNoMore(): void {
    if (!this.#waiting) return
    this.#waiting = null
    this.#letGo()
  }

  #take(data: Buffer): void {
    const text = data.toString()
    if (takePlainAck(this, text)) return
    this.#keepPace()
    if (this.#ended) return
    let id: string | undefined
    try {
      const packet = readPacket(parseJson(text))
      id = packet.id
      if (packet.auth !== undefined) this.#verify(packet.auth)
      this.#dispatch(packet)
    } catch (error) {
      this.#refuse(error, id)
    }
  }

  /** A client that came through AUTH has proved itself: an `auth` that went stale costs no tries. */
  #verify(auth: unknown): void {
    const { tokens } = this.options
    if (this.session) tokens.verify(auth)
    else this.prove(() => tokens.verify(auth))
  }

  #keepPace(): void {
    const pace = this.#conduct.packet()
    if (pace.then === 'read') return
    if (pace.then === 'close') {
      this.#end(closeCodes.policy, 'too many packets')
      return
    }
    if (this.#cancelPause) return
    this.#hold()
    this.#cancelPause = this.options.clock.after(pace.ms, () => {
      this.#cancelPause = null
      this.#letGo()
      this.#goOn()
    })
  }

  #dispatch(packet: Packet): void {
    const handler = handlers.get(packet.cmd)
    if (!this.session && !handler?.beforeAuth) {
      this.#needAuth()
      return
    }
    if (!handler) throw new Refusal('bad-packet', `Unknow cmd: ${packet.cmd.slice(0, 64)}`)
    const handled = handler.handle(this, packet)?.catch((error: unknown) => this.#refuse(error, packet.id))
    if (!handler.holdsOthers || !handled) return
    this.#deciding = true
    void handled.then(() => {
      this.#deciding = false
      this.#goOn()
    })
  }

  /** What waited is taken in its order, up to the next AUTH or the end of the socket's pace. */
  #goOn(): void {
    while (!this.#mustWait && this.#waiting) {
      const next = this.#waiting.shift()
      if (next) this.#take(next)
      else this.#waitNoMore()
    }
  }

  #needAuth(): void {
    count(this.options.hub.meters.refusals.websocket, 'need-auth')
    this.send({ cmd: 'AUTH', data: { code: 401, msg: 'Need Auth' } })
    if (this.#conduct.tooEarly()) this.#end(closeCodes.needAuth, 'need AUTH')
  }

  /** @param id of the packet, where it has one: its client wants to know which was refused, and why by name */
  #refuse(error: unknown, id?: string): void {
    const { hub, log } = this.options
    const refusal = refusalOf(error)
    if (!refusal) log.error({ err: error }, 'a packet could not be handled')
    count(hub.meters.refusals.websocket, refusal?.code ?? 'internal')
    const which = id === undefined ? {} : { id, error: refusal?.code ?? 'internal' }
    this.send({ cmd: 'INFO', data: refusal?.message ?? 'internal error', ...which })
    if (!refusal || refusal.status > MAX_FAULT_STATUS) return
    if (this.#conduct.badPacket()) this.#end(closeCodes.policy, 'too many bad packets')
  }
}
