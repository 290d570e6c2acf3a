import { createPushing, type Pushing } from '../pushing.ts'
import { random, type Random } from '../random.ts'
import { type Answer, ask, readStates } from '../request.ts'
import { taskId } from '../../../server/protocol/ids.ts'
import { type Target, targets } from './cast.ts'
import type { Push } from './history.ts'
import { readPushed } from './hub.ts'
import { textOf, titleOf } from './message.ts'
import type { Stage } from './stage.ts'

const REPEATS = 0.05
const PAUSE_MS = 300
/** what the hub may refuse a sound push with; any other status is a fault */
const FAIR_REFUSALS = new Set([429, 503, 507])
const NOTHING_ACCEPTED = /nothing was accepted|消息未被接收/
const strategies = ['failover', 'all', 'webhook_failover', 'mixed'] as const
const levels = ['info', 'success', 'warning', 'error'] as const
const faults = ['nobody', 'token', 'strategy', 'platform', 'empty'] as const

/** of all pushes, those to webhooks: enough that some wait behind a retry */
const CLIENTS = 0.25
const clients = some(targets.filter(({ isClient }) => isClient))
const others = some(targets.filter(({ isClient }) => !isClient))

type Request = Parameters<typeof ask>[1]

/** Pushes to robots and webhooks, now and then with a fault. */
export class Pusher {
  readonly #stage: Stage
  readonly #name: string
  readonly #chance: Random
  readonly #pushing: Pushing<Push>
  #planned = 0

  constructor(stage: Stage, name: string) {
    this.#stage = stage
    this.#name = name
    this.#chance = random(stage.seed, name)
    this.#pushing = createPushing({
      hub: stage.hub,
      isCalm: () => stage.calm,
      chance: this.#chance,
      repeats: REPEATS,
      pauseMs: PAUSE_MS,
      plan: () => this.#plan(),
      request: (push) => this.#request(push),
    })
  }

  /** Pushes until the calm phase; resolves when everything with a key has its answer. */
  work(): Promise<void> {
    return this.#pushing.work()
  }

  #plan(): Push {
    const push = this.#compose()
    this.#stage.book.planned.set(push.id, push)
    return push
  }

  #compose(): Push {
    const chance = this.#chance
    const id = `${this.#name}x${this.#planned++}`
    const target = chance.pick(chance.chance(CLIENTS) ? clients : others)
    const push = { id, recipient: target.name, key: chance.chance(0.4) ? `key ${id}` : null, fault: null }
    if (target.isClient || chance.chance(0.1)) return { ...push, door: 'url', strategy: null }
    if (chance.chance(0.04)) return { ...push, door: 'api', strategy: null, fault: chance.pick(faults) }
    return { ...push, door: 'api', strategy: this.#strategyFor(target) }
  }

  /** Those with a webhook beside their robots go the usual way. */
  #strategyFor({ platforms }: Target): string | null {
    const chance = this.#chance
    if (chance.chance(0.6) || platforms.some(({ channel }) => channel === 'webhook')) return null
    const [first, ...rest] = platforms
    if (first && chance.chance(0.25)) return `platform:${chance.pick([first, ...rest]).channel}`
    return chance.pick(strategies)
  }

  /** One request. False when its outcome is unknown. */
  async #request(push: Push): Promise<boolean> {
    const { book, hub, token } = this.#stage
    const life = hub.count
    book.note({ type: 'send', push: push.id })
    try {
      return this.#read(push, life, await ask(hub.url, requestOf(push, token)))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (why.startsWith('no answer')) book.note({ type: 'nonsense', what: `${push.id} got ${why}` })
      book.note({ type: 'unknown', push: push.id, why })
      return false
    }
  }

  #read(push: Push, life: number, { status, mid, body }: Answer): boolean {
    const { book } = this.#stage
    const isTaken = status >= 200 && status < 300
    const task = isTaken ? taskIn(push, mid, body) : null
    if (task !== null && push.fault === null) {
      book.note({ type: 'accepted', push: push.id, task, mid })
      this.#pushing.answered(push, life)
      return true
    }
    if (isTaken || (push.fault === null && !FAIR_REFUSALS.has(status))) {
      book.note({ type: 'nonsense', what: `${JSON.stringify(push)} was answered ${status}: ${body.slice(0, 200)}` })
    }
    if (status < 400 || (status >= 500 && !NOTHING_ACCEPTED.test(body))) {
      book.note({ type: 'unknown', push: push.id, why: String(status) })
      return false
    }
    book.note({ type: 'refused', push: push.id, status })
    return true
  }
}

function some([first, ...rest]: readonly Target[]): readonly [Target, ...Target[]] {
  if (!first) throw new Error('there is nobody')
  return [first, ...rest]
}

/** The task of a 2xx; null where it is not as documented, or says that nothing was accepted. */
function taskIn({ door, recipient }: Push, mid: string, body: string): string | null {
  if (door === 'api') return readPushed(body)
  const state = readStates(body)?.[recipient] ?? 'no'
  return state === 'no' || state === 'full' ? null : taskId(mid, '2')
}

function requestOf(push: Push, token: string): Request {
  const { id, recipient, door, strategy, key, fault } = push
  const headers = {
    authorization: fault === 'token' ? 'not-the-token' : `Bearer ${token}`,
    ...(key === null ? {} : { 'idempotency-key': key }),
  }
  const chance = random(0, id)
  const [title, msg] = [titleOf(id), textOf(id)]
  if (door === 'url') {
    const query = new URLSearchParams({ text: title, desp: msg, type: chance.pick(levels) })
    return { method: 'GET', path: `/${recipient}.send?${query.toString()}`, headers }
  }
  const [, platform] = strategy?.split(':') ?? []
  const body = {
    recipient_alias: fault === 'nobody' ? 'nobody-has-this-name' : recipient,
    type: chance.pick(levels),
    style: chance.pick(['text', 'card']),
    content: { title, msg: fault === 'empty' ? '' : msg },
    ...(platform === undefined ? (strategy === null ? {} : { strategy }) : { platform }),
    ...(fault === 'strategy' ? { strategy: 'sideways' } : {}),
    ...(fault === 'platform' ? { platform: 'pigeons' } : {}),
  }
  const json = { ...headers, 'content-type': 'application/json' }
  return { method: 'POST', path: '/api/v1/push', headers: json, body: JSON.stringify(body) }
}
