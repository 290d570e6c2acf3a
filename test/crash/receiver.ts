import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import * as z from 'zod'
import type { Habit, Role } from './cast.ts'
import { random, type Random } from './random.ts'
import { despOf } from './request.ts'
import type { Stage } from './stage.ts'

const AGAIN_MS = 30

/** What a receiver does about one frame. */
interface Reaction {
  /** null: no ack for this copy */
  readonly ackAfterMs: number | null
  readonly leave: boolean
}

const AT_ONCE: Reaction = { ackAfterMs: 0, leave: false }

const reactions: Record<Habit, (chance: Random) => Reaction> = {
  quick: () => AT_ONCE,
  absent: () => AT_ONCE,
  late: (chance) => ({ ackAfterMs: chance.between(0, 600), leave: false }),
  withholding: (chance) => ({ ackAfterMs: chance.chance(0.4) ? 0 : null, leave: false }),
  flaky: (chance) => ({ ackAfterMs: chance.chance(0.7) ? 0 : null, leave: chance.chance(0.06) }),
}

const packet = z.discriminatedUnion('cmd', [
  z.object({ cmd: z.literal('AUTH'), data: z.object({ code: z.number(), msg: z.string() }) }),
  z.object({
    cmd: z.literal('MESSAGE'),
    data: z.object({
      sendType: z.string(),
      target: z.string(),
      message: z.object({ text: z.string(), desp: z.string(), extra: z.object({}) }),
      mid: z.string(),
    }),
  }),
])

type Frame = Extract<z.infer<typeof packet>, { cmd: 'MESSAGE' }>['data']

function readPacket(text: string): z.infer<typeof packet> | null {
  try {
    return packet.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** A client on a real socket that comes back whenever its connection ends. */
export class Receiver {
  readonly role: Role
  readonly #stage: Stage
  readonly #chance: Random
  #socket: WebSocket | null = null
  /** the session that it left itself */
  #left = -1
  #session = -1
  #loggedIn = false

  constructor(stage: Stage, role: Role) {
    this.#stage = stage
    this.role = role
    this.#chance = random(stage.seed, role.name)
  }

  get loggedIn(): boolean {
    return this.#loggedIn
  }

  /** Lives on the hub's connections until the run is over. */
  async live(): Promise<void> {
    while (await this.#stage.hub.up()) {
      await this.#visit()
      await pause(this.#stage.calm ? AGAIN_MS : this.#absence())
    }
  }

  /** Drops the connection without a word. */
  drop(): void {
    this.#loggedIn = false
    this.#left = this.#session
    this.#socket?.terminate()
  }

  #absence(): number {
    return this.role.habit === 'flaky' ? this.#chance.between(0, 700) : this.#chance.between(0, AGAIN_MS)
  }

  async #visit(): Promise<void> {
    const { history, hub, token } = this.#stage
    const session = this.#stage.sessions++
    this.#session = session
    const life = hub.count
    const socket = new WebSocket(hub.wsUrl, { perMessageDeflate: false })
    this.#socket = socket
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    let isOpen = false
    // a refused or reset connection also closes
    socket.on('error', () => undefined)
    socket.once('open', () => {
      // ahead of AUTH: the hub may read the inbox before its answer is read here
      history.add({ type: 'open', name: this.role.name, session, life })
      isOpen = true
      const window = this.role.window === null ? {} : { window: this.role.window }
      socket.send(JSON.stringify({ cmd: 'AUTH', data: { token, name: this.role.name, ...window } }))
    })
    socket.on('message', (data: Buffer) => this.#take(data.toString(), session, life))
    const code = await closed
    this.#loggedIn = false
    if (isOpen && this.#left !== session) history.add({ type: 'closed', name: this.role.name, session, life, code })
  }

  #take(text: string, session: number, life: number): void {
    if (this.#stage.hub.isCut(life)) return
    const read = readPacket(text)
    if (read === null) {
      this.#nonsense(`got ${text.slice(0, 200)}`)
    } else if (read.cmd === 'MESSAGE') {
      this.#receive(read.data, session, life)
    } else {
      this.#loggedIn = read.data.code === 200
      if (!this.#loggedIn) this.#nonsense(`may not log in: ${read.data.msg}`)
    }
  }

  #receive({ sendType, target, message, mid }: Frame, session: number, life: number): void {
    const { history, calm } = this.#stage
    history.add({ type: 'receive', name: this.role.name, session, life, mid, text: message.text, sendType, target })
    if (message.desp !== despOf(message.text)) this.#nonsense(`got ${message.text} (${mid}) damaged`)
    const { ackAfterMs, leave } = calm ? AT_ONCE : reactions[this.role.habit](this.#chance)
    if (ackAfterMs === 0) this.#ack(mid)
    else if (ackAfterMs !== null) setTimeout(() => this.#ack(mid), ackAfterMs).unref()
    if (leave) this.drop()
  }

  /** On the connection of the moment, which need not be the one that brought it. */
  #ack(mid: string): void {
    if (!this.#loggedIn || this.#socket?.readyState !== WebSocket.OPEN) return
    this.#stage.history.add({ type: 'ack', name: this.role.name, mid })
    this.#socket.send(JSON.stringify({ cmd: 'MESSAGE_CALLBACK', data: { mid } }))
  }

  #nonsense(what: string): void {
    this.#stage.history.add({ type: 'nonsense', what: `${this.role.name} ${what}` })
  }
}
