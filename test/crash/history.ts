/**
 * What a crash run leaves behind: everything that senders and receivers saw, in one order. All actors
 * live in one process, so the place of an event in the list is its time: an event that stands before
 * another one happened before it. The hub's own view is not in here.
 */

/** One message that a pusher wants delivered, however many requests that takes. */
export interface Push {
  /** also the text of the message, unique over the whole run */
  readonly id: string
  readonly pusher: string
  readonly sendType: 'personal' | 'group'
  readonly target: string
  /** exactly who must get it */
  readonly names: readonly string[]
  /** idempotency key; null for a push that is never repeated */
  readonly key: string | null
}

/** why the outcome of a push is not known that was answered when the power of the hub had been cut */
export const LATE = 'answered after the power was cut'

/** How a rogue tried to acknowledge what is another's. */
export type Forgery = 'ws' | 'ws-auth-object' | 'http-own-auth' | 'http-forged-string' | 'http-auth-object'

/** `life` counts the starts of the hub, `session` the connections of all receivers together. */
export type Event =
  /** `torn`: files in which it kept the torn end of a journal */
  | { readonly type: 'start'; readonly life: number; readonly ms: number; readonly torn: number }
  /** it was killed, or its power was cut */
  | { readonly type: 'kill'; readonly life: number }
  /** it was told to stop, and has: in so many ms */
  | { readonly type: 'stop'; readonly life: number }
  | { readonly type: 'stopped'; readonly life: number; readonly ms: number }
  /** the hub ended by itself, or its clean stop did not end well */
  | { readonly type: 'exit'; readonly life: number; readonly why: string }
  | { readonly type: 'send'; readonly push: string; readonly life: number }
  | {
      readonly type: 'reply'
      readonly push: string
      readonly life: number
      readonly mid: string
      readonly states: Readonly<Record<string, string>>
    }
  /** answered, and the answer says that nothing was accepted */
  | { readonly type: 'refusal'; readonly push: string; readonly status: number }
  /** no answer, or one that leaves it open */
  | { readonly type: 'unknown'; readonly push: string; readonly why: string }
  /** a 2xx that cannot be read as documented, a hub that does not answer, a login refused */
  | { readonly type: 'nonsense'; readonly what: string }
  | { readonly type: 'open'; readonly name: string; readonly session: number; readonly life: number }
  /** by the hub, or with it */
  | {
      readonly type: 'closed'
      readonly name: string
      readonly session: number
      readonly life: number
      readonly code: number
    }
  | {
      readonly type: 'receive'
      readonly name: string
      readonly session: number
      readonly life: number
      readonly mid: string
      readonly text: string
      readonly sendType: string
      readonly target: string
    }
  /** written just before the ack leaves */
  | { readonly type: 'ack'; readonly name: string; readonly mid: string }
  /** written just before the forged ack leaves */
  | {
      readonly type: 'forge'
      readonly by: string
      readonly victim: string
      readonly mid: string
      readonly way: Forgery
    }
  | { readonly type: 'forge-answer'; readonly by: string; readonly way: Forgery; readonly status: number }

export interface History {
  readonly pushes: ReadonlyMap<string, Push>
  readonly events: readonly Event[]
}

/** A history that is being written. */
export class Recorder implements History {
  readonly pushes = new Map<string, Push>()
  readonly events: Event[] = []
  #lastFrame = 0

  plan(push: Push): void {
    this.pushes.set(push.id, push)
  }

  add(event: Event): void {
    this.events.push(event)
    if (event.type === 'receive') this.#lastFrame = performance.now()
  }

  /** milliseconds since any receiver got a frame */
  get quietFor(): number {
    return performance.now() - this.#lastFrame
  }
}
