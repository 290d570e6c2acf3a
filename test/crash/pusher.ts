import { groups } from './cast.ts'
import { LATE, type Push } from './history.ts'
import { createPushing, type Pushing } from './pushing.ts'
import { random, type Random } from './random.ts'
import { type Answer, ask, readStates, requestOf } from './request.ts'
import type { Stage } from './stage.ts'

const REPEATS = 0.1
const PAUSE_MS = 15
/** what the hub may refuse a sound push with; any other status is a fault */
const FAIR_REFUSALS = new Set([429, 503, 507])

/** Pushes to clients, by all the requests that mean the same. */
export class Pusher {
  readonly #stage: Stage
  readonly #name: string
  readonly #chance: Random
  readonly #targets: readonly string[]
  readonly #pushing: Pushing<Push>
  #planned = 0

  /** @param names whom its personal pushes are for, each as often as it is listed */
  constructor(stage: Stage, name: string, names: readonly string[]) {
    this.#stage = stage
    this.#name = name
    this.#targets = names
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

  /** Pushes until the clean phase; resolves when everything with a key has its answer. */
  work(): Promise<void> {
    return this.#pushing.work()
  }

  /** Many pushes at once. `some` resolves as soon as so many have their answer, `all` like `work`. */
  burst(size: number, enough: number): { some: Promise<void>; all: Promise<void> } {
    let answers = 0
    const pushes = Array.from({ length: size }, () => this.#pushing.deliver(this.#plan()))
    const some = new Promise<void>((resolve) => {
      for (const push of pushes) void push.then(() => ++answers === enough && resolve())
    })
    return { some, all: Promise.all(pushes).then(() => undefined) }
  }

  /** Asks once more what became of pushes that have a key. */
  async askAgain(pushes: readonly Push[]): Promise<void> {
    for (const push of pushes) await this.#request(push)
  }

  #plan(): Push {
    const push = this.#compose()
    this.#stage.history.plan(push)
    return push
  }

  #compose(): Push {
    const chance = this.#chance
    const id = `${this.#name}-${this.#planned++}`
    const common = { id, pusher: this.#name, key: chance.chance(0.4) ? `key ${id}` : null }
    if (chance.chance(0.15)) {
      const group = chance.pick(groups)
      return { ...common, sendType: 'group', target: group.name, names: group.members }
    }
    const target = this.#targets[chance.between(0, this.#targets.length)] ?? ''
    return { ...common, sendType: 'personal', target, names: [target] }
  }

  /** One request. False when its outcome is unknown. */
  async #request(push: Push): Promise<boolean> {
    const { history, hub, token } = this.#stage
    const life = hub.count
    const request = requestOf(push, token, this.#chance)
    history.add({ type: 'send', push: push.id, life })
    try {
      const answer = await ask(hub.url, request)
      if (!hub.isCut(life)) return this.#read(push, life, answer)
      history.add({ type: 'unknown', push: push.id, why: LATE })
      return false
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (why.startsWith('no answer')) history.add({ type: 'nonsense', what: `${push.id} got ${why}` })
      history.add({ type: 'unknown', push: push.id, why })
      return false
    }
  }

  #read(push: Push, life: number, { status, mid, body }: Answer): boolean {
    const { history } = this.#stage
    const states = status >= 200 && status < 300 ? readStates(body) : null
    if (states) {
      history.add({ type: 'reply', push: push.id, life, mid, states })
      this.#pushing.answered(push, life)
      return true
    }
    if (!FAIR_REFUSALS.has(status)) {
      history.add({ type: 'nonsense', what: `${push.id} was answered ${status}: ${body.slice(0, 200)}` })
    }
    // a store that failed says 503 too, and leaves open what became of the push
    if (status < 400 || (status >= 500 && !body.includes('nothing was accepted'))) {
      history.add({ type: 'unknown', push: push.id, why: `${status}` })
      return false
    }
    history.add({ type: 'refusal', push: push.id, status })
    return true
  }
}
