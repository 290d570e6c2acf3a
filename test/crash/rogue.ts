import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { roles } from './cast.ts'
import type { Forgery } from './history.ts'
import { random, type Random } from './random.ts'
import { ask } from './request.ts'
import type { Stage } from './stage.ts'

/** how far back in the history it looks for mids that may not be acked yet */
const SIGHT = 60

const ways: readonly [Forgery, ...Forgery[]] = [
  'ws',
  'ws',
  'ws-auth-object',
  'http-own-auth',
  'http-forged-string',
  'http-auth-object',
]

/** receivers that take their time with an ack */
const slow = new Set(roles.filter(({ habit }) => habit !== 'quick').map(({ name }) => name))

const authOk = z.object({ cmd: z.literal('AUTH'), data: z.object({ code: z.literal(200), auth: z.string() }) })

interface Victim {
  readonly name: string
  readonly mid: string
}

/** A client with a login of its own that acks what is another's. It sees what all receivers see. */
export class Rogue {
  readonly #stage: Stage
  readonly #name: string
  readonly #chance: Random

  constructor(stage: Stage, name: string) {
    this.#stage = stage
    this.#name = name
    this.#chance = random(stage.seed, name)
  }

  async work(): Promise<void> {
    const { hub } = this.#stage
    while ((await hub.up()) && !this.#stage.calm) {
      await this.#session()
      await pause(30)
    }
  }

  async #session(): Promise<void> {
    const { hub, token } = this.#stage
    const socket = new WebSocket(hub.wsUrl, { perMessageDeflate: false })
    const closed = new Promise<null>((resolve) => socket.once('close', () => resolve(null)))
    const granted = new Promise<string>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const read = authOk.safeParse(JSON.parse(data.toString()))
        if (read.success) resolve(read.data.data.auth)
      })
    })
    socket.on('error', () => undefined)
    socket.once('open', () => socket.send(JSON.stringify({ cmd: 'AUTH', data: { token, name: this.#name } })))

    const auth = await Promise.race([closed, granted])
    while (auth !== null && socket.readyState === WebSocket.OPEN && !this.#stage.calm) {
      const victim = this.#victim()
      if (victim) await this.#forge(socket, auth, victim)
      await pause(this.#chance.between(5, 50))
    }
    socket.terminate()
    await closed
  }

  /** Somebody who got this mid a moment ago and may still owe the ack, or who gets it next. */
  #victim(): Victim | null {
    const frames = this.#stage.history.events.slice(-SIGHT).filter((event) => event.type === 'receive')
    const owed = frames.filter(({ name }) => slow.has(name))
    const [first, ...more] = owed.length > 0 ? owed : frames
    if (!first) return null
    const { name, mid } = this.#chance.pick([first, ...more])
    return { name, mid: this.#chance.chance(0.3) ? String(Number(mid) + this.#chance.between(1, 5)) : mid }
  }

  async #forge(socket: WebSocket, auth: string, { name: victim, mid }: Victim): Promise<void> {
    const { history } = this.#stage
    const way = this.#chance.pick(ways)
    history.add({ type: 'forge', by: this.#name, victim, mid, way })
    const ack = { cmd: 'MESSAGE_CALLBACK', data: { mid } }
    switch (way) {
      case 'ws':
        socket.send(JSON.stringify(ack))
        return
      case 'ws-auth-object':
        socket.send(JSON.stringify({ ...ack, auth: { name: victim } }))
        return
      case 'http-own-auth':
        return this.#post(way, { ...ack, auth })
      case 'http-forged-string':
        return this.#post(way, { ...ack, auth: forged(auth, victim) })
      case 'http-auth-object':
        return this.#post(way, { ...ack, auth: { name: victim } })
    }
  }

  async #post(way: Forgery, packet: object): Promise<void> {
    const { history, hub } = this.#stage
    const headers = { 'content-type': 'application/json' }
    try {
      const { status } = await ask(hub.url, { method: 'POST', path: '/', headers, body: JSON.stringify(packet) })
      history.add({ type: 'forge-answer', by: this.#name, way, status })
    } catch {
      // the hub was killed meanwhile: what the forgery did shows in the replies
    }
  }
}

/** The rogue's own auth with the victim's name written into it. */
function forged(auth: string, victim: string): string {
  const [version, payload = '', signature] = auth.split('.')
  const [, expiresAt] = z
    .tuple([z.string(), z.number()])
    .parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
  const theirs = Buffer.from(JSON.stringify([`${victim}@user`, expiresAt])).toString('base64url')
  return `${version}.${theirs}.${signature}`
}
