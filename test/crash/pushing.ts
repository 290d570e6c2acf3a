import { setTimeout as pause } from 'node:timers/promises'
import type { Lives } from './lives.ts'
import type { Random } from './random.ts'

/** answered pushes with a key that may be repeated later */
const REMEMBERED = 20
const TRY_AGAIN_MS = 30

interface Repeatable {
  /** idempotency key; null for a push that is never repeated */
  readonly key: string | null
}

/** How one pusher goes about it: one push after the other, so that the order of what it sends is known. */
export interface Pushing<P extends Repeatable> {
  /** Pushes until it is calm; resolves when everything with a key has its answer. */
  work(): Promise<void>
  /** Sends a push; with a key again and again until the outcome is known. */
  deliver(push: P): Promise<void>
  /** It was accepted by this life of the hub. */
  answered(push: P, life: number): void
}

export interface PushingOptions<P extends Repeatable> {
  readonly hub: Lives
  readonly isCalm: () => boolean
  readonly chance: Random
  /** how often an old push is repeated in place of a new one */
  readonly repeats: number
  /** between two pushes at most */
  readonly pauseMs: number
  readonly plan: () => P
  /** One request. False when its outcome is unknown. */
  readonly request: (push: P) => Promise<boolean>
}

export function createPushing<P extends Repeatable>(options: PushingOptions<P>): Pushing<P> {
  const { hub, isCalm, chance, repeats, pauseMs, plan, request } = options
  const old: { readonly push: P; readonly life: number }[] = []

  async function deliver(push: P): Promise<void> {
    let isKnown = await request(push)
    while (!isKnown && push.key !== null && (await hub.up())) {
      await pause(TRY_AGAIN_MS)
      isKnown = await request(push)
    }
  }

  /** Now and then repeats one that an earlier life of the hub has answered: it must be the same message. */
  async function repeatOld(): Promise<boolean> {
    if (!chance.chance(repeats)) return false
    const at = old.findIndex(({ life }) => life < hub.count)
    const [found] = at < 0 ? [] : old.splice(at, 1)
    if (found) await request(found.push)
    return found !== undefined
  }

  return {
    deliver,
    async work() {
      while ((await hub.up()) && !isCalm()) {
        if (!(await repeatOld())) await deliver(plan())
        await pause(chance.between(0, pauseMs))
      }
    },
    answered(push, life) {
      if (push.key === null) return
      old.push({ push, life })
      if (old.length > REMEMBERED) old.shift()
    },
  }
}
