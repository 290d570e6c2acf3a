/**
 * What a run leaves behind: everything that pushers and vendors saw, in one order, and what the hub says of it
 * in the end. All actors live in one process, so the place of an event in the list is its time.
 */
import { type Event as LoopEvent, Recorder } from '../history.ts'

/** One message that a pusher wants delivered, however many requests that takes. */
export interface Push {
  /** unique over the whole run, letters and digits only */
  readonly id: string
  readonly recipient: string
  /** `POST /api/v1/push`, or `GET NAME.send` */
  readonly door: 'api' | 'url'
  /** one that it names, or `platform:` and a channel; null: it names none */
  readonly strategy: string | null
  /** idempotency key; null for a push that is never repeated */
  readonly key: string | null
  /** what is wrong with it, so that it must be refused */
  readonly fault: string | null
}

/** What the vendor told the hub: it has it, try later, never; nothing: the connection was cut, or no answer came in time. */
export type Word = 'yes' | 'later' | 'never' | 'nothing'

/** `at`: ms; `life` counts the starts of the hub, `call` the requests that vendors read. */
export type Event =
  | { readonly type: 'start'; readonly life: number; readonly ms: number }
  /** `at` Infinity: a clean stop */
  | { readonly type: 'kill'; readonly life: number; readonly at: number }
  /** the hub ended by itself, or its clean stop did not end well */
  | { readonly type: 'exit'; readonly life: number; readonly why: string }
  | { readonly type: 'send'; readonly push: string }
  | { readonly type: 'accepted'; readonly push: string; readonly task: string; readonly mid: string }
  /** answered, and the answer says that nothing was accepted */
  | { readonly type: 'refused'; readonly push: string; readonly status: number }
  /** no answer, or one that leaves it open */
  | { readonly type: 'unknown'; readonly push: string; readonly why: string }
  | { readonly type: 'nonsense'; readonly what: string }
  /** a vendor has read a request; `took`: it shows the message to people, whatever it answers */
  | {
      readonly type: 'arrive'
      readonly call: number
      readonly endpoint: string
      readonly push: string
      /** of webhooks, the only ones that are told */
      readonly mid: string | null
      readonly took: boolean
      readonly life: number
    }
  | { readonly type: 'answer'; readonly call: number; readonly said: Word; readonly at: number }

/** One way out in a task. */
export interface Result {
  /** the endpoint's name */
  readonly webhook: string
  readonly status: string
  readonly message: string
  readonly maybeDuplicate?: boolean | undefined
}

/** `GET /api/v1/task/{id}` */
export interface Task {
  readonly status: string
  readonly results: readonly Result[]
}

/** One of `GET /api/v1/notifications`. */
export interface Notification {
  readonly task: string
  readonly title: string
  readonly status: string
}

export interface History {
  readonly pushes: ReadonlyMap<string, Push>
  readonly events: readonly Event[]
  /** null: the hub could not be asked any more */
  readonly said: Said | null
}

/** What the hub says in the end. */
export interface Said {
  /** by id */
  readonly tasks: ReadonlyMap<string, Task>
  /** unread ones */
  readonly notifications: readonly Notification[]
}

/** A history that is being written. The hub's lives write into it what they write into one of the main loop. */
export class Book extends Recorder {
  readonly planned = new Map<string, Push>()
  readonly entries: Event[] = []

  override add(event: LoopEvent): void {
    if (event.type === 'kill') this.note({ ...event, at: performance.now() })
    // whatever a vendor said before its end is on record
    else if (event.type === 'stop') this.note({ type: 'kill', life: event.life, at: Infinity })
    else if (event.type === 'start' || event.type === 'exit') this.note(event)
  }

  note(event: Event): void {
    this.entries.push(event)
  }

  closed(said: Said | null): History {
    return { pushes: this.planned, events: this.entries, said }
  }
}
