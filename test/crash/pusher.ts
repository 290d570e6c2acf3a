import { setTimeout as pause } from 'node:timers/promises'
import { groups } from './cast.ts'
import type { Push } from './history.ts'
import { random, type Random } from './random.ts'
import { type Answer, ask, readStates, requestOf } from './request.ts'
import type { Stage } from './stage.ts'

/** answered pushes with a key that a pusher may repeat later */
const REMEMBERED = 20
const TRY_AGAIN_MS = 30
/** what the hub may refuse a sound push with; any other status is a fault */
const FAIR_REFUSALS = new Set([429, 503, 507])

/** Pushes one after the other, so that the order of what it sends is known. */
export class Pusher {
  readonly #stage: Stage
  readonly #name: string
  readonly #chance: Random
  readonly #targets: readonly string[]
  readonly #answered: { readonly push: Push; readonly life: number }[] = []
  #planned = 0

  /** @param names whom its personal pushes are for, each as often as it is listed */
  constructor(stage: Stage, name: string, names: readonly string[]) {
    this.#stage = stage
    this.#name = name
    this.#targets = names
    this.#chance = random(stage.seed, name)
  }

  /** Pushes until the clean phase; resolves when everything with a key has its answer. */
  async work(): Promise<void> {
    const { hub } = this.#stage
    while ((await hub.up()) && !this.#stage.calm) {
      if (!(await this.#repeatOld())) await this.#deliver(this.#plan())
      await pause(this.#chance.between(0, 15))
    }
  }

  /** Many pushes at once. `some` resolves as soon as so many have their answer, `all` like `work`. */
  burst(size: number, enough: number): { some: Promise<void>; all: Promise<void> } {
    let answers = 0
    const pushes = Array.from({ length: size }, () => this.#deliver(this.#plan()))
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

  /** Sends it; with a key again and again until the outcome is known. */
  async #deliver(push: Push): Promise<void> {
    const { history, hub } = this.#stage
    history.plan(push)
    let known = await this.#request(push)
    while (!known && push.key !== null && (await hub.up())) {
      await pause(TRY_AGAIN_MS)
      known = await this.#request(push)
    }
  }

  /** Now and then repeats one that an earlier life of the hub has answered: it must be the same message. */
  async #repeatOld(): Promise<boolean> {
    if (!this.#chance.chance(0.1)) return false
    const old = this.#answered.find(({ life }) => life < this.#stage.hub.count)
    if (!old) return false
    this.#answered.splice(this.#answered.indexOf(old), 1)
    await this.#request(old.push)
    return true
  }

  /** One request. False when its outcome is unknown. */
  async #request(push: Push): Promise<boolean> {
    const { history, hub, token } = this.#stage
    const life = hub.count
    const request = requestOf(push, token, this.#chance)
    history.add({ type: 'send', push: push.id, life })
    try {
      return this.#read(push, life, await ask(hub.url, request))
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
      this.#remember(push, life)
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

  #remember(push: Push, life: number): void {
    if (push.key === null) return
    this.#answered.push({ push, life })
    if (this.#answered.length > REMEMBERED) this.#answered.shift()
  }
}
